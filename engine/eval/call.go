package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/runbook-engine/runbook/engine/redact"
)

// call is a function call within a budget. Some functions quote their arguments
// when they fail; where one of these is sensitive, the function's own words are
// withheld.
type call struct {
	*hclsyntax.FunctionCallExpr
	templates *templates
}

// Value implements hcl.Expression.
func (c *call) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(hctx)
	if b == nil {
		return c.FunctionCallExpr.Value(hctx)
	}
	if !b.spend(1, c.Range()) {
		return cty.DynamicVal, nil
	}
	in := hctx
	if c.Name == "templatefile" && c.templates != nil { // what it evaluates counts too
		in = hctx.NewChild()
		in.Functions = map[string]function.Function{c.Name: c.templates.function(b)}
	}
	v, diags := c.FunctionCallExpr.Value(in)
	b.checkTime(c.Range())
	b.measure(v, c.Range())
	if b.why != nil {
		return cty.DynamicVal, nil
	}
	if diags.HasErrors() && c.secret(hctx) {
		for _, d := range diags {
			if extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && extra.FunctionCallError() != nil {
				d.Detail = "The function " + extra.CalledFunctionName() + " refused its arguments. Its message is withheld, since one of them is sensitive."
			}
		}
	}
	return v, diags
}

// secret says whether an argument of the call is sensitive.
func (c *call) secret(hctx *hcl.EvalContext) bool {
	for _, arg := range c.Args {
		if v, _ := arg.Value(hctx); redact.IsSensitive(v) {
			return true
		}
	}
	return false
}

// UnwrapExpression lets hcl find what is inside.
func (c *call) UnwrapExpression() hcl.Expression { return c.FunctionCallExpr }
