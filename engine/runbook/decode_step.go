package runbook

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// dependency is one entry of depends_on.
type dependency struct {
	name string
	at   hcl.Range
}

// stepBody is what edges and rules need of a step beyond its contract.
type stepBody struct {
	step    *Step
	written bool // without depends_on: comes after all that is written above
	depends []dependency
	uses    []stepUse
}

func (l *loader) decodeStep(block *hclsyntax.Block) {
	body := block.Body
	name, ok := l.label(block, "name")
	l.checkWords(body, stepBlock)
	s := &Step{
		Name:        name,
		Title:       l.text(body, "title"),
		Description: l.text(body, "description"),
		Always:      l.boolean(body, "always", false),
		NoReturn:    l.boolean(body, "point_of_no_return", false),
		OnFailure:   l.rb.OnFailure,
		Range:       block.DefRange(),
	}
	if attr := body.Attributes["when"]; attr != nil {
		s.When = attr.Expr
	}
	if attr := body.Attributes["for_each"]; attr != nil {
		s.ForEach = attr.Expr
	}
	if n, at, ok := l.number(body, "max_parallel", 1, maxInstances); ok {
		if s.MaxParallel = int(n); s.ForEach == nil {
			l.add(diag.Conflict.At(at, "\"max_parallel\" is how many instances of a for_each are at work at once, and this step has none."))
		}
	}
	if attr := body.Attributes["limit"]; attr != nil {
		s.Limit = attr.Expr
	}
	if d := l.duration(body, "timeout", false); d != nil {
		s.Timeout = *d
	}
	if said := l.choice(body, stepBlock.argument("on_failure")); said != "" {
		s.OnFailure = OnFailure(said)
	}
	sb := stepBody{step: s, written: true}
	if attr := body.Attributes["depends_on"]; attr != nil {
		sb.written = false
		sb.depends = l.dependsOn(attr.Expr)
	}
	l.decodeStepBlocks(s, body)
	if ok && l.declare("step", name, s.Range) {
		s.Index = len(l.rb.Steps)
		l.rb.Steps = append(l.rb.Steps, s)
		l.bodies = append(l.bodies, sb)
		l.steps[name] = s
	}
}

func (l *loader) decodeStepBlocks(s *Step, body *hclsyntax.Body) {
	names := map[string]hcl.Range{}
	for _, b := range body.Blocks {
		switch b.Type {
		case "action", "probe":
			op := l.decodeOperation(b)
			if l.taken(s, b) {
				continue
			}
			if b.Type == "action" {
				s.Action = op
			} else {
				s.Probe = op
			}
		case "call":
			call := l.decodeCall(s, b)
			if !l.taken(s, b) {
				s.Call = call
			}
		case "retry":
			l.decodeRetry(s, b)
		case "approval":
			l.decodeApproval(s, b)
		case "fallback":
			l.decodeFallback(s, b)
		case "rollback":
			l.decodeRollback(s, b)
		case "precondition", "goal", "verify":
			a, ok := l.decodeAssertion(b)
			if !ok {
				continue
			}
			key := b.Type + " " + a.Name
			if first, ok := names[key]; ok {
				l.add(diag.Duplicate.At(b.DefRange(), "The step already has a %s %q at %s.", b.Type, a.Name, place(first)))
				continue
			}
			names[key] = b.DefRange()
			a.Place = s.Address() + "." + b.Type + "." + a.Name
			switch b.Type {
			case "precondition":
				s.Preconditions = append(s.Preconditions, a)
			case "goal":
				s.Goals = append(s.Goals, a)
			case "verify":
				s.Verifies = append(s.Verifies, a)
			}
		}
	}
	l.checkStepRules(s, body)
}

// taken reports a second thing that a step is to do.
func (l *loader) taken(s *Step, b *hclsyntax.Block) bool {
	what, at := "", hcl.Range{}
	switch op := s.Operation(); {
	case op != nil:
		what, at = op.Type(), op.Range
	case s.Call != nil:
		what, at = "a call", s.Call.Range
	default:
		return false
	}
	l.add(diag.Conflict.At(b.DefRange(), "The step already has %s at %s. A step does one thing: give this one a step of its own.", what, place(at)))
	return true
}

// decodeRetry decodes a step's retry, of which there is at most one.
func (l *loader) decodeRetry(s *Step, block *hclsyntax.Block) {
	l.noLabel(block)
	body := block.Body
	l.checkWords(body, retryBlock)
	if s.Retry != nil {
		l.add(diag.Duplicate.At(block.DefRange(), "The step already has a retry at %s.", place(s.Retry.Range)))
		return
	}
	r := &Retry{Delay: DefaultRetryDelay, Factor: DefaultRetryFactor, MaxDelay: DefaultRetryMaxDelay, Range: block.DefRange()}
	if l.required(block, "attempts") != nil {
		if n, at, ok := l.number(body, "attempts", 1, maxAttempts); ok {
			if r.Attempts = int(n); r.Attempts < 2 {
				l.add(diag.InvalidArgument.At(at, "\"attempts\" counts every try, the first one too: less than 2 retries nothing."))
			}
		}
	}
	if d := l.duration(body, "delay", true); d != nil {
		r.Delay = *d
		r.MaxDelay = max(r.MaxDelay, r.Delay)
	}
	if d := l.duration(body, "max_delay", false); d != nil {
		r.MaxDelay = *d
	}
	if n, _, ok := l.number(body, "factor", 1, 100); ok {
		r.Factor = n
	}
	if n, _, ok := l.number(body, "jitter", 0, 1); ok {
		r.Jitter = n
	}
	if attr := body.Attributes["when"]; attr != nil {
		r.When = attr.Expr
	}
	s.Retry = r
}

// decodeApproval decodes a step's approval, of which there is at most one.
func (l *loader) decodeApproval(s *Step, block *hclsyntax.Block) {
	l.noLabel(block)
	body := block.Body
	l.checkWords(body, approvalBlock)
	if s.Approval != nil {
		l.add(diag.Duplicate.At(block.DefRange(), "The step already has an approval at %s.", place(s.Approval.Range)))
		return
	}
	a := &Approval{Count: 1, Range: block.DefRange()}
	for name, into := range map[string]*hcl.Expression{"message": &a.Message, "when": &a.When, "approvers": &a.Approvers} {
		if attr := body.Attributes[name]; attr != nil {
			*into = attr.Expr
		}
	}
	if n, _, ok := l.number(body, "count", 1, maxApprovals); ok {
		a.Count = int(n)
	}
	if d := l.duration(body, "timeout", false); d != nil {
		a.Timeout = *d
	}
	s.Approval = a
}

// maxApprovals bounds how many people have to agree.
const maxApprovals = 100

// maxInstances bounds how many instances of a step are at work at once.
const maxInstances = 10_000

// maxAttempts bounds what is still a retry.
const maxAttempts = 100

// checkStepRules reports blocks and arguments of a step that do not go together.
func (l *loader) checkStepRules(s *Step, body *hclsyntax.Body) {
	hasAction, hasProbe, hasCall := false, false, false
	for _, b := range body.Blocks {
		hasAction = hasAction || b.Type == "action"
		hasProbe = hasProbe || b.Type == "probe"
		hasCall = hasCall || b.Type == "call"
	}
	if !hasAction {
		for _, g := range s.Goals {
			if hasCall {
				break
			}
			d := diag.Conflict.At(g.Range, "A goal is what an action or a call is for, and this step has neither. To prove something without doing anything, write verify %q instead.", g.Name)
			l.add(diag.WithSuggestion(d, "verify"))
		}
		if s.Retry != nil {
			l.add(diag.Conflict.At(s.Retry.Range, "A retry tries an action again, and this step has none. To look again until something holds, write within in its assertion."))
		}
		if s.Timeout > 0 && !hasProbe && !hasCall {
			l.add(diag.Conflict.At(body.Attributes["timeout"].NameRange, "\"timeout\" bounds what a step does, and this step does nothing. To bound how long it is waited for, write within in its preconditions or verifications."))
		}
		for _, f := range s.Fallbacks {
			l.add(diag.Conflict.At(f.Range, "A fallback is done where an action has failed, and this step has none."))
		}
		if s.Rollback != nil {
			what := "does nothing"
			if hasCall {
				what = "calls a runbook, whose steps have rollbacks of their own"
			}
			l.add(diag.Conflict.At(s.Rollback.Range, "A rollback takes back what the step's action did, and this step %s.", what))
		}
		if s.NoReturn {
			l.add(diag.Conflict.At(body.Attributes["point_of_no_return"].NameRange, "After a point of no return nothing that was done before is taken back, and this step has no action that could be one."))
		}
		if s.Limit != nil {
			l.add(diag.Conflict.At(body.Attributes["limit"].NameRange, "\"limit\" bounds what an action may hit, and this step has no action."))
		}
	}
	if hasProbe && !hasAction {
		if s.Approval != nil {
			l.add(diag.Conflict.At(s.Approval.Range, "A step that captures a probe's answer takes no approval: looking changes nothing. Give the approval to the step that acts."))
		}
		for _, v := range s.Verifies {
			l.add(diag.Conflict.At(v.Range, "A step that captures a probe's answer takes no verify. Give the verify a step of its own, after this one."))
		}
	}
}

func (l *loader) dependsOn(expr hclsyntax.Expression) []dependency {
	items, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		l.add(diag.InvalidReference.At(expr.Range(), "\"depends_on\" takes a list of steps, such as [step.backup, step.restore]."))
		return nil
	}
	var deps []dependency
	seen := map[string]bool{}
	for _, item := range items {
		name, ok := l.bare(item, "step", "\"depends_on\" names steps")
		switch {
		case !ok:
		case seen[name]:
			l.add(diag.Duplicate.At(item.Range(), "step.%s is already in this list.", name))
		default:
			seen[name] = true
			deps = append(deps, dependency{name: name, at: item.Range()})
		}
	}
	return deps
}
