package apply

import (
	"fmt"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// orphan is an attempt without a known end: what was begun for it may still be at
// work, though its process is gone.
type orphan struct {
	step    string
	attempt *event.Attempt
}

// abandon notes the attempts that earlier processes have left behind.
func (r *run) abandon(history []event.Event) {
	open := map[string]*event.Attempt{}
	for i := range history {
		e := &history[i]
		switch e.Type {
		case event.ActionStarted:
			open[e.Step] = e.Attempt
		case event.ActionFinished:
			if e.Attempt.State != schema.Unknown {
				delete(open, e.Step)
			}
		}
	}
	for i := range history { // in the order of the record
		if e := &history[i]; e.Type == event.ActionStarted && open[e.Step] == e.Attempt {
			r.orphans = append(r.orphans, orphan{e.Step, e.Attempt})
		}
	}
}

// near lists the orphans of other steps that touch what an action would.
func (r *run) near(s *state, a *action) []orphan {
	var near []orphan
	for _, o := range r.orphans {
		_, conflict := plan.Conflict(a.described.Effects, o.attempt.Effects)
		if o.step != s.address && (conflict || a.described.Undeclared || o.attempt.Undeclared) {
			near = append(near, o)
		}
	}
	return near
}

// lock is row 18: whether another run holds what an action would write, or an
// orphan of this one is at it. It runs beside the loop.
func (r *run) lock(a *action, near []orphan) *plan.Answer {
	for _, o := range near {
		if free, err := r.opts.Record.AttemptFree(o.attempt.Lock); err == nil && free {
			continue
		}
		return &plan.Answer{Truth: plan.Fails, Reason: fmt.Sprintf("attempt %d of %s still works at what this step would touch: `fuser -v %s` names the processes",
			o.attempt.Number, o.step, o.attempt.Lock)}
	}
	if r.opts.Locks == nil {
		return &plan.Answer{Truth: plan.Holds}
	}
	if err := r.opts.Locks.Extend(a.described.Effects); err != nil {
		return &plan.Answer{Truth: plan.Fails, Reason: err.Error()}
	}
	return &plan.Answer{Truth: plan.Holds}
}
