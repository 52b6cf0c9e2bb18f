package apply

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
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
		_, left := r.backOrder(s.frame, nil)
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

// busy counts tasks that are at work in a frame, and in those around it.
func (r *run) busy(f *frame, n int) {
	for ; f != nil; f = f.outer {
		if f.atWork += n; f.atWork == 0 {
			r.drain(f)
		}
	}
}

// came is the end of a task of a frame. Whoever waits for the last of them goes on,
// once what was to be taken back has been.
func (r *run) came(f *frame) {
	f.begun--
	if f.atWork--; f.atWork == 0 {
		r.drain(f)
	}
	if f.begun == 0 && f.caller != nil {
		r.busy(f.outer, 1)
		r.loop.wake(f.caller)
	}
	r.busy(f.outer, -1)
}

// drain begins to take back what a frame's steps did once nothing is at work there.
// Steps that wait for a person end: nothing new starts.
func (r *run) drain(f *frame) {
	if f.back == "" || f.backward != backNever || r.dismiss(f) {
		return // it is drained again once those that were dismissed have ended
	}
	f.backward = backUnderWay
	f.begun++
	r.busy(f, 1)
	r.loop.spawn(f.steps[0].order, func(t *task) {
		f.backward = r.takeBack(t, f)
		for _, h := range f.held {
			r.busy(h.frame, 1)
			r.loop.wake(h.task)
		}
		f.held = nil
		r.came(f)
	})
}

// held is a task that waits until what was done in a frame has been taken back,
// and the frame of the step that it is of.
type held struct {
	task  *task
	frame *frame
}

// holding is the frame in which what was done is taken back before a step goes on;
// nil: nothing keeps it. It is a step that nothing else would keep from acting: an
// always step there, or part of what one calls.
func (r *run) holding(s *state) *frame {
	if s.rolling {
		return nil
	}
	always := s.step.Always
	for f := s.frame; f != nil; f = f.outer {
		if always && f.back != "" && f.backward < backOver {
			return f
		}
		always = f.linked.Step != nil && f.linked.Step.Always
	}
	return nil
}

// hold keeps a step until what was done has been taken back. It tells whether the
// step goes on in this process.
func (r *run) hold(t *task, s *state) bool {
	for {
		f := r.holding(s)
		switch {
		case f == nil:
			return true
		case f.backward == backLeft && r.acts.Err() != nil:
			r.end(s, interrupted, 0, "the run was interrupted again before its turn came")
			r.keepOut(s)
			return false
		case f.backward == backLeft:
			return false
		}
		f.held = append(f.held, held{t, s.frame})
		r.busy(s.frame, -1)
		t.park()
	}
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
	unsettled := unsettledBack(f)
	f.whole = true
	if how, stuck := r.takeBackAll(t, f, unsettled); stuck {
		return how
	}
	order, left := r.backOrder(f, unsettled)
	if over {
		for _, s := range order {
			f.whole = false
			r.warn(s.address + " was not taken back: an always step has run since; `runbook rollback " + r.opts.Run.ID + "` does it")
		}
		return backOver
	}
	if how, stuck := r.takeBackAll(t, f, order); stuck {
		return how
	}
	r.leave(left)
	r.summarize(f)
	return backOver
}

// takeBackAll takes back what some steps did, one after another. It tells whether
// it had to end before the last of them, and how far all that has come then.
func (r *run) takeBackAll(t *task, f *frame, steps []*state) (how backward, stuck bool) {
	for _, s := range steps {
		r.takeBackOne(t, s, f.back)
		f.whole = f.whole && s.status == rolledBack
		switch {
		case s.status == "" || r.acts.Err() != nil:
			return backLeft, true
		case s.status == unknown:
			r.warn("the rest was not taken back while nobody knows how the rollback of " + s.address + " ended")
			return backOver, true
		}
	}
	return backUnderWay, false
}

// unsettledBack are the steps of a frame, and of what it calls, of which nobody
// knows how their rollback ended.
func unsettledBack(f *frame) []*state {
	var unsettled []*state
	f.each(func(s *state) {
		if s.unclear() && s.last.TakesBack {
			unsettled = append(unsettled, s)
		}
	})
	return unsettled
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
				if i.status != "" { // else an always step in it is still to come
					r.summarizeCall(i)
				}
			}
			statuses = append(statuses, i.status)
		}
		if s.step.ForEach != nil && s.status != "" {
			s.status = plan.Worst(statuses)
		}
	}
}

// summarizeCall tells whether anything of what a step calls was taken back, or was to
// be: that is its status then.
func (r *run) summarizeCall(s *state) bool {
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
	return back || wrong
}
