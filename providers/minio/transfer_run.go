package minio

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/runbook-engine/runbook/providers/internal/batch"
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
	failures := batch.Run(ctx, workers, t.tasks, func(one task) error {
		if err := t.copy(ctx, one); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done.Objects++
		done.Bytes += one.size
		if one.old != nil {
			done.Overwritten++
		}
		call.Progress(float64(done.Bytes), float64(t.bytes), "%d of %s copied", done.Objects, phrase.Count(int64(len(t.tasks)), "object", "objects"))
		return nil
	})
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

// stopped is the error of a copy that did not come to its end.
func (t *transfer) stopped(ctx context.Context, done transferResult, failures []error) error {
	if len(failures) == 0 {
		return nil
	}
	state, worst := batch.Worst(failures, done.Objects > 0)
	var typed *schema.Failure
	if !errors.As(worst, &typed) {
		worst = sdk.Fail("cancelled", "copying from %s to %s was cancelled", t.from, t.to)
		if ctx.Err() == context.DeadlineExceeded {
			worst = sdk.Fail("timeout", "copying from %s to %s took too long", t.from, t.to)
		}
	}
	return batch.Ended(fmt.Errorf("after %d of %s: %w", done.Objects, phrase.Count(int64(len(t.tasks)), "object", "objects"), worst), state)
}
