package apply

import (
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// call takes a step that calls through the steps of what it calls. It has no
// status while one of them waits for a person.
func (r *run) call(t *task, s *state) {
	f := s.frame.called[s.address]
	ended := s.status != "" // in an earlier process: its steps only say what they came to
	s.inner, f.kept = f, ended
	if ended && s.row < 19 { // it did not come to calling
		r.recallAll(f)
		return
	}
	if !ended {
		if blocker := r.before(s); blocker != "" && !s.step.Always {
			f.stop(blocker) // row 1 holds for a call that had begun too: it only settles
		}
		r.started(s)
		bound, of := f.rb.Timeout, "the runbook's timeout"
		if own := s.step.Timeout; own > 0 && (bound == 0 || own < bound) {
			bound, of = own, "the step's timeout"
		}
		r.alarm(f, bound, of)
	}
	switch { // it was decided in an earlier process
	case f.back == "" || f.backward != backNever:
	case ended:
		f.backward = backOver
	default:
		r.resumeBack(t, f)
	}
	f.caller = t
	r.start(f, f.queue.First())
	if f.begun > 0 {
		r.busy(s.frame, -1)
		t.park() // whoever wakes it counts it as busy again
	}
	f.caller = nil
	f.unalarm()
	if r.waitsInside(f) {
		return
	}
	s.result = plan.Outputs(r.acts, f.linked, f.observer.Scope, r.warn)
	if !ended {
		r.returned(t, s, f)
	}
}

// recallAll takes up what the record says of the steps of a call that was not
// begun.
func (r *run) recallAll(f *frame) {
	f.kept = true
	for _, s := range f.steps {
		r.recall(s)
		if s.inner = f.called[s.address]; s.inner != nil {
			r.recallAll(s.inner)
		}
	}
}

func (r *run) waitsInside(f *frame) bool {
	for _, s := range f.steps {
		if s.status == "" {
			return true
		}
	}
	return false
}

// returned ends a step whose call has come to its end.
func (r *run) returned(t *task, s *state, f *frame) {
	if s.frame.takenBack() && !s.frame.comesBack() && r.summarizeCall(s) {
		return
	}
	var bad *state
	idle, cut := true, true
	for _, step := range f.steps {
		for _, i := range step.all() {
			s.unsettled = s.unsettled || i.unsettled || i.status == unknown
			idle = idle && (i.status == satisfied || i.status == skipped)
			if i.well() {
				continue
			}
			cut = cut && (i.status == interrupted || i.status == notRun)
			if bad == nil || bad.status == notRun && i.status != notRun {
				bad = i
			}
		}
	}
	switch {
	case bad != nil && cut && r.interrupted:
		r.end(s, interrupted, 0, s.frame.halted())
	case bad != nil:
		r.end(s, failed, 19, bad.address+" ended "+bad.status+": "+bad.reason)
	case len(s.step.Goals)+len(s.step.Verifies) > 0:
		r.prove(t, s, 20)
	case idle:
		r.end(s, satisfied, 19, "all of its steps are satisfied or skipped")
	default:
		r.end(s, done, 19, "")
	}
}

// entered tells whether an action of what a step calls is on record: then the
// call is gone on with, whatever its own conditions say now.
func (r *run) entered(s *state) bool { return r.calls[s.address] }

// keepOut ends the steps that a step would have called, as it ended itself, where
// it did not come to calling them.
func (r *run) keepOut(caller *state) {
	f := caller.frame.called[caller.address]
	if f == nil || caller.inner != nil {
		return
	}
	caller.inner = f
	status, row := notRun, 1
	if ok(caller.status) {
		status, row = skipped, 4
	}
	for _, s := range f.steps {
		s.status, s.reason, s.finishedAt = status, "it is part of "+caller.address+", which ended "+caller.status, time.Time{}
		r.say(event.Event{Type: event.StepFinished, Step: s.address, Title: s.step.Title, Status: s.status, Row: row, Message: s.reason})
		r.keepOut(s)
	}
}
