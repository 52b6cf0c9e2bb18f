package engine

import (
	"context"
	"errors"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// ErrInterrupted means that a signal came before anything was done.
var ErrInterrupted = errors.New("interrupted before anything was done")

// answer is what came of a plan that was put before a person.
type answer int

const (
	unasked  answer = iota // nothing would act: there was nothing to say yes to
	agreed                 // at the terminal, or beforehand by AutoApprove
	declined               // there is to be no run
)

// agree plans, shows the plan and asks. After a yes everything is looked at
// again: the plan that is returned is the later one. It is nil where looking
// failed or was interrupted.
func (e *Engine) agree(ctx context.Context, s *session, opts ApplyOptions) (*plan.Plan, answer, error) {
	p, err := e.plan(ctx, s, PlanOptions{Only: opts.Only, Force: opts.Force, Progress: opts.Progress})
	if err := interruptedPlan(ctx, err); err != nil {
		return nil, declined, err
	}
	if opts.Planned != nil {
		opts.Planned(p)
	}
	switch {
	case opts.AutoApprove:
		return p, agreed, nil
	case p.Outcome != plan.Changes:
		return p, unasked, nil
	case opts.Confirm == nil:
		return p, declined, ErrNeedsApproval
	}
	if yes, err := opts.Confirm(p); err != nil || !yes {
		return p, declined, err
	}
	if p, err = e.again(ctx, s, p, opts); err != nil {
		return p, declined, err
	}
	return p, agreed, nil
}

// interruptedPlan is why a plan is of no use: it was cut short, or err.
func interruptedPlan(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// until is a context that ends when the channel is closed.
func until(ctx context.Context, signal <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-signal:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// approvedOnRecord tells whether somebody has said yes to a run.
func approvedOnRecord(history []event.Event) bool {
	for i := range history {
		if start := history[i].Start; start != nil && start.Approved {
			return true
		}
	}
	return false
}
