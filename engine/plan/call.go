package plan

import (
	"context"
	"slices"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// standCall decides the steps that a step calls, and from them the step itself:
// it is the first of blocked, deferred, run and satisfied that one of them is.
// Where the step itself does not come to calling, neither do they.
func (l *level) standCall(ctx context.Context, s *standing, d Decision, pending string) Decision {
	inner := l.called[s.said.Address]
	inner.inside = s
	s.pending = pending
	if d.Verdict != Run {
		inner.keepOut(ctx, d)
		return d
	}
	for _, step := range Ordered(inner.frame.Runbook) {
		inner.steps[step.Name] = inner.stand(ctx, step)
	}
	decided := Decision{Row: d.Row, Verdict: Satisfied, Tentative: d.Tentative, Asks: d.Asks, Reason: "all of its steps are satisfied or skipped"}
	if len(s.step.Verifies) > 0 {
		decided.Verdict, decided.Reason = Run, "verifies "+names(s.step.Verifies)
	}
	var from *standing
	inner.own(func(step *standing) {
		s.pending = either(s.pending, step.pending)
		decided.Tentative = decided.Tentative || step.said.Tentative
		if rank(step) < rank(from) {
			from = step
		}
	})
	if from != nil {
		decided.Row, decided.Verdict = from.said.Row, Verdict(from.said.Decision)
		decided.Reason = from.said.Address + ": " + from.said.Reason
		s.said.From = from.said.Address
	}
	return decided
}

// calling is the order in which the decisions of steps decide the step that
// calls them.
var calling = [...]Verdict{Block, Deferred, Run}

// rank is lower the more a step's decision weighs for its caller.
func rank(s *standing) int {
	if s == nil {
		return len(calling)
	}
	at := slices.Index(calling[:], Verdict(s.said.Decision))
	if at < 0 || at == 0 && s.bad == "" { // a block that is ignored
		return len(calling)
	}
	return at
}

// own visits the steps of this level, but not what they call.
func (l *level) own(visit func(*standing)) {
	for _, step := range l.frame.Runbook.Steps {
		if n := l.steps[step.Name]; n != nil {
			for _, s := range n.instances {
				visit(s)
			}
		}
	}
}

// begun tells whether the steps of this level were decided by themselves.
func (l *level) begun() bool { return l.inside != nil && l.inside.said.From == "" && !l.kept }

// keepOut decides the steps of a call that does not come to calling.
func (l *level) keepOut(ctx context.Context, d Decision) {
	l.kept = true
	out := Decision{Row: d.Row, Verdict: d.Verdict, Tentative: d.Tentative, Reason: "it is part of " + l.inside.said.Address + ", which is " + string(d.Verdict)}
	switch d.Verdict {
	case Satisfied:
		out.Row, out.Verdict = 4, Skipped
	case Block:
		out.Row = 1
	}
	for _, step := range l.frame.Runbook.Steps {
		address := step.Address()
		if step.ForEach != nil && d.Verdict == Deferred {
			address = step.Unknown()
		}
		s := l.newStanding(step, address)
		n := &node{step: step, known: step.ForEach == nil}
		if inner := l.called[s.said.Address]; step.Call != nil && inner != nil {
			inner.inside = s
			inner.keepOut(ctx, out)
		}
		l.settle(ctx, s, out, Facts{Pending: l.inside.pending}, &looker{level: l, standing: s})
		n.add(s)
		l.steps[step.Name] = n
	}
}

// Worst is the status of several instances together: of those that ended badly
// the worst, else done before satisfied before skipped. Of none it is skipped.
func Worst(statuses []string) string {
	for _, status := range runbook.Statuses() {
		if slices.Contains(statuses, status) {
			return status
		}
	}
	return string(Skipped)
}
