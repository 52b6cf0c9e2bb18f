package batch_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/schema"
)

var (
	errClean   = errors.New("refused")
	errChanged = batch.Changed(errors.New("half done"))
	errLost    = batch.Lost(errors.New("no answer"))
)

func TestNothingIsBegunAfterAFailure(t *testing.T) {
	var begun atomic.Int64
	failures := batch.Run(t.Context(), 1, make([]int, 10), func(int) error {
		if begun.Add(1) == 3 {
			return errClean
		}
		return nil
	})
	if len(failures) != 1 || begun.Load() != 3 {
		t.Errorf("%d were begun, %v", begun.Load(), failures)
	}
}

// One that fails does not cut the others short.
func TestWhatIsUnderWayIsFinished(t *testing.T) {
	begun, failed := make(chan struct{}), make(chan struct{})
	var finished atomic.Bool
	failures := batch.Run(t.Context(), 2, []int{0, 1}, func(task int) error {
		if task == 0 {
			<-begun
			defer close(failed)
			return errClean
		}
		close(begun)
		<-failed
		finished.Store(true)
		return nil
	})
	if len(failures) != 1 || !finished.Load() {
		t.Errorf("finished: %v, %v", finished.Load(), failures)
	}
}

func TestAnEndedContextBeginsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failures := batch.Run(ctx, 2, []int{0}, func(int) error { t.Error("begun"); return nil })
	if len(failures) != 1 || !errors.Is(failures[0], context.Canceled) {
		t.Error(failures)
	}
}

func TestTheLeastCertainWeighsMost(t *testing.T) {
	for _, test := range []struct {
		failures []error
		done     bool
		worst    error
		state    schema.State
	}{
		{[]error{errClean}, false, errClean, schema.FailedClean},
		{[]error{errClean}, true, errClean, schema.FailedPartial},
		{[]error{errClean, errChanged}, false, errChanged, schema.FailedPartial},
		{[]error{errLost, errChanged, errClean}, false, errLost, schema.Unknown},
		{[]error{errChanged, errLost}, true, errLost, schema.Unknown},
	} {
		if state, worst := batch.Worst(test.failures, test.done); worst != test.worst || state != test.state {
			t.Errorf("%v: %v, %s", test.failures, worst, state)
		}
	}
}
