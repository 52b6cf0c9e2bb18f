package runbook

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

func (l *loader) decodeCheck(block *hclsyntax.Block) {
	a, ok := l.decodeAssertion(block)
	if !ok {
		return
	}
	a.Place = "check." + a.Name
	c := &Check{Assertion: *a, Description: l.text(block.Body, "description")}
	if attr := block.Body.Attributes["for_each"]; attr != nil {
		c.ForEach = attr.Expr
	}
	if l.declare("check", c.Name, c.Range) {
		l.rb.Checks[c.Name] = c
	}
}

// decodeAssertion decodes a check, precondition, goal or verify.
func (l *loader) decodeAssertion(block *hclsyntax.Block) (*Assertion, bool) {
	kind, body := block.Type, block.Body
	name, ok := l.label(block, "name")
	a := &Assertion{Kind: kind, Name: name, Range: block.DefRange()}
	switch kind {
	case "check":
		l.checkWords(body, checkBlock)
	case "precondition":
		l.checkWords(body, preconditionBlock)
		a.Otherwise = l.choice(body, preconditionBlock.argument("otherwise"))
		if a.Otherwise == "" {
			a.Otherwise = "block"
		}
	case "goal":
		l.checkWords(body, goalBlock)
	case "verify":
		l.checkWords(body, verifyBlock)
	}
	if attr := body.Attributes["assert"]; attr != nil {
		a.Assert = attr.Expr
	}
	if attr := body.Attributes["message"]; attr != nil {
		a.Message = attr.Expr
	}
	a.Within = l.duration(body, "within", true)
	a.Every = l.duration(body, "every", false)
	a.Timeout = l.duration(body, "timeout", false)
	a.HoldFor = l.duration(body, "hold_for", true)
	if n, at, ok := l.number(body, "tolerate", 0, maxTolerate); ok {
		whole := int(n)
		a.Tolerate = &whole
		if a.HoldFor == nil && kind != "check" && a.Checks == nil && body.Attributes["check"] == nil {
			l.add(diag.Conflict.At(at, "\"tolerate\" is how many looks in a row may miss while hold_for lasts, and there is no hold_for."))
		}
	}
	l.decodeSubject(a, block)
	return a, ok
}

// maxTolerate bounds what is still patience.
const maxTolerate = 1000

// decodeSubject decodes what an assertion looks at: a probe, check = or
// checks =, of which there is at most one.
func (l *loader) decodeSubject(a *Assertion, block *hclsyntax.Block) {
	body := block.Body
	var first string
	var firstAt hcl.Range
	take := func(what string, at hcl.Range) bool {
		if first != "" {
			l.add(diag.Conflict.At(at, "The %s already has %s at %s. It looks at one thing: a probe, check = check.x, or checks = [check.x, …].", a.Kind, first, place(firstAt)))
			return false
		}
		first, firstAt = what, at
		return true
	}
	for _, b := range body.Blocks {
		if b.Type != "probe" {
			continue
		}
		op := l.decodeOperation(b)
		if take("a probe", b.DefRange()) {
			a.Probe = op
		}
	}
	if attr := body.Attributes["check"]; attr != nil && take("\"check\"", attr.NameRange) {
		if use, ok := l.checkUse(attr.Expr, "\"check\" names a check"); ok {
			a.Checks = []CheckUse{use}
			l.checkUses = append(l.checkUses, checkUse{CheckUse: use})
		}
	}
	if attr := body.Attributes["checks"]; attr != nil && take("\"checks\"", attr.NameRange) {
		a.All = true
		l.decodeChecks(a, attr)
		if a.Assert != nil {
			l.add(diag.Conflict.At(body.Attributes["assert"].NameRange, "\"checks\" means that all of them hold, and takes no \"assert\"."))
		}
	}
	if first == "" && a.Assert == nil {
		l.add(diag.MissingArgument.At(block.DefRange(), "The %s looks at nothing: give it a probe, check = check.x, checks = [check.x, …], or an assert.", a.Kind))
	}
}

func (l *loader) decodeChecks(a *Assertion, attr *hclsyntax.Attribute) {
	items, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() || len(items) == 0 {
		l.add(diag.InvalidReference.At(attr.Expr.Range(), "\"checks\" takes a list of checks, such as [check.postgres, check.redis]."))
		return
	}
	for _, item := range items {
		use, ok := l.checkUse(item, "\"checks\" names checks")
		if !ok {
			continue
		}
		a.Checks = append(a.Checks, use)
		l.checkUses = append(l.checkUses, checkUse{CheckUse: use, all: true})
	}
}

// checkUse reads check.x or check.x[KEY].
func (l *loader) checkUse(expr hcl.Expression, what string) (CheckUse, bool) {
	if index, ok := expr.(*hclsyntax.IndexExpr); ok {
		if of, ok := index.Collection.(*hclsyntax.ScopeTraversalExpr); ok && of.Traversal.RootName() == "check" && len(of.Traversal) == 2 {
			name, ok := stepName(of.Traversal[1])
			return CheckUse{Name: name, Key: index.Key, Range: expr.Range()}, ok
		}
	}
	if t, diags := hcl.AbsTraversalForExpr(expr); !diags.HasErrors() && len(t) == 3 && t.RootName() == "check" {
		if key, ok := t[2].(hcl.TraverseIndex); ok {
			name, ok := stepName(t[1])
			return CheckUse{Name: name, Key: &hclsyntax.LiteralValueExpr{Val: key.Key, SrcRange: key.SrcRange}, Range: expr.Range()}, ok
		}
	}
	name, ok := l.bare(expr, "check", what)
	return CheckUse{Name: name, Range: expr.Range()}, ok
}

// bare reads a reference such as step.x or check.x with nothing after the name.
func (l *loader) bare(expr hcl.Expression, root, what string) (string, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if !diags.HasErrors() && len(t) > 1 && t.RootName() == root {
		name, ok := stepName(t[1])
		if ok && len(t) == 2 {
			return name, true
		}
		if _, indexed := t[len(t)-1].(hcl.TraverseIndex); ok && indexed && len(t) == 3 && root == "step" {
			l.add(diag.InvalidReference.At(expr.Range(), "Edges join steps, not their instances: write step.%s. All of its instances have ended then.", name))
			return "", false
		}
	}
	l.add(diag.InvalidReference.At(expr.Range(), "%s, such as %s.NAME, without quotes and without an attribute.", what, root))
	return "", false
}
