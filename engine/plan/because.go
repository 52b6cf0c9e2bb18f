package plan

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// longestValue bounds how much of a variable's value a reason shows.
const longestValue = 60

// cause finds what makes a condition what it is: of an `and` that is false the
// operands that are, of an `or` both. What else the condition reads explains
// nothing and is not named.
type cause struct {
	observer  *Observer
	diagnosis *Diagnosis
	ctx       context.Context // of the one call of because
	extra     eval.Extra
	said      []string
}

// because says which checks, variables and statuses of steps make a condition
// false; empty where none does.
func (o *Observer) because(ctx context.Context, expr hcl.Expression, d *Diagnosis, x eval.Extra) string {
	syntax, ok := expr.(hclsyntax.Expression)
	if !ok {
		return ""
	}
	c := &cause{observer: o, diagnosis: d, ctx: ctx, extra: x}
	c.explain(syntax, eval.False)
	if len(c.said) == 0 {
		return ""
	}
	return ": " + strings.Join(c.said, ", ")
}

// explain walks the part of a condition that has the given truth.
func (c *cause) explain(expr hclsyntax.Expression, truth eval.Truth) {
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		c.explain(e.Expression, truth)
		return
	case *hclsyntax.UnaryOpExpr:
		if e.Op == hclsyntax.OpLogicalNot {
			c.explain(e.Val, opposite(truth))
			return
		}
	case *hclsyntax.BinaryOpExpr:
		if e.Op == hclsyntax.OpLogicalAnd || e.Op == hclsyntax.OpLogicalOr {
			for _, operand := range []hclsyntax.Expression{e.LHS, e.RHS} {
				if c.is(operand, truth) {
					c.explain(operand, truth)
				}
			}
			return
		}
	case *hclsyntax.ScopeTraversalExpr:
		if local := c.local(e.Traversal); local != nil && len(e.Traversal) == 2 {
			if inner, ok := local.Expr.(hclsyntax.Expression); ok {
				c.explain(inner, truth)
				return
			}
		}
	}
	c.name(runbook.References(expr), map[string]bool{})
}

func opposite(t eval.Truth) eval.Truth {
	switch t {
	case eval.True:
		return eval.False
	case eval.False:
		return eval.True
	}
	return t
}

func (c *cause) is(expr hclsyntax.Expression, truth eval.Truth) bool {
	got, diags := c.observer.Scope.Condition(c.ctx, expr, c.extra)
	return got == truth && !diags.HasErrors()
}

func (c *cause) local(t hcl.Traversal) *runbook.Local {
	if t.RootName() != "local" || len(t) < 2 {
		return nil
	}
	attr, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return nil
	}
	return c.observer.Frame.Runbook.Locals[attr.Name]
}

// name says what the references of a part that has no parts of its own came to,
// through locals too.
func (c *cause) name(refs []runbook.Reference, locals map[string]bool) {
	for _, r := range refs {
		switch local := c.local(r.Traversal); {
		case local != nil && !locals[local.Name]:
			locals[local.Name] = true
			c.name(local.References, locals)
		case r.Root == "check" && c.observer.Frame.Runbook.Checks[r.Name] != nil:
			c.diagnosis.asked([]string{r.Name}, func(address string, s Sighting) {
				if key, one := keyOf(r.Traversal); !one || address == checkAddress(r.Name, key) {
					c.say(address + " " + Status(s.Truth))
				}
			})
		case r.Root == "var" && c.observer.Frame.Runbook.Variables[r.Name] != nil:
			c.value(r.Traversal[:2], "var."+r.Name)
		case r.Root == "step" && len(r.Traversal) == 3:
			if attr, ok := r.Traversal[2].(hcl.TraverseAttr); ok && attr.Name == "status" {
				c.value(r.Traversal, "step."+r.Name+".status")
			}
		}
	}
}

// keyOf is the key of check.x["k"], where it is written out.
func keyOf(t hcl.Traversal) (string, bool) {
	if len(t) < 3 {
		return "", false
	}
	index, ok := t[2].(hcl.TraverseIndex)
	if !ok || index.Key.Type() != cty.String {
		return "", false
	}
	return index.Key.AsString(), true
}

func (c *cause) value(t hcl.Traversal, name string) {
	v, diags := c.observer.Scope.Value(c.ctx, &hclsyntax.ScopeTraversalExpr{Traversal: t, SrcRange: t.SourceRange()}, cty.DynamicPseudoType, c.extra)
	if diags.HasErrors() {
		return
	}
	text := redact.Display(v)
	if utf8.RuneCountInString(text) > longestValue {
		text = string([]rune(text)[:longestValue]) + "…"
	}
	c.say(name + " is " + text)
}

func (c *cause) say(what string) {
	if !slices.Contains(c.said, what) {
		c.said = append(c.said, what)
	}
}
