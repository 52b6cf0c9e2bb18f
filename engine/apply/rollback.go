package apply

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// How far taking back what a frame's steps did has come.
type backward int

const (
	backNever backward = iota
	backUnderWay
	backLeft // a person is waited for, or a second signal came: a resume goes on with it
	backOver
)

// bringsBack tells whether what was done is taken back because of how a step has
// just ended. After an interrupt or a timeout nothing begins any more, and what
// only puts things right again is no reason to undo them.
func (r *run) bringsBack(s *state) bool {
	switch {
	case s.step.OnFailure != runbook.RollBack || s.step.Always || s.status != failed && s.status != blocked:
		return false
	case s.unsettled || s.inherited && s.spared: // the latter was decided in an earlier process
		return false
	case r.interrupted || s.frame.timed() || s.frame.isOver() || r.recordErr != nil || r.logErr != nil:
		return false
	}
	found := false
	s.frame.each(func(other *state) { found = found || other.step.Rollback != nil && other.changed() })
	if !found {
		_, left := r.backOrder(s.frame)
		r.leave(left)
	}
	return found
}

// leave warns of what is not taken back.
func (r *run) leave(left []untaken) {
	for _, s := range left {
		if said := s.state.address + " was not taken back: " + s.why; !slices.Contains(r.warnings, said) {
			r.warn(said)
		}
	}
}

// timed tells whether the time of a frame, or of one around it, is up.
func (f *frame) timed() bool {
	for ; f != nil; f = f.outer {
		if f.timedOut {
			return true
		}
	}
	return false
}

// takenBack tells whether what the steps of a frame did is taken back, together
// with what it is part of or by itself.
func (f *frame) takenBack() bool {
	for ; f != nil; f = f.outer {
		if f.back != "" {
			return true
		}
	}
	return false
}

// drain begins to take back what a frame's steps did once nothing else is at work
// there. Steps that wait for a person end: nothing new starts.
func (r *run) drain(f *frame) {
	if f.back == "" || f.backward != backNever || f.begun > len(f.held) {
		return
	}
	if r.dismiss(f) {
		return // it is drained again once they have ended
	}
	f.backward = backUnderWay
	f.begun++
	r.loop.spawn(f.steps[0].order, func(t *task) {
		f.backward = r.takeBack(t, f)
		f.begun--
		for _, held := range f.held {
			r.loop.wake(held)
		}
		f.held = nil
		if f.begun == 0 && f.caller != nil {
			r.loop.wake(f.caller)
		}
	})
}

// hold keeps an always step until what was done has been taken back. It tells
// whether the step has its turn in this process.
func (r *run) hold(t *task, f *frame) bool {
	for f.back != "" && f.backward < backLeft {
		f.held = append(f.held, t)
		r.drain(f)
		t.park()
	}
	return f.backward != backLeft
}

// comesBack tells whether what the steps of a frame did is still to be taken back,
// by itself or together with what it is part of.
func (f *frame) comesBack() bool {
	for ; f != nil; f = f.outer {
		if f.back != "" && f.backward < backOver {
			return true
		}
	}
	return false
}

// takeBack takes back what the steps of a frame, and of what they call, have
// done, one at a time.
func (r *run) takeBack(t *task, f *frame) backward {
	over := f.isOver() && !r.opts.TakeBack // what nobody knows is settled, and no more is begun
	if open := r.openIn(f); open != "" && !over {
		r.warn("nothing was taken back while nobody knows how " + open + " ended")
		return backOver
	}
	order, left := r.backOrder(f)
	f.whole = true
	for _, s := range order {
		unsettled := s.last.TakesBack && (s.last.State == "" || s.last.State == schema.Unknown)
		if over && !unsettled {
			s.status = either(s.cameBack, s.status)
			f.whole = false
			r.warn(s.address + " was not taken back: the run is over; `runbook rollback " + r.opts.Run.ID + "` does it")
			continue
		}
		r.takeBackOne(t, s, f.back)
		f.whole = f.whole && s.status == rolledBack
		switch {
		case s.status == "" || r.acts.Err() != nil:
			return backLeft
		case s.status == unknown:
			r.warn("the rest was not taken back while nobody knows how the rollback of " + s.address + " ended")
			return backOver
		}
	}
	r.leave(left)
	r.summarize(f)
	return backOver
}

// openIn is a step of which nobody knows how it ended: of a frame, or of what it
// calls, or, where it has ended so, of the run.
func (r *run) openIn(f *frame) string {
	open := ""
	f.each(func(s *state) {
		if s.unknownStill() {
			open = either(open, s.address)
		}
	})
	r.root.each(func(s *state) {
		if s.status == unknown {
			open = either(open, s.address)
		}
	})
	return open
}

// takeBackOne takes back what one step did.
func (r *run) takeBackOne(t *task, s *state, because string) {
	resumed := s.last.TakesBack
	s.rolling, s.status, s.reason = true, "", ""
	if !resumed {
		s.retryable, s.failure, s.question, s.answers = nil, nil, nil, cty.NilVal
	}
	s.tries, s.repeated, s.clocked = 0, 0, false
	r.say(event.Event{Type: event.StepStarted, Step: s.address, Title: s.step.Title, Rollback: because})
	if resumed && r.goOn(t, s) {
		return
	}
	r.strive(t, s)
}

// endBack says how a step was taken back.
func (r *run) endBack(s *state, status string, row int, reason string) {
	if s.open != "" && status != done {
		if status != unknown {
			reason = s.open + "; and now: " + reason
		}
		status = unknown
	}
	switch status {
	case done:
		status = rolledBack
	case unknown, interrupted:
	default:
		status = rollbackFailed
	}
	r.finishBack(s, status, row, reason)
}

func (r *run) finishBack(s *state, status string, row int, reason string) {
	s.status, s.reason, s.row = status, reason, row
	s.finishedAt = r.clock.Now()
	r.say(event.Event{Type: event.StepFinished, Step: s.address, Title: s.step.Title, Status: status, Row: row, Message: reason})
}

// summarize gives calls, and steps with a for_each, the status of what was taken
// back of them.
func (r *run) summarize(f *frame) {
	for _, s := range f.steps {
		var statuses []string
		for _, i := range s.all() {
			if i.inner != nil {
				r.summarize(i.inner)
				r.summarizeCall(i)
			}
			statuses = append(statuses, i.status)
		}
		if s.step.ForEach != nil && s.status != "" {
			s.status = plan.Worst(statuses)
		}
	}
}

func (r *run) summarizeCall(s *state) {
	back, wrong := false, false
	for _, step := range s.inner.steps {
		for _, i := range step.all() {
			back = back || i.status == rolledBack
			wrong = wrong || i.status == rollbackFailed
		}
	}
	switch {
	case wrong && s.status != rollbackFailed:
		r.finishBack(s, rollbackFailed, 19, "what it called could not all be taken back")
	case back && !wrong && s.status != rolledBack:
		r.finishBack(s, rolledBack, 19, "what it called was taken back")
	}
}
