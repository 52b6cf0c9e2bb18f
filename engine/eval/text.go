package eval

import (
	"context"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/runbook-engine/runbook/engine/redact"
)

// Text evaluates a message for people: sensitive parts read (sensitive), what
// is not known (not known yet), and lists and objects are shown as HCL. With an
// error the text is what could be said.
func (s *Scope) Text(ctx context.Context, expr hcl.Expression, x Extra) (string, hcl.Diagnostics) {
	e := s.evaluation(ctx, x)
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok {
		v, diags := e.value(expr, cty.DynamicPseudoType)
		return show(v), diags
	}
	var b strings.Builder
	var diags hcl.Diagnostics
	for _, part := range template.Parts {
		v, d := e.value(part, cty.DynamicPseudoType)
		diags = append(diags, d...)
		b.WriteString(show(v))
	}
	return b.String(), diags
}

// show is a value inside a message: strings, numbers and booleans as they are,
// all else as redact displays it.
func show(v cty.Value) string {
	if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsPrimitiveType() {
		return redact.Display(v)
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return redact.Display(v)
	}
	return s.AsString()
}
