package apply

import (
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// replay brings every step to where the record left it, row 24. What ended well
// stays; an attempt without an outcome is settled when the step's turn comes;
// all else starts at row 1.
func (r *run) replay(history []event.Event) {
	if len(history) == 0 {
		return
	}
	byAddress := make(map[string]*state, len(r.steps))
	for _, s := range r.steps {
		byAddress[s.address] = s
	}
	sightings := make(map[string]plan.Sighting)
	for i := range history {
		e := &history[i]
		r.seq = max(r.seq, e.Seq)
		if e.Type == event.Observed && e.Step == "" {
			sightings[e.Observation.Name] = sighting(e.Observation)
			continue
		}
		s := byAddress[e.Step]
		if s == nil {
			continue
		}
		switch e.Type {
		case event.StepStarted:
			s.startedAt = e.Time
		case event.Observed:
			s.remember(e.Observation)
		case event.ActionStarted:
			r.acted = true
			attempt := *e.Attempt
			s.carried = s.last != nil && s.last.Key == attempt.Key && (s.carried || s.last.State == "" || s.last.State == schema.Unknown)
			s.last, s.attempts, s.inherited = &attempt, attempt.Number, true
			s.catchUp(r.opts.Run.ID)
			r.over = r.over || attempt.AfterStop
		case event.ActionFinished:
			attempt := *e.Attempt
			s.last = &attempt
			s.carried = s.carried && attempt.Settled == "" && attempt.State != schema.Done
			switch attempt.State {
			case schema.Done:
				s.result = decode(attempt.Result)
			case schema.FailedClean, schema.FailedPartial:
				if !s.carried {
					s.generation++
				}
			}
		case event.StepFinished:
			s.status, s.finishedAt, s.reason = e.Status, e.Time, e.Message
		}
	}
	if r.acted {
		r.diagnosis = plan.Restore(sightings)
	}
	for _, s := range r.steps {
		if s.keeps() {
			continue
		}
		s.status, s.reason, s.finishedAt = "", "", time.Time{}
	}
	if r.over {
		r.stop("an always step has run after the run stopped: start over with `runbook apply`")
	}
	r.opts.Start.Resumed = true
}

// keeps tells whether a step's status stands over a resume: what ended well
// does, but gates are looked at again, and captures whose value was not kept.
func (s *state) keeps() bool {
	switch {
	case !ok(s.status):
		return false
	case s.status == skipped || s.step.Action != nil:
		return true
	}
	return s.step.Probe != nil && s.result != cty.NilVal
}

// catchUp brings the generation to that of the last attempt's key. A person's
// "retry" changes the key without leaving an outcome on record.
func (s *state) catchUp(run string) {
	for g := s.generation; g <= s.attempts; g++ {
		if Key(run, s.address, g) == s.last.Key {
			s.generation = g
			return
		}
	}
}

func (s *state) remember(o *event.Observation) {
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
	claim, _ := r.exclusion.acquire(t, schema.Description{Effects: s.last.Effects})
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
		r.prove(t, s, 24)
		return true
	case schema.FailedClean:
		return false
	case schema.FailedPartial:
		if word, ok := r.opts.Resolve[s.address]; ok {
			delete(r.opts.Resolve, s.address)
			return r.resolved(t, s, word)
		}
		if keyed(s.last.Settling) {
			return false
		}
		reason := "it failed and may have changed something"
		if s.last.Failure != nil {
			reason = s.last.Failure.Error()
		}
		r.end(s, failed, 24, reason+"; to act again: `--resolve "+s.address+"=retry`")
		return true
	}
	return r.find(t, s, "the engine went away in mid-action")
}
