package runbook

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Reference is one use of a name that is looked up outside its expression.
type Reference struct {
	Root      string // step, check, var, local, run, path, self, result, …
	Name      string // step.NAME; empty where a bare root is used
	Attr      string // step.x.ATTR; empty where there is none
	Sub       string // step.x.goal.SUB; empty where there is none
	Guarded   bool   // inside try or can: evaluating it may fail
	Traversal hcl.Traversal
	Range     hcl.Range
}

// References lists the names that an expression uses, in source order, found by
// walking its syntax. Names that a `for` inside it declares are not among them.
func References(expr hcl.Expression) []Reference {
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		var refs []Reference
		for _, t := range expr.Variables() {
			refs = append(refs, newReference(t, false))
		}
		return refs
	}
	w := collector{}
	hclsyntax.Walk(node, &w) // reports nothing: the collector returns no diagnostics
	return w.refs
}

// BodyReferences lists the names that the arguments and nested blocks of a body
// use, in source order.
func BodyReferences(body hcl.Body) []Reference {
	b, ok := body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	w := collector{}
	hclsyntax.Walk(b, &w)
	slices.SortStableFunc(w.refs, func(a, b Reference) int {
		return cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte)
	})
	return w.refs
}

// collector is a hclsyntax.Walker that keeps references and calls.
type collector struct {
	refs   []Reference
	calls  []*hclsyntax.FunctionCallExpr
	scopes []map[string]struct{}
	guards int
}

// Enter implements hclsyntax.Walker.
func (c *collector) Enter(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		root := n.Traversal.RootName()
		for _, names := range c.scopes {
			if _, ok := names[root]; ok {
				return nil
			}
		}
		c.refs = append(c.refs, newReference(n.Traversal, c.guards > 0))
	case hclsyntax.ChildScope:
		c.scopes = append(c.scopes, n.LocalNames)
	case *hclsyntax.FunctionCallExpr:
		c.calls = append(c.calls, n)
		if guards(n) {
			c.guards++
		}
	}
	return nil
}

// Exit implements hclsyntax.Walker.
func (c *collector) Exit(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case hclsyntax.ChildScope:
		c.scopes = c.scopes[:len(c.scopes)-1]
	case *hclsyntax.FunctionCallExpr:
		if guards(n) {
			c.guards--
		}
	}
	return nil
}

func guards(call *hclsyntax.FunctionCallExpr) bool {
	return call.Name == "try" || call.Name == "can"
}

func newReference(t hcl.Traversal, guarded bool) Reference {
	r := Reference{Root: t.RootName(), Guarded: guarded, Traversal: t, Range: t.SourceRange()}
	for i, into := range []*string{&r.Name, &r.Attr, &r.Sub} {
		if len(t) <= i+1 {
			break
		}
		name, ok := stepName(t[i+1])
		if !ok {
			break
		}
		*into = name
	}
	return r
}

// stepName is the name that .name or ["name"] looks up.
func stepName(t hcl.Traverser) (string, bool) {
	switch t := t.(type) {
	case hcl.TraverseAttr:
		return t.Name, true
	case hcl.TraverseIndex:
		if t.Key.Type() == cty.String && t.Key.IsKnown() && !t.Key.IsNull() {
			return t.Key.AsString(), true
		}
	}
	return "", false
}
