package eval

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// compiled is what a scope keeps of an expression: a copy that counts its
// budget, and the names it uses.
type compiled struct {
	source   hcl.Expression
	expr     hcl.Expression
	constant bool              // a literal: needs neither scope nor budget
	names    map[string][]name // var, local, step, check
	statuses []string          // steps with a for_each whose status is read
	roots    []string          // the other roots
}

type name struct {
	name    string
	guarded bool // every use is inside try or can
}

func (s *Scope) compile(expr hcl.Expression) *compiled {
	if _, ok := expr.(hclsyntax.Node); !ok {
		return s.compileAnew(expr) // not of a file, and perhaps no key for a map
	}
	if c, ok := s.compiled.Load(expr); ok {
		return c.(*compiled)
	}
	c := s.compileAnew(expr)
	s.compiled.Store(expr, c)
	return c
}

func (s *Scope) compileAnew(expr hcl.Expression) *compiled {
	c := &compiled{source: expr, expr: expr}
	syntax, ok := expr.(hclsyntax.Expression)
	if ok && isLiteral(syntax) {
		c.constant = true
		return c
	}
	if ok {
		c.expr = s.binder.bound(syntax)
	}
	for _, r := range runbook.References(expr) {
		switch r.Root {
		case "step":
			if name := s.binder.statusOf(r.Traversal); name != "" && r.Index == nil {
				c.statuses = append(c.statuses, name)
				continue
			}
			c.use(r)
		case "var", "local", "check":
			c.use(r)
		default:
			if !slices.Contains(c.roots, r.Root) {
				c.roots = append(c.roots, r.Root)
			}
		}
	}
	return c
}

func (c *compiled) use(r runbook.Reference) {
	if c.names == nil {
		c.names = map[string][]name{}
	}
	names := c.names[r.Root]
	for i := range names {
		if names[i].name == r.Name {
			names[i].guarded = names[i].guarded && r.Guarded
			return
		}
	}
	c.names[r.Root] = append(names, name{name: r.Name, guarded: r.Guarded})
}

// isLiteral finds the expressions whose value is written out as it is.
func isLiteral(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return true
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	}
	return false
}

// pending lists a local and those it uses, through others too, that are not
// known yet, in the order in which they can be evaluated.
func (s *Scope) pending(l *runbook.Local, known func(string) bool) []*runbook.Local {
	seen := map[string]bool{l.Name: true}
	list := []*runbook.Local{l}
	for i := 0; i < len(list); i++ {
		for _, r := range list[i].References {
			next := s.rb.Locals[r.Name]
			if r.Root == "local" && next != nil && !seen[r.Name] && !known(r.Name) {
				seen[r.Name] = true
				list = append(list, next)
			}
		}
	}
	slices.SortFunc(list, func(a, b *runbook.Local) int { return cmp.Compare(a.Order, b.Order) })
	return list
}
