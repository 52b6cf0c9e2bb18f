package apply

import (
	"context"
	"time"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// next is what comes after a wait.
type next int

const (
	goOn    next = iota // with the facts as they are now
	restart             // at row 1
	leave               // the step has ended, or waits for a person
)

// await waits for what row 9, 17 or 18 waits for.
func (r *run) await(t *task, s *state, d plan.Decision, f *plan.Facts, a *action) next {
	switch d.Want {
	case plan.WantPreconditions:
		return r.awaitPreconditions(t, s, d, f)
	case plan.WantPerson:
		return r.ask(t, s, d, a)
	}
	return r.awaitLock(t, s, d, a)
}

// awaitPreconditions looks until all hold or their time is up; the answers then
// stand for rows 10 and 11.
func (r *run) awaitPreconditions(t *task, s *state, d plan.Decision, f *plan.Facts) next {
	r.holdPreconditions(t, s, d.Reason, f)
	if r.cutShort(s) {
		return leave
	}
	return goOn
}

// holdPreconditions waits for preconditions, and for as long as they must hold.
func (r *run) holdPreconditions(t *task, s *state, why string, f *plan.Facts) {
	r.waiting(s, "observation", either(why, "until its preconditions have held for as long as they must"))
	seen := make([]plan.Sighting, len(s.step.Preconditions))
	r.until(t, s, s.step.Preconditions, seen, s.extra)
	f.Preconditions = make([]plan.Answer, len(seen))
	for i := range seen {
		r.observed(s, "precondition", s.step.Preconditions[i].Name, seen[i], 0, false)
		f.Preconditions[i] = seen[i].Answer
		f.Preconditions[i].Within = 0
	}
}

func either(s, fallback string) string {
	if s != "" {
		return s
	}
	return fallback
}

// until looks at assertions side by side, each until it holds or its own time
// is up.
func (r *run) until(t *task, s *state, assertions []*runbook.Assertion, seen []plan.Sighting, x eval.Extra) {
	shared := new(plan.Round)
	t.each(len(assertions), func(t *task, i int) {
		round := shared
		ctx := r.context(s)
		watch := s.frame.observer.Watch(assertions[i], r.clock.Now())
		for {
			if ctx.Err() != nil {
				if seen[i].Reason == "" {
					seen[i].Truth, seen[i].Reason = plan.Errs, "not looked at: "+s.frame.halted()
				}
				return
			}
			if err := t.call(func() { seen[i] = s.frame.observer.Look(ctx, round, assertions[i], x) }); err != nil {
				seen[i].Truth, seen[i].Reason = plan.Errs, err.Error()
				return
			}
			var pause time.Duration
			if pause, seen[i] = watch.Next(seen[i], r.clock.Now()); pause == 0 {
				return
			}
			if ctx.Err() != nil || t.sleep(ctx, pause) != nil {
				if seen[i].Truth == plan.Holds { // it had to hold for longer
					seen[i].Truth, seen[i].Reason = plan.Fails, "not proved for as long as it must hold: "+seen[i].Reason
				}
				return
			}
			round = new(plan.Round)
		}
	})
}

func (r *run) waiting(s *state, what, why string) {
	r.say(event.Event{Type: event.StepWaiting, Step: s.address, WaitsFor: what, Message: why})
}

// lockPause is how long to wait before a lock is tried again.
const lockPause = 500 * time.Millisecond

func (r *run) awaitLock(t *task, s *state, d plan.Decision, a *action) next {
	r.waiting(s, "lock", d.Reason)
	deadline := r.clock.Now().Add(r.opts.LockTimeout)
	for r.clock.Now().Before(deadline) {
		if t.sleep(r.context(s), lockPause) != nil {
			break
		}
		var answer *plan.Answer
		near := r.near(s, a)
		if t.call(func() { answer = r.lock(a, near) }) != nil {
			break
		}
		if answer.Truth == plan.Holds {
			return restart
		}
	}
	if !r.cutShort(s) {
		r.end(s, blocked, 18, d.Reason)
	}
	return leave
}

// context is what a step's looks and waits end with: always steps, and what is
// taken back, outlive the first interrupt.
func (r *run) context(s *state) context.Context {
	if s.step.Always || s.rolling {
		return r.acts
	}
	return s.frame.looks
}
