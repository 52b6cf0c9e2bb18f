package eval

import (
	"math/big"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// binder makes copies of a runbook's expressions that can be evaluated within a
// budget. The zero binder takes expressions that refer to no step.
type binder struct {
	forEach   map[string]bool // steps that have instances
	templates *templates      // what templatefile reads; nil: it cannot be called
}

// bound copies an expression so that every part which can multiply work or size
// counts the budget. The copy shares leaves and ranges with the original, which
// stays as it is. hclsyntax's Value cannot be interrupted otherwise.
func (b binder) bound(expr hclsyntax.Expression) hclsyntax.Expression {
	switch e := expr.(type) {
	case nil:
		return nil
	case *hclsyntax.ScopeTraversalExpr:
		if name := b.statusOf(e.Traversal); name != "" {
			return &status{e, name}
		}
		return e
	case *hclsyntax.ForExpr:
		c := *e
		c.CollExpr = &counted{Expression: b.bound(e.CollExpr)}
		c.ValExpr = &counted{Expression: b.bound(e.ValExpr)}
		if e.KeyExpr != nil {
			c.KeyExpr = &counted{Expression: b.bound(e.KeyExpr)}
		}
		if e.CondExpr != nil {
			c.CondExpr = &counted{Expression: b.bound(e.CondExpr)}
		}
		return &measured{&c}
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			return e
		}
		c := *e
		c.Parts = b.all(e.Parts)
		for i, p := range c.Parts {
			c.Parts[i] = &counted{Expression: p, produces: true}
		}
		return &measured{&c}
	case *hclsyntax.TemplateJoinExpr:
		c := *e
		c.Tuple = &counted{Expression: b.bound(e.Tuple), produces: true}
		return &measured{&c}
	case *hclsyntax.TemplateWrapExpr:
		c := *e
		c.Wrapped = b.bound(e.Wrapped)
		return &c
	case *hclsyntax.FunctionCallExpr:
		c := *e
		c.Args = b.all(e.Args)
		for i, arg := range c.Args {
			c.Args[i] = &argument{arg, &c, i}
		}
		return &call{FunctionCallExpr: &c, templates: b.templates}
	case *hclsyntax.TupleConsExpr:
		c := *e
		c.Exprs = b.all(e.Exprs)
		return &measured{&c}
	case *hclsyntax.ObjectConsExpr:
		c := *e
		c.Items = make([]hclsyntax.ObjectConsItem, len(e.Items))
		for i, item := range e.Items {
			c.Items[i] = hclsyntax.ObjectConsItem{KeyExpr: b.bound(item.KeyExpr), ValueExpr: b.bound(item.ValueExpr)}
		}
		return &measured{&c}
	case *hclsyntax.ObjectConsKeyExpr:
		c := *e
		c.Wrapped = b.bound(e.Wrapped)
		return &c
	case *hclsyntax.SplatExpr:
		c := *e
		c.Source = b.bound(e.Source)
		c.Each = &counted{Expression: b.bound(e.Each)}
		return &measured{&c}
	case *hclsyntax.BinaryOpExpr:
		c := *e
		c.LHS, c.RHS = b.bound(e.LHS), b.bound(e.RHS)
		if e.Op == hclsyntax.OpLogicalAnd || e.Op == hclsyntax.OpLogicalOr {
			c.LHS, c.RHS = &operand{c.LHS}, &operand{c.RHS}
			return &c
		}
		if e.Op == hclsyntax.OpEqual || e.Op == hclsyntax.OpNotEqual {
			c.LHS, c.RHS = &compared{c.LHS}, &compared{c.RHS}
		} else {
			c.LHS, c.RHS = &digits{c.LHS}, &digits{c.RHS}
		}
		return &measured{&c}
	case *hclsyntax.UnaryOpExpr:
		c := *e
		c.Val = &digits{b.bound(e.Val)}
		return &c
	case *hclsyntax.ConditionalExpr:
		c := *e
		c.Condition, c.TrueResult, c.FalseResult = b.bound(e.Condition), &branch{b.bound(e.TrueResult)}, &branch{b.bound(e.FalseResult)}
		return &c
	case *hclsyntax.ParenthesesExpr:
		c := *e
		c.Expression = b.bound(e.Expression)
		return &c
	case *hclsyntax.IndexExpr:
		c := *e
		c.Collection, c.Key = b.bound(e.Collection), b.bound(e.Key)
		return &c
	case *hclsyntax.RelativeTraversalExpr:
		c := *e
		c.Source = b.bound(e.Source)
		return &c
	}
	return expr
}

func (b binder) all(exprs []hclsyntax.Expression) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(exprs))
	for i, e := range exprs {
		out[i] = b.bound(e)
	}
	return out
}

// counted is a part that is evaluated again and again, or whose text goes into
// a larger one.
type counted struct {
	hclsyntax.Expression
	produces bool
}

// Value implements hcl.Expression.
func (c *counted) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(hctx)
	if b == nil {
		return c.Expression.Value(hctx)
	}
	if !b.spend(1, c.Range()) {
		return cty.DynamicVal, nil
	}
	v, diags := c.Expression.Value(hctx)
	if c.produces {
		v = written(v)
		b.produce(len(str(v)), c.Range())
	}
	if b.why != nil {
		return cty.DynamicVal, nil
	}
	return v, diags
}

// written is a whole number as the text that a template makes of it: cty, whose
// numbers have 512 bits, takes half the time of an evaluation for that.
func written(v cty.Value) cty.Value {
	plain, marks := v.Unmark()
	if plain.Type() != cty.Number || !plain.IsKnown() || plain.IsNull() {
		return v
	}
	n, exact := plain.AsBigFloat().Int64()
	if exact != big.Exact {
		return v
	}
	return cty.StringVal(strconv.FormatInt(n, 10)).WithMarks(marks)
}

// UnwrapExpression lets hcl find what is inside.
func (c *counted) UnwrapExpression() hcl.Expression { return c.Expression }

// measured is a part that can make a large value of small ones.
type measured struct {
	hclsyntax.Expression
}

// Value implements hcl.Expression.
func (m *measured) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(hctx)
	if b == nil {
		return m.Expression.Value(hctx)
	}
	if !b.spend(1, m.Range()) {
		return cty.DynamicVal, nil
	}
	v, diags := m.Expression.Value(hctx)
	b.measure(v, m.Range())
	if b.why != nil {
		return cty.DynamicVal, nil
	}
	return v, diags
}

// UnwrapExpression lets hcl find what is inside.
func (m *measured) UnwrapExpression() hcl.Expression { return m.Expression }

// operand is a side of && or ||. cty takes null for an answer there: null &&
// true is false, null || true is true.
type operand struct {
	hclsyntax.Expression
}

// Value implements hcl.Expression.
func (o *operand) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := o.Expression.Value(hctx)
	if plain, _ := v.Unmark(); !diags.HasErrors() && plain.IsNull() {
		d := diag.NoAnswer.At(o.Range(), "This side is null, which is neither true nor false. What it looks at is not there.")
		d.Expression, d.EvalContext = o.Expression, hctx
		return cty.UnknownVal(cty.Bool), append(diags, d)
	}
	return v, diags
}

// UnwrapExpression lets hcl find what is inside.
func (o *operand) UnwrapExpression() hcl.Expression { return o.Expression }

// compared is a side of == or !=, which takes the longer the larger it is.
type compared struct {
	hclsyntax.Expression
}

// Value implements hcl.Expression.
func (c *compared) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := c.Expression.Value(hctx)
	if b := budgetOf(hctx); b != nil {
		for range 2 { // what is compared is gone through on both sides
			if !b.weigh(v, c.Range()) {
				return cty.DynamicVal, nil
			}
		}
	}
	return v, diags
}

// UnwrapExpression lets hcl find what is inside.
func (c *compared) UnwrapExpression() hcl.Expression { return c.Expression }

// digits is an operand that is converted to a number: a text of very many
// digits would take very long.
type digits struct {
	hclsyntax.Expression
}

// Value implements hcl.Expression.
func (d *digits) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := d.Expression.Value(hctx)
	if len(str(v)) > maxDigits {
		return cty.DynamicVal, append(diags, diag.WrongType.At(d.Range(), "A number has at most %d digits.", maxDigits))
	}
	return v, diags
}

// UnwrapExpression lets hcl find what is inside.
func (d *digits) UnwrapExpression() hcl.Expression { return d.Expression }
