package apply

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// live takes a step, or each of its instances, from its first row to its status.
func (r *run) live(t *task, s *state) {
	if s.step.ForEach != nil {
		r.liveEach(t, s)
		return
	}
	r.liveOne(t, s)
}

// liveOne takes a step from its first row to its status. It returns with no status
// where the step waits for a person.
func (r *run) liveOne(t *task, s *state) {
	r.recall(s)
	if s.step.Call != nil && (s.status != "" || r.entered(s)) {
		r.call(t, s) // row 24: it goes on with its steps
		return
	}
	if s.status != "" { // it ended well in an earlier process
		_ = r.regain(t, s)
		return
	}
	if s.last != nil && !s.takenUp {
		if r.goOn(t, s) {
			return
		}
	}
	r.strive(t, s)
}

// strive decides and acts until the step has ended, or has to wait for a person, or
// for a resume.
func (r *run) strive(t *task, s *state) {
	for {
		if !r.hold(t, s) {
			return
		}
		a := r.decide(t, s)
		if s.status != "" {
			r.keepOut(s)
		}
		if a == nil {
			return // ended, or it waits
		}
		if r.act(t, s, a) {
			return
		}
		if s.question != nil {
			if r.put(t, s) == leave {
				return
			}
			continue
		}
		failure := s.retryable
		if r.retry(t, s) {
			continue
		}
		if s.status != "" || r.failed(s, failure) {
			return
		}
	}
}

// action is a step decided to act: everything its attempt needs.
type action struct {
	described schema.Description
	arguments cty.Value
	limits    schema.Impact
	wayBack   *event.WayBack // nil: there is none, or this is it
	wanted    *plan.Wanted   // the approval that it wants; nil: none
	claim     *claim
}

// decide walks the table from row 1. It returns an action that holds its claim,
// or nil where the step has ended, or waits for a person.
func (r *run) decide(t *task, s *state) (decided *action) {
	a := new(action)
	defer func() {
		if decided == nil && a.claim != nil {
			r.exclusion.release(a.claim)
		}
	}()
	facts := r.facts(s)
	if facts.Blocker == "" || s.step.Always {
		r.started(s)
	}
	for {
		d := plan.Decide(facts)
		switch d.Verdict {
		case plan.Look:
			if err := r.learn(t, s, d.Want, &facts, a); err != nil {
				r.end(s, interrupted, d.Row, err.Error())
				return nil
			}
			if r.cutShort(s) {
				return nil
			}
		case plan.Await:
			if a.claim != nil { // nothing is held while people, locks and systems are waited for
				r.exclusion.release(a.claim)
				a.claim = nil
			}
			switch r.await(t, s, d, &facts, a) {
			case restart:
				facts = r.facts(s)
			case leave:
				return nil
			}
		case plan.Run:
			switch {
			case s.step.Probe != nil:
				r.capture(s, facts)
				return nil
			case s.step.Call != nil:
				r.call(t, s)
				return nil
			case s.step.Action == nil:
				r.prove(t, s, d.Row)
				return nil
			}
			if r.opts.Unapproved && !s.rolling {
				r.end(s, blocked, 17, "it would act now, and nobody has said yes to it: when the run was planned there was nothing to do; plan again")
				return nil
			}
			if a.claim.is(a.described) {
				return a
			}
			if a.claim != nil {
				r.exclusion.release(a.claim)
			}
			var waited bool
			if a.claim, waited = r.exclusion.acquire(t, a.described); !waited {
				return a
			}
			// What was looked at is as old as the wait: back to row 1, holding
			// the claim.
			facts = r.facts(s)
		default:
			if d.Row == 15 && s.fallback > 0 && r.fallBack(s, d.Reason) {
				facts = r.facts(s)
				continue
			}
			if d.Verdict == plan.Deferred { // it reads what is on no record
				d.Verdict = plan.Block
			}
			r.end(s, string(d.Verdict), d.Row, d.Reason)
			return nil
		}
	}
}

// facts are those that a step starts with at row 1, or a fallback or a rollback
// at row 14.
func (r *run) facts(s *state) plan.Facts {
	f := plan.Facts{Phase: plan.Applying, Step: s.step, Onward: s.rolling || s.onward, Unproved: s.unproved}
	if !s.rolling {
		f.Blocker = r.before(s)
	}
	s.onward = false
	return f
}

func (r *run) started(s *state) {
	if s.startedAt.IsZero() {
		s.startedAt = r.clock.Now()
		r.say(event.Event{Type: event.StepStarted, Step: s.address, Title: s.step.Title})
	}
}

// cutShort ends a step whose looks were cut by an interrupt or the timeout; an
// always step by the second interrupt only, so that a resume still runs it.
func (r *run) cutShort(s *state) bool {
	if r.context(s).Err() == nil {
		return false
	}
	r.end(s, interrupted, 0, s.frame.halted())
	return true
}

func (r *run) learn(t *task, s *state, want plan.Want, f *plan.Facts, a *action) error {
	ctx := r.context(s)
	switch want {
	case plan.WantWhen:
		diagnosis := s.frame.diagnosis
		return t.aside(func() { f.When = s.frame.observer.When(ctx, s.step, diagnosis, s.extra) })
	case plan.WantGoals:
		if err := r.look(t, s, s.step.Goals, &s.goals, s.extra); err != nil {
			return err
		}
		f.Goals = r.answers(s, "goal", s.step.Goals, s.goals)
		if r.opts.Force[s.address] || r.opts.Force[s.frame.linked.Under(s.step.Address())] {
			f.Goals = []plan.Answer{{Truth: plan.Fails, Reason: "forced, whatever its goal says"}}
		}
	case plan.WantPreconditions:
		// What is held while an action waits for its turn is not held for long:
		// one look is enough then.
		if a.claim == nil && slices.ContainsFunc(s.step.Preconditions, func(p *runbook.Assertion) bool { return s.frame.observer.Patience(p).HoldFor > 0 }) {
			r.holdPreconditions(t, s, "", f)
			return nil
		}
		var seen []plan.Sighting
		if err := r.look(t, s, s.step.Preconditions, &seen, s.extra); err != nil {
			return err
		}
		f.Preconditions = r.answers(s, "precondition", s.step.Preconditions, seen)
	case plan.WantCapture:
		var seen plan.Sighting
		if err := t.call(func() {
			seen = s.frame.observer.Probe(plan.At(ctx, s.address), new(plan.Round), s.step.Probe, s.extra, captureTimeout(s))
		}); err != nil {
			return err
		}
		s.result = seen.Result
		f.Capture = &seen.Answer
		r.observed(s, "capture", s.step.Name, seen, 1, true)
	case plan.WantArguments:
		var err error
		var unknown []string
		if failed := t.aside(func() {
			a.described, a.arguments, unknown, err = s.frame.observer.Describe(s.at(ctx), s.action(), s.sees())
			a.wayBack = r.wayBack(ctx, s)
		}); failed != nil {
			return failed
		}
		f.Arguments = &plan.Answer{Truth: plan.Holds}
		if err == nil && len(unknown) > 0 {
			err = fmt.Errorf("not known: %s", strings.Join(unknown, ", "))
		}
		if err != nil {
			f.Arguments = &plan.Answer{Truth: plan.Fails, Reason: err.Error()}
		}
	case plan.WantPreview:
		return r.previewing(t, s)(func() { f.Preview = r.preview(s, a) })
	case plan.WantPerson:
		r.takeApprovals(s)
		var err error
		if s.step.Approval != nil && !s.rolling {
			if failed := t.aside(func() { a.wanted, err = s.frame.observer.Wants(ctx, s.step, s.extra) }); failed != nil {
				return failed
			}
		}
		f.Person = r.person(s, a)
		if err != nil {
			f.Person = &plan.Answer{Truth: plan.Fails, Reason: err.Error()}
		}
	case plan.WantLock:
		near := r.near(s, a)
		return t.aside(func() { f.Lock = r.lock(a, near) })
	}
	return nil
}

func captureTimeout(s *state) time.Duration {
	if s.step.Timeout > 0 {
		return s.step.Timeout
	}
	return runbook.DefaultTimeout
}

// look observes all assertions of one kind once, side by side.
func (r *run) look(t *task, s *state, assertions []*runbook.Assertion, into *[]plan.Sighting, x eval.Extra) error {
	ctx := r.context(s)
	return t.call(func() { *into = s.frame.observer.LookAll(ctx, new(plan.Round), assertions, x) })
}

func (r *run) answers(s *state, kind string, assertions []*runbook.Assertion, seen []plan.Sighting) []plan.Answer {
	answers := make([]plan.Answer, len(seen))
	for i, sighting := range seen {
		answers[i] = sighting.Answer
		r.observed(s, kind, assertions[i].Name, sighting, 1, false)
	}
	return answers
}

func (r *run) preview(s *state, a *action) *plan.Previewed {
	ctx := r.context(s)
	var limits schema.Impact
	if !s.rolling { // what is taken back was bounded when it was done
		var err error
		if limits, err = s.frame.observer.Limits(ctx, s.step, s.extra); err != nil {
			return &plan.Previewed{OverLimit: err.Error()}
		}
	}
	a.limits = limits
	p := &plan.Previewed{Destructive: a.described.Destructive, Limited: len(limits) > 0}
	d, err := s.frame.observer.Preview(s.at(ctx), s.action(), a.arguments, limits, a.described)
	if err != nil {
		p.Failed = err.Error()
		return p
	}
	a.described = d
	p.Destructive = d.Destructive
	p.OverLimit = s.frame.observer.OverLimit(ctx, s.action(), d.Impact, limits)
	return p
}

// previewing is how an action is previewed: beside the record's turn where
// nothing is looked at.
func (r *run) previewing(t *task, s *state) func(func()) error {
	if spec := r.spec(s); spec != nil && !spec.Previews {
		return t.aside
	}
	return t.call
}

func (r *run) capture(s *state, f plan.Facts) {
	if f.Capture.Truth != plan.Holds {
		r.end(s, failed, 13, f.Capture.Reason)
		return
	}
	r.end(s, done, 13, f.Capture.Reason)
}
