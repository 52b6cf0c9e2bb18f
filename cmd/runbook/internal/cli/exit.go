package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/store"
)

// The exit codes, the same for every command (docs/cli.md).
const (
	exitOK          = 0
	exitFailed      = 1 // or the input is invalid
	exitChanges     = 2 // plan --detailed-exitcode: steps would run
	exitBlocked     = 3
	exitWaiting     = 4 // for a person
	exitLocked      = 5 // by another run
	exitStale       = 6 // the plan is not what would happen any more
	exitInterrupted = 130
)

// ended ends the program with a code after everything has been said.
type ended int

func (e ended) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// endedWith is nil for exit code 0.
func endedWith(code int) error {
	if code == exitOK {
		return nil
	}
	return ended(code)
}

// outcomeCode is the exit code of a run's outcome.
func outcomeCode(outcome string) int {
	switch outcome {
	case apply.Succeeded:
		return exitOK
	case apply.Blocked:
		return exitBlocked
	case apply.Waiting:
		return exitWaiting
	case apply.Interrupted:
		return exitInterrupted
	default: // failed, rolled back, declined
		return exitFailed
	}
}

// errorCode is the exit code of an error, and whether it still has to be said.
func errorCode(err error) (code int, say bool) {
	var (
		end      ended
		locked   *store.LockedError
		attended *store.AttendedError
		stale    *engine.StaleError
		used     *store.UsedError
	)
	switch {
	case err == nil:
		return exitOK, false
	case errors.As(err, &end):
		return int(end), false
	case errors.As(err, &locked), errors.As(err, &attended):
		return exitLocked, true
	case errors.As(err, &stale), errors.As(err, &used):
		return exitStale, true
	case errors.Is(err, engine.ErrInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted, true
	}
	return exitFailed, true
}
