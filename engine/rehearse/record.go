package rehearse

import (
	"errors"
	"fmt"

	"github.com/runbook-engine/runbook/engine/event"
)

// record keeps a run in memory, until the engine crashes.
type record struct {
	backend *backend
	events  []event.Event
}

var errGone = errors.New("the engine is gone")

// Append implements apply.Record.
func (r *record) Append(events ...event.Event) error {
	for _, e := range events {
		if r.backend.crashed {
			return errGone
		}
		r.events = append(r.events, e)
		if e.Type == event.StepFinished && r.backend.crashesAt(e.Step) {
			r.backend.crash()
		}
	}
	return nil
}

// Log implements apply.Record.
func (r *record) Log(string, string) error { return nil }

// Pin implements apply.Record.
func (r *record) Pin(string) (*event.File, error) { return nil, nil }

// AttemptLock implements apply.Record.
func (r *record) AttemptLock(step string, attempt int) string {
	return fmt.Sprintf("%s.%d", step, attempt)
}

// AttemptFree implements apply.Record: a crash leaves no orphans.
func (r *record) AttemptFree(string) (bool, error) { return true, nil }
