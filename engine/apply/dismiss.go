package apply

import "github.com/runbook-engine/runbook/engine/plan"

// dismiss ends the steps of a frame that wait for a person. It tells whether
// there were any.
func (r *run) dismiss(f *frame) bool {
	if f.dismissed {
		return false
	}
	f.dismissed = true
	var waiting []int
	for node, s := range f.steps {
		if s.lived && s.status == "" && !s.step.Always {
			waiting = append(waiting, node)
		}
	}
	for _, node := range waiting {
		r.begin(f, node, func(t *task) { r.dismissOne(t, f.steps[node]) })
	}
	return len(waiting) > 0
}

func (r *run) dismissOne(t *task, s *state) {
	var statuses []string
	for _, i := range s.all() {
		switch {
		case i.status != "":
		case i.inner != nil:
			i.inner.caller = t
			if r.dismiss(i.inner) {
				r.busy(s.frame, -1)
				t.park()
			}
			i.inner.caller = nil
			if r.waitsInside(i.inner) {
				return // for an always step
			}
			r.returned(t, i, i.inner)
		default:
			i.waits = false
			r.end(i, notRun, 1, s.frame.halted())
			r.keepOut(i)
		}
		statuses = append(statuses, i.status)
		s.halts = either(s.halts, i.halts)
	}
	s.status = plan.Worst(statuses)
}
