package apply

import (
	"slices"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/zclconf/go-cty/cty"
)

// began takes the beginning of an attempt from the record.
func (s *state) began(a *event.Attempt) {
	s.carried = s.last != nil && s.last.Key == a.Key && s.unclear()
	s.last = a
}

// came takes what an attempt came to.
func (s *state) came(a *event.Attempt) {
	s.last, s.carried = a, s.carried && a.Settled == "" && a.State != schema.Done
}

// unclear tells whether nobody knows what the last attempt came to, or one before
// it under the same key.
func (s *state) unclear() bool {
	return s.last != nil && (s.last.State == "" || s.last.State == schema.Unknown || s.carried && s.last.State != schema.Done)
}

// recall brings a step to where the record left it. What ended well stays; an
// attempt without an outcome is settled when the step's turn comes; all else
// starts at row 1.
func (r *run) recall(s *state) {
	events := r.past[s.address]
	delete(r.past, s.address)
	for _, e := range events {
		switch e.Type {
		case event.StepStarted:
			if e.Rollback == "" {
				s.startedAt = e.Time
			} else if s.step.Rollback != nil {
				s.rolling = true
			}
		case event.StepWaiting:
			if e.Attempt != nil && e.Attempt.Fallback != "" {
				s.reached = s.labelled(e.Attempt.Fallback)
			}
			if e.Question != nil {
				s.question = questionOf(e.Question)
			} else if e.WaitsFor == "person" && s.askedAt.IsZero() {
				s.askedAt = e.Time
			}
		case event.Observed:
			if s.remember(e.Observation); e.Observation.Kind == "approval" {
				s.recallApproval(e)
			}
		case event.ActionStarted:
			attempt := *e.Attempt
			s.doubtProof()
			s.follow()
			s.fallback = s.labelled(attempt.Fallback)
			s.reached, s.spared = s.fallback, false
			s.began(&attempt)
			s.attempts, s.inherited, s.askedAt = attempt.Number, true, time.Time{}
			s.intended(&attempt, e.Seq)
			if !attempt.TakesBack {
				s.status, s.endedAt = "", 0 // it had begun again
			}
			if attempt.ApprovedBy != "" {
				s.approve()
			}
			s.catchUp(r.opts.Run.ID)
		case event.ActionFinished:
			attempt := *e.Attempt
			s.doubtProof()
			s.came(&attempt)
			if s.question = nil; attempt.State == schema.Ask {
				s.answers = cty.NilVal
			}
			if !s.changed() {
				s.intentAt = 0
			}
			switch attempt.State {
			case schema.Done:
				if !attempt.TakesBack {
					s.result, s.unkept = recalled(decode(attempt.Result), attempt.Unkept), attempt.Unkept
					s.lost = s.result == cty.NilVal && attempt.Settled == ""
				}
			case schema.FailedClean, schema.FailedPartial:
				if !s.carried {
					s.generation++
				}
			}
		case event.StepFinished:
			s.status, s.finishedAt, s.reason, s.row = e.Status, e.Time, e.Message, e.Row
			if s.rolling || s.step.Call != nil && (e.Status == rolledBack || e.Status == rollbackFailed) {
				continue
			}
			s.ended = e.Status
			s.spared = (e.Status == failed || e.Status == blocked) && e.Rollback == ""
			if s.endedAt == 0 { // without a new attempt it has not ended anew
				s.endedAt = e.Seq
			}
		}
	}
	if len(events) > 0 && s.rolling && s.status != rolledBack { // it is taken up where it is taken back
		s.rolling = false
		if s.status != rollbackFailed {
			s.status = s.ended
		}
	}
	if len(events) > 0 && !s.keeps() {
		s.status, s.reason, s.finishedAt = "", "", time.Time{}
	}
}

// keeps tells whether a step's status stands over a resume: what ended well
// does, but gates are looked at again, and captures whose value was not kept.
func (s *state) keeps() bool {
	switch {
	case s.frame.kept:
		return true
	case s.frame.takenBack(): // it does not begin again
		return s.status != unknown
	case !ok(s.status):
		return false
	case s.status == skipped || s.step.Action != nil || s.step.Call != nil || s.step.Approval != nil:
		return true
	}
	return s.step.Probe != nil && s.result != cty.NilVal
}

// labelled is which of its fallbacks has a label; 0: none, or its own action.
func (s *state) labelled(label string) int {
	return slices.IndexFunc(s.step.Fallbacks, func(f *runbook.Fallback) bool { return f.Label == label }) + 1
}

// catchUp brings the generation to that of the last attempt's key: it may have
// changed without an outcome on record.
func (s *state) catchUp(run string) {
	for g := s.generation; g <= s.attempts; g++ {
		if Key(run, s.doer(), g) == s.last.Key {
			s.generation = g
			return
		}
	}
}

func (s *state) remember(o *event.Observation) {
	if o.TakesBack {
		return // that is looked at again
	}
	place := func(assertions []*runbook.Assertion, into *[]plan.Sighting) {
		for i, a := range assertions {
			if a.Name == o.Name {
				if *into == nil {
					*into = make([]plan.Sighting, len(assertions))
				}
				(*into)[i] = sighting(o)
			}
		}
	}
	switch o.Kind {
	case "goal":
		place(s.step.Goals, &s.goals)
	case "verify":
		place(s.step.Verifies, &s.verifies)
	case "capture":
		s.result = decode(o.Result)
	case "answer":
		s.recallAnswer(o)
	}
}

func sighting(o *event.Observation) plan.Sighting {
	s := plan.Sighting{Probe: o.Probe, Failure: o.Failure, Result: decode(o.Result)}
	s.Reason = o.Message
	switch {
	case o.Holds == nil:
		s.Truth = plan.Errs
	case *o.Holds:
		s.Truth = plan.Holds
	}
	return s
}

// goOn takes up a step that has an attempt on record. It tells whether the step
// has ended; if not, it starts at row 1.
func (r *run) goOn(t *task, s *state) bool {
	r.started(s)
	r.takeAnswer(s)
	s.question = nil
	claim, _ := r.exclusion.acquire(t, schema.Description{Effects: s.last.Effects, Undeclared: s.last.Undeclared})
	r.exclusion.finishActing(claim)
	defer r.exclusion.release(claim)
	if s.carried && s.last.State != schema.Done {
		return r.find(t, s, "an attempt before the last ended without a final word")
	}
	switch s.last.State {
	case schema.Done:
		if word, ok := r.opts.Resolve[s.address]; ok {
			delete(r.opts.Resolve, s.address)
			return r.resolved(t, s, word)
		}
		if s.last.Result == nil && s.result == cty.NilVal {
			r.warn("the result of " + s.address + " was not kept in the record")
		}
		if r.regain(t, s) == leave {
			return true
		}
		return r.prove(t, s, 24)
	case schema.Ask:
		return false
	case schema.FailedClean:
		s.again()
		return false
	case schema.FailedPartial:
		if word, ok := r.opts.Resolve[s.address]; ok {
			delete(r.opts.Resolve, s.address)
			return r.resolved(t, s, word)
		}
		if s.last.Settled == "person" && s.last.Failure.Code == wantedAgain {
			return false
		}
		if fallsBack := !s.rolling && s.fallback < len(s.step.Fallbacks); keyed(s.last.Settling) && s.same() || fallsBack {
			s.again()
			return false
		}
		reason := "it failed and may have changed something"
		if s.last.Failure != nil {
			reason = s.last.Failure.Error()
		}
		r.end(s, failed, 24, reason+"; to act again: `"+s.resolve(ResolveRetry)+"`")
		return true
	}
	return r.find(t, s, "the engine went away in mid-action")
}
