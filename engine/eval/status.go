package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// status is step.x.status of a step with a for_each: the worst of its
// instances. step.x itself is an object of them by key, in which a key may be
// called status too, so it is looked up apart.
type status struct {
	*hclsyntax.ScopeTraversalExpr
	step string
}

// statusName is the name that statuses are looked up under; no reference can
// have it.
const statusName = "\x00status"

// statusOf is the step whose statuses a reference reads together; empty: none.
func (b binder) statusOf(t hcl.Traversal) string {
	if len(t) != 3 || t.RootName() != "step" {
		return ""
	}
	name, named := t[1].(hcl.TraverseAttr)
	part, ok := t[2].(hcl.TraverseAttr)
	if !named || !ok || part.Name != "status" || !b.forEach[name.Name] {
		return ""
	}
	return name.Name
}

// Value implements hcl.Expression.
func (s *status) Value(hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	for ; hctx != nil; hctx = hctx.Parent() {
		if all, ok := hctx.Variables[statusName]; ok && all.Type().HasAttribute(s.step) {
			return all.GetAttr(s.step), nil
		}
	}
	return cty.UnknownVal(cty.String), nil
}

// UnwrapExpression lets hcl find what is inside.
func (s *status) UnwrapExpression() hcl.Expression { return s.ScopeTraversalExpr }
