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
	Index     *Index // step.x["k"], check.x[each.key]; nil where there is none
	Guarded   bool   // inside try or can: evaluating it may fail
	Traversal hcl.Traversal
	Rest      hcl.Traversal // what comes after the name and the index
	Range     hcl.Range
}

// Index says which instance of a step or check is referred to.
type Index struct {
	Key   string
	Known bool // Key is written out; else it is an expression's value
	Range hcl.Range
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
	taken  map[*hclsyntax.ScopeTraversalExpr]bool // part of a reference that is noted
	calls  []*hclsyntax.FunctionCallExpr
	scopes []map[string]struct{}
	guards int
}

// Enter implements hclsyntax.Walker.
func (c *collector) Enter(node hclsyntax.Node) hcl.Diagnostics {
	switch n := node.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if !c.taken[n] && !c.local(n) {
			c.refs = append(c.refs, newReference(n.Traversal, c.guards > 0))
		}
	case *hclsyntax.IndexExpr:
		c.indexed(n, nil, n.Range())
	case *hclsyntax.RelativeTraversalExpr:
		if index, ok := n.Source.(*hclsyntax.IndexExpr); ok {
			c.indexed(index, n.Traversal, n.Range())
		}
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

// local tells whether an expression begins with a name that a `for` around it
// declares.
func (c *collector) local(n *hclsyntax.ScopeTraversalExpr) bool {
	root := n.Traversal.RootName()
	for _, names := range c.scopes {
		if _, ok := names[root]; ok {
			return true
		}
	}
	return false
}

// indexed notes step.x[KEY].rest, which hcl parses as three expressions: the
// reference is to one instance, and rest says what of it is read.
func (c *collector) indexed(n *hclsyntax.IndexExpr, rest hcl.Traversal, at hcl.Range) {
	of, ok := n.Collection.(*hclsyntax.ScopeTraversalExpr)
	if !ok || c.taken[of] || c.local(of) || len(of.Traversal) != 2 || !hasInstances(of.Traversal.RootName()) {
		return
	}
	if c.taken == nil {
		c.taken = map[*hclsyntax.ScopeTraversalExpr]bool{}
	}
	c.taken[of] = true
	r := newReference(of.Traversal, c.guards > 0)
	r.Index, r.Range = &Index{Range: n.Key.Range()}, at
	r.follow(rest)
	c.refs = append(c.refs, r)
}

// hasInstances tells whether what a root names can be made once for each of
// several keys.
func hasInstances(root string) bool { return root == "step" || root == "check" }

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
	if len(t) < 2 {
		return r
	}
	name, ok := stepName(t[1])
	if !ok {
		return r
	}
	r.Name = name
	rest := t[2:]
	if len(rest) > 0 && hasInstances(r.Root) {
		if index, ok := rest[0].(hcl.TraverseIndex); ok {
			r.Index = &Index{Range: index.SrcRange}
			r.Index.Key, r.Index.Known = stepName(index)
			rest = rest[1:]
		}
	}
	r.follow(rest)
	return r
}

// follow takes what comes after the name and the index.
func (r *Reference) follow(rest hcl.Traversal) {
	r.Rest = rest
	for i, into := range []*string{&r.Attr, &r.Sub} {
		if len(rest) <= i {
			return
		}
		name, ok := stepName(rest[i])
		if !ok {
			return
		}
		*into = name
	}
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
