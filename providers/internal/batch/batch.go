// Package batch does many like things side by side, such as copying objects, and
// tells afterwards how certain it is what was done. What a thing is, and how it
// is done, is the providers' matter.
package batch

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Run does each task, at most so many at once. After one has failed, or ctx has
// ended, it begins none; those under way are finished, so that it is certain what
// they did. It returns their errors, or that of ctx.
func Run[T any](ctx context.Context, workers int, tasks []T, do func(T) error) []error {
	var mu sync.Mutex
	var failures []error
	failed := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(failures) > 0
	}
	var group errgroup.Group
	group.SetLimit(workers)
	for _, task := range tasks {
		if failed() || ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if failed() || ctx.Err() != nil { // while it waited for its turn
				return nil
			}
			if err := do(task); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
			return nil
		})
	}
	_ = group.Wait() // its tasks return nothing
	if len(failures) == 0 && ctx.Err() != nil {
		failures = append(failures, ctx.Err())
	}
	return failures
}

// graded is the error of one task that has changed something, or may have.
type graded struct {
	error
	state schema.State
}

func (g *graded) Unwrap() error { return g.error }

// Changed says that a task failed after it had changed something.
func Changed(err error) error { return &graded{err, schema.FailedPartial} }

// Lost says that nobody knows what a task did.
func Lost(err error) error { return &graded{err, schema.Unknown} }

// Worst is the error that weighs most of those of a batch, and how the batch
// ended by it: unknown, before failed partial, before failed clean. Of errors that
// neither Changed nor Lost has graded, those are clean unless something was done.
func Worst(failures []error, done bool) (schema.State, error) {
	worst, state := failures[0], schema.FailedClean
	if done {
		state = schema.FailedPartial
	}
	for _, err := range failures {
		var known *graded
		if errors.As(err, &known) && state != schema.Unknown {
			worst, state = err, known.state
		}
	}
	return state, worst
}

// Ended is an error with the state of its batch.
func Ended(err error, state schema.State) error {
	switch state {
	case schema.FailedClean:
		return sdk.Clean(err)
	case schema.Unknown:
		return sdk.Uncertain(err)
	}
	return err
}
