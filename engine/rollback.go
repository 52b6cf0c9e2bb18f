package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/plan"
)

// RollbackOptions is what Rollback may be told. Confirm and Planned of the
// ApplyOptions are not asked: what there is to see is no plan of a runbook.
type RollbackOptions struct {
	ResumeOptions
	// Foreseen, if set, is told what would be taken back before anything is done.
	Foreseen func(plan.Backward)
	// Agree asks whether it is to be; nil: there is no terminal.
	Agree func(plan.Backward) (bool, error)
}

// ErrNothingBack means that a run has done nothing that a rollback could take
// back.
var ErrNothingBack = errors.New("there is nothing to take back")

// Rollback takes back what a run on record did: it looks, shows what it would do,
// asks, looks again and does it. ref is an ID, a unique prefix, or last. The
// error is typed as that of Resume, or ErrNothingBack.
func (e *Engine) Rollback(ctx context.Context, ref string, opts RollbackOptions) (Result, hcl.Diagnostics, error) {
	st, err := e.Store()
	if err != nil {
		return Result{}, nil, err
	}
	id, err := st.Resolve(ref)
	if err != nil {
		return Result{}, nil, err
	}
	kept, err := st.OpenRun(id)
	if err != nil {
		return Result{}, nil, err
	}
	history, err := events(kept)
	if err != nil {
		return Result{}, nil, errors.Join(err, kept.Close())
	}
	r, diags, err := e.reopen(ctx, st, history, id, &opts.ResumeOptions)
	if r == nil {
		return Result{}, diags, errors.Join(err, kept.Close())
	}
	defer r.s.Close()
	looking, stop := until(ctx, opts.Interrupt)
	defer stop()
	yes, err := e.agreeBack(looking, r, opts)
	if err != nil || !yes {
		return Result{Result: apply.Result{Outcome: Declined}}, diags, errors.Join(err, kept.Close())
	}
	result, err := e.goOn(ctx, looking, st, kept, r, nil, e.remaining(looking, r, true), opts.ResumeOptions, true)
	return result, diags, errors.Join(err, kept.Close())
}

// agreeBack shows what would be taken back and asks. After a yes everything is
// looked at again.
func (e *Engine) agreeBack(ctx context.Context, r *reopened, opts RollbackOptions) (bool, error) {
	shown := apply.Back(ctx, e.looking(r, opts.Resolve))
	if ctx.Err() != nil {
		return false, ErrInterrupted
	}
	if opts.Foreseen != nil {
		opts.Foreseen(shown)
	}
	if len(shown.Steps) == 0 && len(shown.Open) == 0 {
		return false, fmt.Errorf("run %s: %w%s", r.s.run.ID, ErrNothingBack, staying(shown))
	}
	switch {
	case opts.AutoApprove:
		return true, nil
	case opts.Agree == nil:
		return false, ErrNeedsApproval
	}
	if yes, err := opts.Agree(shown); err != nil || !yes {
		return false, err
	}
	now := apply.Back(ctx, e.looking(r, opts.Resolve))
	if ctx.Err() != nil {
		return false, ErrInterrupted
	}
	if grew := now.Grew(shown); len(grew) > 0 {
		return false, &StaleError{Grew: grew}
	}
	return true, nil
}

// staying names what stays as it is.
func staying(b plan.Backward) string {
	if len(b.Left) == 0 {
		return ": none of its steps has changed anything that is not taken back already"
	}
	said := make([]string, len(b.Left))
	for i, s := range b.Left {
		said[i] = s.Address + ": " + s.Why
	}
	return ": " + strings.Join(said, "; ")
}
