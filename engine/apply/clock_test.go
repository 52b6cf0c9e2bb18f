package apply_test

import (
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A clock that was set back between two processes of a run makes nothing last less
// than no time, and changes nothing of what is done.
func TestTheClockIsSetBackBeforeAResume(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("b", set)+step("c", set))
	tr.settling = schema.Keyed
	tr.expect(tr.run(), "succeeded: a=done b=done c=done")
	tr.crashed(event.ActionStarted, "step.b")
	for i := range tr.record.events {
		tr.record.events[i].Time = tr.record.events[i].Time.Add(24 * time.Hour)
	}
	before := len(tr.record.events)
	tr.expect(tr.again(), "succeeded: a=done b=done c=done")
	var last int64
	for _, e := range tr.record.events {
		if e.DurationSeconds < 0 {
			t.Errorf("%s of %s took %g s", e.Type, e.Step, e.DurationSeconds)
		}
		if e.Seq <= last {
			t.Errorf("event %d comes after event %d", e.Seq, last)
		}
		last = e.Seq
	}
	if len(tr.record.events) == before {
		t.Error("nothing was done")
	}
}
