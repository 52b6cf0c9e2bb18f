package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

// OverError means that a run does not go on, and why.
type OverError struct {
	Run  string
	File string // of its runbook, from wherever we are now
	Why  string
}

// Error implements error.
func (e *OverError) Error() string {
	return fmt.Sprintf("run %s %s: it does not go on; begin anew with `runbook apply %s`", e.Run, e.Why, e.File)
}

// Cancel ends a run that nobody attends, and frees what it holds: it does not go
// on any more. Nothing is done, also by always steps. A run that is over already
// is an *OverError, one that a process attends a *store.AttendedError; one of which
// nobody knows how a step has ended is refused until that is settled. ref is an
// ID, a unique prefix, or last; the ID is returned.
func (e *Engine) Cancel(ctx context.Context, ref, note string) (string, error) {
	st, err := e.Store()
	if err != nil {
		return "", err
	}
	id, err := st.Resolve(ref)
	if err != nil {
		return "", err
	}
	kept, err := st.OpenRun(id)
	if err != nil {
		return id, err
	}
	err = e.cancel(kept, id, note)
	if err = errors.Join(err, kept.Close()); err != nil {
		return id, err
	}
	return id, st.Release(ctx, id)
}

func (e *Engine) cancel(kept *store.Run, id, note string) error {
	history, err := events(kept)
	if err != nil || len(history) == 0 { // nothing was begun that could be ended
		return err
	}
	if err := over(history, id); err != nil {
		return err
	}
	if steps := apply.Unsettled(history); len(steps) > 0 {
		return fmt.Errorf("nobody knows how %s of run %s ended: settle that first, by `runbook resume %[2]s` or its --resolve %s=done|retry|fail",
			strings.Join(steps, ", "), id, steps[0])
	}
	message := "cancelled by " + operator()
	if note != "" {
		message += ": " + note
	}
	return kept.Append(event.Event{
		FormatVersion: event.FormatVersion, Seq: history[len(history)-1].Seq + 1, Time: e.clock.Now(), Run: id,
		Type: event.RunFinished, Outcome: apply.Failed, Cancelled: true, Message: message,
	})
}

// over is why a run on record cannot go on; nil where it can.
func over(history []event.Event, id string) error {
	first, finished := bounds(history)
	if first == nil || finished == nil {
		return nil
	}
	file := whereabouts(first.Start)
	switch {
	case finished.Cancelled:
		return &OverError{Run: id, File: file, Why: "was " + finished.Message}
	case finished.Outcome == apply.Succeeded:
		return &OverError{Run: id, File: file, Why: "has succeeded"}
	case finished.Outcome == apply.RolledBack:
		return &OverError{Run: id, File: file, Why: "was rolled back"}
	}
	return nil
}
