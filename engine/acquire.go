package engine

import (
	"context"
	"errors"
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// taking is how a run that begins takes its locks, or one that goes on.
type taking func(ctx context.Context, holder store.Holder, effects []schema.Effect, wait time.Duration) (*store.Lease, error)

// acquire takes a run's locks. Where they had to be waited for, everything that was
// planned is looked at again: it is as old as the wait. p is nil where there is no
// plan, as of a run that goes on as it was said yes to; the plan that is returned is
// the later one. What ends looking ends the wait. With an error the lease may have
// been got all the same: it is nil where not.
func (e *Engine) acquire(looking context.Context, take taking, s *session, p *plan.Plan, writes []schema.Effect, opts ApplyOptions) (*store.Lease, *plan.Plan, error) {
	lease, err := take(looking, e.holder(s), writes, 0)
	var locked *store.LockedError
	if errors.As(err, &locked) && opts.LockTimeout != nil && *opts.LockTimeout > 0 {
		if opts.Queued != nil {
			opts.Queued(locked)
		}
		lease, err = take(looking, e.holder(s), writes, *opts.LockTimeout)
		if err == nil && p != nil {
			p, err = e.again(looking, s, p, opts)
		}
	}
	if err != nil && looking.Err() != nil {
		err = ErrInterrupted
	}
	return lease, p, err
}

// again looks again at what was planned, by the rule of saved plans: the error is a
// *StaleError where it has grown. Of a plan that is said yes to whatever it is, what
// it has grown to is shown.
func (e *Engine) again(ctx context.Context, s *session, p *plan.Plan, opts ApplyOptions) (*plan.Plan, error) {
	now, err := e.plan(ctx, s, PlanOptions{Only: opts.Only, Force: opts.Force, Progress: opts.Progress})
	if err := interruptedPlan(ctx, err); err != nil {
		return p, err
	}
	shown := p
	if opts.saved != nil {
		shown = opts.saved.Plan
	}
	switch grew := plan.Grew(shown, now); {
	case len(grew) == 0:
	case opts.AutoApprove && opts.saved == nil:
		if opts.Planned != nil {
			opts.Planned(now)
		}
	default:
		return now, &StaleError{Grew: grew}
	}
	return now, nil
}
