package minio

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// run does what was thought through, and says how far it came. What is under way
// when something fails is finished, so that it is certain.
func (t *transfer) run(ctx context.Context, call *sdk.Call) (done transferResult, err error) {
	done.Unchanged = t.same
	if d, ok := t.target.(*directoryEnd); ok && len(t.tasks) > 0 {
		if err := d.open(); err != nil {
			return done, sdk.Clean(err)
		}
	}
	var mu sync.Mutex
	var failures []error
	group := &errgroup.Group{}
	group.SetLimit(workers)
	for _, one := range t.tasks {
		mu.Lock()
		stop := len(failures) > 0
		mu.Unlock()
		if stop || ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			err := t.copy(ctx, one)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures = append(failures, err)
				return nil
			}
			done.Objects++
			done.Bytes += one.size
			if one.old != nil {
				done.Overwritten++
			}
			call.Progress(float64(done.Bytes), float64(t.bytes), "%d of %s copied", done.Objects, phrase.Count(int64(len(t.tasks)), "object", "objects"))
			return nil
		})
	}
	_ = group.Wait()
	if len(failures) == 0 && ctx.Err() != nil {
		failures = append(failures, ctx.Err())
	}
	if len(failures) == 0 && len(t.extra) > 0 {
		if err := t.target.remove(ctx, t.extra); err != nil {
			return done, t.stopped(ctx, done, []error{err})
		}
		done.Removed = int64(len(t.extra))
	}
	return done, t.stopped(ctx, done, failures)
}

func (t *transfer) copy(ctx context.Context, one task) error {
	c, err := t.source.read(ctx, one.thing)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return t.target.write(ctx, one.name, one.old, c)
}

// graded is an error that says more than that nothing was changed.
type graded struct {
	error
	state schema.State
}

func (g *graded) Unwrap() error { return g.error }

// stopped is the error of a copy that did not come to its end. One whose outcome
// is not known weighs most.
func (t *transfer) stopped(ctx context.Context, done transferResult, failures []error) error {
	if len(failures) == 0 {
		return nil
	}
	worst, state := failures[0], schema.FailedClean
	if done.Objects > 0 {
		state = schema.FailedPartial
	}
	for _, err := range failures {
		var known *graded
		if errors.As(err, &known) && state != schema.Unknown {
			worst, state = err, known.state
		}
	}
	var typed *schema.Failure
	if !errors.As(worst, &typed) {
		worst = sdk.Fail("cancelled", "copying from %s to %s was cancelled", t.from, t.to)
		if ctx.Err() == context.DeadlineExceeded {
			worst = sdk.Fail("timeout", "copying from %s to %s took too long", t.from, t.to)
		}
	}
	worst = fmt.Errorf("after %d of %s: %w", done.Objects, phrase.Count(int64(len(t.tasks)), "object", "objects"), worst)
	switch state {
	case schema.FailedClean:
		return sdk.Clean(worst)
	case schema.Unknown:
		return sdk.Uncertain(worst)
	}
	return worst
}
