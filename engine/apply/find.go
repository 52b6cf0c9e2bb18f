package apply

import (
	"fmt"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// The answers of Options.Resolve.
const (
	ResolveDone  = "done"
	ResolveRetry = "retry"
	ResolveFail  = "fail"
)

// wantedAgain is the code of a failure by which a person ended an attempt so that
// there is another.
const wantedAgain = "wanted_again"

// freePause is how long to wait before an attempt's lock is looked at again;
// settleTimeout bounds one Settle; orphanWait is how long an orphan is waited
// for where its step has no timeout of its own.
const (
	freePause     = 200 * time.Millisecond
	settleTimeout = 10 * time.Second
	orphanWait    = 30 * time.Second
)

// find settles an unknown outcome, row 23: attempt lock, a person's word where
// there is one, goal, the provider's Settle, the action's class. It tells
// whether the step has ended; if not, its action may be done again from row 1.
func (r *run) find(t *task, s *state, why string) bool {
	s.open = why
	wait := s.step.Timeout
	if wait == 0 {
		wait = orphanWait
	}
	deadline := r.clock.Now().Add(wait)

	if held := r.awaitFree(t, s, deadline); held != "" {
		r.orphans = append(r.orphans, orphan{s.address, s.last})
		r.end(s, unknown, 23, why+"; "+held)
		return true
	}
	if word, ok := r.opts.Resolve[s.address]; ok {
		delete(r.opts.Resolve, s.address) // a person's word holds once
		return r.resolved(t, s, word)
	}
	if len(s.step.Goals) > 0 && !s.rolling {
		if r.willWait(s) {
			r.waiting(s, "observation", why+": whether its goals hold is looked at, each within its time")
		}
		goals := make([]plan.Sighting, len(s.step.Goals))
		r.until(t, s, s.step.Goals, goals, s.extra)
		if holding(goals) {
			r.ended(s, schema.Outcome{State: schema.Done}, time.Time{}, "goal")
			return r.prove(t, s, 23)
		}
	}
	outcome := r.askProvider(t, s, deadline)
	switch outcome.State {
	case schema.Done:
		r.ended(s, outcome, time.Time{}, "settle")
		return r.prove(t, s, 23)
	case schema.FailedClean:
		r.ended(s, outcome, time.Time{}, "settle")
		if s.inherited && r.mayRepeat(s) {
			s.again() // as for an attempt that is on record as clean
			return false
		}
		return r.failedAt(s, 21, word(outcome)+" (found: nothing was changed)")
	case schema.FailedPartial:
		r.ended(s, outcome, time.Time{}, "settle")
		return r.failedAt(s, 22, word(outcome))
	case schema.Running:
		r.end(s, unknown, 23, why+"; the backend is still at work on it: "+word(outcome))
		return true
	}
	// Again at most once in one process: a provider that dies every time must
	// not be fed for ever.
	if keyed(s.last.Settling) && s.same() && s.repeated < r.repeats(s) && r.mayRepeat(s) {
		s.repeated++
		return false
	}
	reason := fmt.Sprintf("%s; nobody knows whether it was done: %s", why, r.settleHint(s))
	r.end(s, unknown, 23, reason)
	return true
}

// mayRepeat tells whether a step may act once more: nothing keeps it from that, an
// always step neither.
func (r *run) mayRepeat(s *state) bool {
	if s.rolling {
		return !s.frame.isOver() || r.opts.TakeBack
	}
	return s.frame.halted() == ""
}

// settleHint is what a person does about an outcome that only a person knows.
func (r *run) settleHint(s *state) string {
	return fmt.Sprintf("look at the system, then `runbook resume %s %s`", r.opts.Run.ID, s.resolve(ResolveDone+"|"+ResolveRetry+"|"+ResolveFail))
}

// resolve is the flag that says a person's word of a step, as a shell takes it.
func (s *state) resolve(word string) string {
	said := s.address + "=" + word
	if strings.ContainsRune(s.address, '[') {
		said = "'" + strings.ReplaceAll(said, "'", `'\''`) + "'"
	}
	return "--resolve " + said
}

// repeats is how often one process does an action again whose outcome is unknown.
func (r *run) repeats(s *state) int {
	if s.step.Retry != nil {
		return s.step.Retry.Attempts - 1
	}
	return 1
}

// awaitFree waits until nobody works at the last attempt any more; what it
// returns says who still does.
func (r *run) awaitFree(t *task, s *state, deadline time.Time) string {
	for told := false; ; {
		var free bool
		var err error
		if failed := t.call(func() { free, err = r.opts.Record.AttemptFree(s.last.Lock) }); failed != nil {
			return failed.Error()
		}
		switch {
		case err != nil:
			return fmt.Sprintf("whether attempt %d still works cannot be told: %s", s.last.Number, err)
		case free:
			return ""
		case !r.clock.Now().Before(deadline):
			return fmt.Sprintf("attempt %d still works: `fuser -v %s` names the processes; once they have ended, `runbook resume %s`",
				s.last.Number, s.last.Lock, r.opts.Run.ID)
		}
		if !told {
			told = true
			r.waiting(s, "observation", fmt.Sprintf("until nobody works at attempt %d any more", s.last.Number))
		}
		if t.sleep(r.context(s), freePause) != nil {
			return "the wait for its last attempt was cut short"
		}
	}
}

func holding(goals []plan.Sighting) bool {
	for _, g := range goals {
		if g.Truth != plan.Holds {
			return false
		}
	}
	return true
}

// askProvider asks Settle, again while the backend is at work and there is time.
func (r *run) askProvider(t *task, s *state, deadline time.Time) schema.Outcome {
	var outcome schema.Outcome
	for {
		failed := t.call(func() { outcome = r.settleOnce(s) })
		if failed != nil || outcome.State != schema.Running || !r.clock.Now().Before(deadline) {
			return outcome
		}
		if t.sleep(r.context(s), freePause) != nil {
			return outcome
		}
	}
}

func (r *run) settleOnce(s *state) schema.Outcome {
	ctx := s.at(r.acts)
	if spec := r.spec(s); spec == nil || !spec.Settles || !s.same() {
		return schema.Outcome{State: schema.Unknown}
	}
	arguments, unknown, err := s.frame.observer.Arguments(ctx, s.action(), schema.Action, s.sees())
	if err != nil || len(unknown) > 0 {
		return schema.Outcome{State: schema.Unknown}
	}
	return r.opts.Backend.Settle(ctx, s.frame.linked.Ref(s.action().Ref), schema.Operation{
		Name: s.action().Name, Kind: schema.Action, Arguments: arguments,
		Handle: s.address, Key: s.last.Key, Timeout: settleTimeout,
	})
}

// resolved takes a person's word for an unknown outcome.
func (r *run) resolved(t *task, s *state, answer string) bool {
	switch answer {
	case ResolveDone:
		r.ended(s, schema.Outcome{State: schema.Done, Result: cty.NilVal}, time.Time{}, "person")
		return r.prove(t, s, 23)
	case ResolveRetry:
		if s.frame.isOver() && !s.step.Always && !r.opts.TakeBack {
			why := "it cannot be done again: " + s.frame.halted()
			if s.open != "" {
				r.end(s, unknown, 23, s.open+"; "+why)
			} else {
				r.end(s, failed, 24, why)
			}
			return true
		}
		s.doubtProof()
		// The person says that the attempt is over: the next one has a key of
		// its own. It is on record for a process that may have to begin it.
		r.ended(s, schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Code: wantedAgain, Message: "to be done again, says " + r.opts.Run.Operator}}, time.Time{}, "person")
		return false
	}
	r.ended(s, schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Code: "resolved", Message: "said to have failed by " + r.opts.Run.Operator}}, time.Time{}, "person")
	return r.failedAt(s, 22, "said to have failed by "+r.opts.Run.Operator)
}
