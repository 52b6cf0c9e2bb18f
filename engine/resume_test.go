package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A yes is to what was shown when it was said. A larger question that came after
// it is not answered by it.
func TestAnswerCoversWhatWasShownBefore(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 17, 3, minute, 0, 0, time.UTC) }
	asks := func(minute int, rows int64) event.Event {
		return event.Event{Type: event.StepWaiting, Step: "step.a", WaitsFor: "person", Time: at(minute), Attempt: &event.Attempt{Impact: schema.Impact{"rows": rows}}}
	}
	yes := map[string]apply.Approval{}
	answered(yes, []event.Event{asks(1, 100), asks(3, 5000)}, []store.Answer{
		{Step: "step.a", By: "ana", Time: at(2)},
		{Step: "step.other", By: "ana", Time: at(2)},
	})
	want := map[string]apply.Approval{"step.a": {By: "ana", Shown: true, Impact: schema.Impact{"rows": 100}}}
	if diff := cmp.Diff(want, yes); diff != "" {
		t.Error(diff)
	}
}
