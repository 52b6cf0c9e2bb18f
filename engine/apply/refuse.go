package apply

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// Refuse records a run that does nothing, since a step is blocked in its plan,
// and tells people of it. plan.Stopper(p) must not be nil.
func Refuse(ctx context.Context, opts Options, p *plan.Plan) Result {
	r := newRun(ctx, opts)
	defer r.cancelActs()
	done := make(chan struct{})
	defer close(done)
	r.done = done
	r.loop.heed(r.opts.Kill, done, true, r.cancelActs)
	for i := range opts.History {
		r.seq = max(r.seq, opts.History[i].Seq)
		r.opts.Start.Resumed = true
	}
	r.recallNotices(opts.History)
	r.say(event.Event{Type: event.RunStarted, Start: &r.opts.Start, Title: opts.Frame.Runbook.Title})
	result := Result{Outcome: Blocked}
	for _, step := range p.Steps {
		status, row, reason := notRun, step.Row, step.Reason
		switch {
		case step.Decision != string(plan.Block): // what the plan says of it is no reason
			row, reason = 0, "nothing was done, the run is blocked"
		case step.Row != 1:
			status = blocked
		}
		r.say(event.Event{Type: event.StepFinished, Step: step.Address, Title: step.Title, Status: status, Row: row, Message: reason})
		result.Steps = append(result.Steps, StepResult{Address: step.Address, Status: status, Reason: reason})
	}
	stopper := plan.Stopper(p)
	reason := fmt.Sprintf("%s is blocked: %s", stopper.Address, stopper.Reason)
	r.telling.closing = true
	r.notify(Blocked, fmt.Sprint(r.telling.ends), r.sum("blocked", "nothing was done", reason, r.named()))
	r.loop.run()
	r.say(event.Event{Type: event.RunFinished, Outcome: Blocked, Message: reason, Warnings: r.warnings})
	_ = r.settle() // its error is in recordErr
	result.Warnings, result.RecordError = r.warnings, r.recordErr
	return result
}
