package runbook

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func (l *loader) visitStep(s *Step) {
	sc := scope{owner: "step " + s.Name, place: "a step", step: s}
	if s.ForEach != nil {
		over := sc
		over.place = "a for_each"
		l.visitForEach(s, l.visit(s.ForEach, over))
		sc.each = true
	}
	l.visitCall(s, sc)
	if s.When != nil {
		when := sc
		when.place, when.when = "a when", true
		l.visit(s.When, when)
	}
	if s.Limit != nil {
		l.visit(s.Limit, sc)
	}
	if s.Approval != nil {
		asking := sc
		asking.place = "an approval"
		for _, expr := range []hcl.Expression{s.Approval.Message, s.Approval.When, s.Approval.Approvers} {
			if expr != nil {
				l.visit(expr, asking)
			}
		}
	}
	if s.Retry != nil && s.Retry.When != nil {
		again := sc
		again.place, again.failed = "a retry", true
		l.visit(s.Retry.When, again)
	}
	for _, op := range []*Operation{s.Action, s.Probe} {
		l.visitOperation(op, sc)
	}
	for _, f := range s.Fallbacks {
		l.visitOperation(f.Action, sc)
	}
	l.visitRollback(s, sc)
	for _, a := range s.Preconditions {
		l.visitAssertion(a, sc)
	}
	for _, a := range s.Goals {
		l.visitAssertion(a, sc)
	}
	for _, a := range s.Verifies {
		verify := sc
		verify.self = true
		l.visitAssertion(a, verify)
	}
}

// visitRollback looks at what a rollback refers to: to what is known once its
// step has acted, whether it got to the end or not.
func (l *loader) visitRollback(s *Step, sc scope) {
	if s.Rollback == nil {
		return
	}
	sc.place, sc.self, sc.back = "a rollback", true, true
	l.visitOperation(s.Rollback.Action, sc)
	for _, v := range s.Rollback.Verifies {
		l.visitAssertion(v, sc)
	}
}

func (l *loader) visitOperation(op *Operation, sc scope) {
	if op == nil {
		return
	}
	l.use(sc.owner, "provider "+op.Ref)
	l.visitBody(op.Body, sc)
}

func (l *loader) visitAssertion(a *Assertion, sc scope) {
	if a.Kind != "check" && !sc.back {
		sc.place = "a " + a.Kind
	}
	l.visitOperation(a.Probe, sc)
	for _, use := range a.Checks {
		l.use(sc.owner, "check "+use.Name)
		if use.Key != nil {
			l.visit(use.Key, sc)
		}
	}
	sc.result = a.Probe != nil || len(a.Checks) > 0 && !a.All
	for _, expr := range []hcl.Expression{a.Assert, a.Message} {
		if expr != nil {
			l.visit(expr, sc)
		}
	}
}

func (l *loader) visitBody(body hcl.Body, sc scope) {
	for _, attr := range SortedAttributes(body.(*hclsyntax.Body)) {
		l.visit(attr.Expr, sc)
	}
}
