package apply

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// past is what the record says of a step, row 24, until it is taken up.
type past []*event.Event

// replay reads the record of earlier processes. What it says of a step is taken
// up by recall.
func (r *run) replay(history []event.Event) {
	if len(history) == 0 {
		return
	}
	if r.opts.TakeBack {
		r.root.backAt = math.MaxInt64 // all that is on record
	}
	sightings := make(map[string]map[string]plan.Sighting) // by frame and check
	asked := askedIn(history)
	var causes []*event.Event // because of which what was done is taken back
	for i := range history {
		e := &history[i]
		r.seq = max(r.seq, e.Seq)
		if e.Rollback != "" && e.Type == event.StepFinished {
			causes = append(causes, e)
		}
		switch {
		case e.Type == event.RunStarted && e.Start.TakeBack:
			r.opts.Start.TakeBack, r.opts.TakeBack = true, true
			if r.root.backAt == 0 {
				r.root.backAt = e.Seq
			}
			continue
		case e.Type == event.Observed && e.Observation.Kind == "check":
			if sightings[e.Step] == nil {
				sightings[e.Step] = make(map[string]plan.Sighting)
			}
			sightings[e.Step][e.Observation.Name] = sighting(e.Observation)
			continue
		case e.Step == "":
			continue
		case e.Type == event.ActionStarted && !asked[attemptOf(e)]:
			r.intended(e.Attempt, 1)
			r.enter(e.Step)
		}
		if r.past[e.Step] == nil {
			r.instance(e.Step)
		}
		r.overtake(e.Step)
		r.past[e.Step] = append(r.past[e.Step], e)
	}
	r.abandon(history)
	r.bringBack(causes)
	for _, f := range r.root.all() {
		if r.acted() {
			f.diagnosis = plan.NewDiagnosis(f.linked, sightings[f.linked.Address])
		}
		if f.outer != nil && f.late > 0 {
			f.stop("an always step has run after " + f.linked.Address + " stopped: start over with `runbook apply`")
		}
	}
	for _, s := range r.root.steps {
		r.recall(s)
	}
	if r.root.late > 0 {
		r.root.stop("an always step has run after the run stopped: start over with `runbook apply`")
	}
	r.opts.Start.Resumed = true
}

// bringBack has what was done taken back where that was decided on record, or a
// person wants it now.
func (r *run) bringBack(causes []*event.Event) {
	if r.opts.TakeBack {
		r.root.back = event.RollbackByHand
		r.root.stop("the run is taken back")
	}
	for _, e := range causes {
		at, err := address.Parse(e.Rollback)
		if err != nil {
			continue // by hand
		}
		of := "" // the frame of the step
		if parts := at.Parts(); len(parts) > 1 {
			of = address.Of(parts[:len(parts)-1]...).String()
		}
		for _, f := range r.root.all() {
			if f.back == "" && f.linked.Address == of {
				f.back, f.backAt = e.Rollback, e.Seq
				f.stop(stopped(e.Rollback, e.Status) + ": " + e.Message)
			}
		}
	}
}

// attempt names an attempt in the record.
type attempt struct {
	step   string
	number int
}

func attemptOf(e *event.Event) attempt { return attempt{e.Step, e.Attempt.Number} }

// askedIn are the attempts that came to no more than a question.
func askedIn(history []event.Event) map[attempt]bool {
	asked := map[attempt]bool{}
	for i := range history {
		if e := &history[i]; e.Type == event.ActionFinished && e.Attempt.State == schema.Ask {
			asked[attemptOf(e)] = true
		}
	}
	return asked
}

// instance notes the first word of an instance.
func (r *run) instance(step string) {
	if !strings.HasSuffix(step, "]") {
		return
	}
	at, err := address.Parse(step)
	if err != nil {
		return
	}
	parts := at.Parts()
	last := parts[len(parts)-1]
	whole := address.Of(append(slices.Clone(parts[:len(parts)-1]), address.Part{Name: last.Name})...).String()
	r.keys[whole] = append(r.keys[whole], last.Key)
}

// overtake forgets how steps with a for_each had ended that did not come to their
// instances, once there is word of an instance, or of what one calls.
func (r *run) overtake(step string) {
	for at := 0; ; at++ {
		next := strings.IndexByte(step[at:], '[')
		if next < 0 {
			return
		}
		at += next
		delete(r.past, step[:at])
	}
}

// enter notes that a step has an attempt on record: of which step it is an
// instance, and which calls it is part of.
func (r *run) enter(step string) {
	at, err := address.Parse(step)
	if err != nil {
		return
	}
	for parts := at.Parts(); len(parts) > 0; parts = parts[:len(parts)-1] {
		if len(parts) < len(at.Parts()) {
			r.calls[address.Of(parts...).String()] = true
		}
		last := parts[len(parts)-1]
		if last.Which != address.One {
			continue
		}
		key := last.Key
		of := address.Of(append(slices.Clone(parts[:len(parts)-1]), address.Part{Name: last.Name})...).String()
		if !slices.Contains(r.begun[of], key) {
			r.begun[of] = append(r.begun[of], key)
		}
	}
}

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
