package eval

import (
	"math/bits"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// argument is an argument of a call. What a function takes long for is what it is
// given, so that is counted; and a value of many elements is made what the
// function takes before hclsyntax does it, which compares them all with each
// other.
type argument struct {
	hclsyntax.Expression
	of    *hclsyntax.FunctionCallExpr
	index int
}

// Value implements hcl.Expression.
func (a *argument) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := a.Expression.Value(hctx)
	b := budgetOf(hctx)
	if b == nil || diags.HasErrors() {
		return v, diags
	}
	if !b.weigh(v, a.Range()) {
		return cty.DynamicVal, nil
	}
	want := a.takes(hctx)
	if !want.IsCollectionType() {
		return v, diags
	}
	if n := count(v); want.IsSetType() && !b.spend(n*bits.Len(uint(n)), a.Range()) {
		return cty.DynamicVal, nil
	}
	convert := schema.Convert
	if a.of.ExpandFinal && a.index == len(a.of.Args)-1 {
		convert = convertEach
	} else if count(v) <= manyElements {
		return v, diags
	}
	converted, err := convert(v, want)
	if err != nil {
		return cty.DynamicVal, append(diags, diag.CannotEvaluate.At(a.Range(), "This cannot be given to %s: a %s is needed, and %s.", a.of.Name, want.FriendlyNameForConstraint(), err))
	}
	return converted, diags
}

// manyElements is how many cty may compare with each other.
const manyElements = 1000

// takes is the type of the parameter that the argument is for.
func (a *argument) takes(hctx *hcl.EvalContext) cty.Type {
	switch a.of.Name {
	case "tolist":
		return cty.List(cty.DynamicPseudoType)
	case "toset":
		return cty.Set(cty.DynamicPseudoType)
	case "tomap":
		return cty.Map(cty.DynamicPseudoType)
	}
	var f function.Function
	for known := false; hctx != nil && !known; hctx = hctx.Parent() {
		f, known = hctx.Functions[a.of.Name]
	}
	if f == (function.Function{}) {
		return cty.DynamicPseudoType
	}
	params := f.Params()
	switch {
	case a.index < len(params):
		return params[a.index].Type
	case f.VarParam() != nil:
		return f.VarParam().Type
	}
	return cty.DynamicPseudoType
}

// convertEach converts the elements that are many, each an argument of its own.
func convertEach(v cty.Value, want cty.Type) (cty.Value, error) {
	plain, marks := v.Unmark()
	if !plain.Type().IsTupleType() || !plain.IsKnown() || plain.IsNull() {
		return v, nil
	}
	elements := plain.AsValueSlice()
	for i, e := range elements {
		if count(e) <= manyElements {
			continue
		}
		made, err := schema.Convert(e, want)
		if err != nil {
			return cty.NilVal, err
		}
		elements[i] = made
	}
	return cty.TupleVal(elements).WithMarks(marks), nil
}

// UnwrapExpression lets hcl find what is inside.
func (a *argument) UnwrapExpression() hcl.Expression { return a.Expression }

// branch is a result of a conditional. Those of two lengths are made lists, for
// which hclsyntax compares the types of all elements: of very many it is done
// here.
type branch struct {
	hclsyntax.Expression
}

// Value implements hcl.Expression.
func (c *branch) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := c.Expression.Value(hctx)
	b := budgetOf(hctx)
	n := count(v)
	plain, marks := v.Unmark()
	t := plain.Type()
	if b == nil || diags.HasErrors() || !t.IsTupleType() && !t.IsObjectType() {
		return v, diags
	}
	if n <= manyElements {
		if !b.spend(n*n/100, c.Range()) {
			return cty.DynamicVal, nil
		}
		return v, diags
	}
	want := cty.List(cty.DynamicPseudoType)
	if t.IsObjectType() {
		want = cty.Map(cty.DynamicPseudoType)
	}
	even, err := schema.Convert(plain, want)
	if err != nil {
		return cty.DynamicVal, append(diags, diag.TooLarge.At(c.Range(), "A conditional takes more than %d elements only where they are of one type, and %s.", manyElements, err))
	}
	return even.WithMarks(marks), diags
}

// UnwrapExpression lets hcl find what is inside.
func (c *branch) UnwrapExpression() hcl.Expression { return c.Expression }
