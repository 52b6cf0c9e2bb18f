package apply_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A log that cannot be kept starts nothing new, but must not cost the record the
// outcome of what was done.
func TestOutcomeIsRecordedThoughTheLogIsNot(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("b", set))
	tr.record.unlogged = errors.New("no space left on device")
	r := tr.run()
	tr.expect(r, "failed: a=done b=not_run")
	if r.RecordError == nil {
		t.Error("the run does not say that its record is not complete")
	}
	var states []schema.State
	for _, e := range tr.record.events {
		if e.Type == event.ActionFinished {
			states = append(states, e.Attempt.State)
		}
	}
	if diff := cmp.Diff([]schema.State{schema.Done}, states); diff != "" {
		t.Error(diff)
	}
}
