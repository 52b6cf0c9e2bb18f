package apply

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// action is what a step does when its turn comes: its own action, the fallback
// that has its turn, or its rollback's.
func (s *state) action() *runbook.Operation {
	switch {
	case s.rolling:
		return s.step.Rollback.Action
	case s.fallback > 0:
		return s.step.Fallbacks[s.fallback-1].Action
	}
	return s.step.Action
}

// label is that of the fallback that has its turn; empty: none has.
func (s *state) label() string {
	if s.rolling || s.fallback == 0 {
		return ""
	}
	return s.step.Fallbacks[s.fallback-1].Label
}

// doer names which of the step's actions has its turn.
func (s *state) doer() string {
	switch {
	case s.rolling:
		return plan.RollbackAddress(s.address)
	case s.fallback > 0:
		return plan.FallbackAddress(s.address, s.label())
	}
	return s.address
}

// at says for whom a backend is called.
func (s *state) at(ctx context.Context) context.Context {
	ctx = plan.At(ctx, s.address)
	if doer := s.doer(); doer != s.address {
		ctx = plan.At(ctx, doer)
	}
	return ctx
}

// sees is what is in scope where its action is evaluated.
func (s *state) sees() eval.Extra {
	x := s.extra
	if s.rolling {
		x.Self = s.resultOrNull()
	}
	return x
}

// halted is why it does not act any more; empty: nothing stands in its way.
func (s *state) halted() string {
	if s.step.Always || s.rolling {
		return ""
	}
	return s.frame.halted()
}

// fallBack gives the next fallback its turn, at row 14. False: there is none, or
// it must not be tried: nobody knows what the last attempt did, the step's time is
// up, or nothing new starts any more.
func (r *run) fallBack(s *state, why string) bool {
	late := s.clocked && s.step.Timeout > 0 && s.actLeft <= 0
	if s.rolling || s.open != "" || late || s.fallback == len(s.step.Fallbacks) || s.halted() != "" {
		return false
	}
	s.fallback++
	s.onward, s.tries = true, 0
	s.doubtProof()
	s.failure = &schema.Failure{Message: why}
	return true
}

// doubtProof keeps that a step which is to act again was done before: its goals
// hold, perhaps, but not all that was to prove it.
func (s *state) doubtProof() {
	s.unproved = s.unproved || s.last != nil && s.last.State == schema.Done && !s.last.TakesBack
}

// unfallen names the fallback that a step which failed has left untried.
func (s *state) unfallen() string {
	if s.rolling || s.fallback == len(s.step.Fallbacks) {
		return ""
	}
	return "; its fallback " + s.step.Fallbacks[s.fallback].Label + " was not tried"
}

// again picks what a resume does where the last attempt failed for certain: the
// same again where it was cut off and is found to have changed nothing, or is to be
// retried, else the next fallback. Once all have had
// their turn it is the last one's again, or, where none has changed anything, the
// step's own action.
func (s *state) again() {
	switch {
	case s.reached > s.fallback: // it waited for a person
		s.fallback = s.reached
	case s.last.Settled == "settle" && s.last.State == schema.FailedClean:
	case s.rolling || s.step.Retry != nil && (s.last.State == schema.FailedClean || keyed(s.last.Settling)):
	case s.fallback < len(s.step.Fallbacks):
		s.fallback++
	case !s.changed():
		s.fallback = 0
	}
}

// changed tells whether what a step did may have changed something: an attempt
// did not fail clean. How it was taken back does not count.
func (s *state) changed() bool {
	return s.touched || s.last != nil && !s.last.TakesBack && s.last.State != schema.FailedClean && s.last.State != schema.Ask
}

// follow keeps of the last attempt what counts once there is another.
func (s *state) follow() {
	if s.last != nil && !s.last.TakesBack && s.changed() {
		s.mutated = s.mutated || mutates(s.last)
	}
	s.touched = s.changed()
}

// approve keeps that a step's rollback was approved with it.
func (s *state) approve() {
	if s.last.WayBack != nil {
		s.approved = s.last.WayBack
	}
}

// same tells whether the last attempt was of the action that has its turn: of
// another one, in a runbook that was changed since, nothing can be said or repeated.
func (s *state) same() bool {
	return s.last.Action == s.action().Type() && s.last.Fallback == s.label() && s.last.TakesBack == s.rolling
}

// wayBack describes a step's rollback before the step acts; nil: it has none.
// What cannot be described is found out when it is needed.
func (r *run) wayBack(ctx context.Context, s *state) *event.WayBack {
	if s.step.Rollback == nil || s.rolling {
		return nil
	}
	x := s.extra
	x.Self = cty.DynamicVal
	back := &event.WayBack{Action: s.step.Rollback.Action.Type()}
	d, _, _, err := s.frame.observer.Describe(plan.At(plan.At(ctx, s.address), plan.RollbackAddress(s.address)), s.step.Rollback.Action, x)
	if err != nil {
		return back
	}
	back.Effects, back.Destructive, back.Undeclared, back.Command = d.Effects, d.Destructive, d.Undeclared, plan.Shell(d.Command)
	return back
}
