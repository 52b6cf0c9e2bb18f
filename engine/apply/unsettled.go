package apply

import (
	"github.com/runbook-engine/runbook/engine/event"
)

// Unsettled are the steps on record of which nobody knows what an attempt of theirs
// did, in the order of their first attempts. That a repetition under the same key
// failed says nothing of the attempt before it.
func Unsettled(history []event.Event) []string {
	states := map[string]*state{}
	var order []string
	for i := range history {
		e := &history[i]
		s := states[e.Step]
		if s == nil && e.Type == event.ActionStarted {
			s = new(state)
			states[e.Step], order = s, append(order, e.Step)
		}
		switch {
		case s == nil:
		case e.Type == event.ActionStarted:
			s.began(e.Attempt)
			s.status = ""
		case e.Type == event.ActionFinished:
			s.came(e.Attempt)
			s.status = ""
		case e.Type == event.StepFinished:
			s.status = e.Status
		}
	}
	var steps []string
	for _, step := range order {
		if s := states[step]; s.unclear() || s.status == unknown {
			steps = append(steps, step)
		}
	}
	return steps
}
