package cli

import (
	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/store"
)

// showPlanning lets a person see the plan that an apply or a resume makes: that
// it still looks, and what it comes to. done must be called when that has ended,
// and is what went wrong with showing it.
func (a *app) showPlanning(applying *engine.ApplyOptions, shown *screen) (done func() error) {
	looking := a.looking()
	applying.Progress = func(step string) { looking.Step(step) }
	var failed error
	applying.Planned = func(pl *plan.Plan) {
		looking.Stop()
		switch {
		case !shown.json:
			failed = ui.WritePlan(a.out, a.style(a.out), pl)
		case applying.Confirm != nil && !applying.AutoApprove: // who is asked is shown what for
			failed = ui.WritePlan(a.errOut, a.style(a.errOut), pl)
		}
	}
	if confirm := applying.Confirm; confirm != nil {
		applying.Confirm = func(pl *plan.Plan) (bool, error) {
			yes, err := confirm(pl)
			looking = a.looking() // after the answer everything is looked at again
			return yes, err
		}
	}
	queued := applying.Queued
	applying.Queued = func(locked *store.LockedError) {
		looking.Stop()
		queued(locked)
	}
	shown.before = func() { looking.Stop() }
	return func() error {
		looking.Stop()
		return failed
	}
}
