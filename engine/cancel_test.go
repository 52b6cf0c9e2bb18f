package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A run of which nobody knows what an attempt did is not given up, whatever came of
// those that repeated it; what it holds stays held.
func TestCancelWantsToKnowWhatWasDone(t *testing.T) {
	begun := func(number int, key string) event.Event {
		return event.Event{Type: event.ActionStarted, Step: "step.a", Attempt: &event.Attempt{Number: number, Key: key}}
	}
	came := func(number int, key string, state schema.State, settled string) event.Event {
		return event.Event{Type: event.ActionFinished, Step: "step.a", Attempt: &event.Attempt{Number: number, Key: key, State: state, Settled: settled}}
	}
	ended := func(status string) event.Event {
		return event.Event{Type: event.StepFinished, Step: "step.a", Status: status}
	}
	held := []schema.Effect{{Resource: "redis://h:6379/0", Mode: schema.Write}, {Resource: "runbook:left", Mode: schema.Write}}
	for name, test := range map[string]struct {
		events  []event.Event
		refused bool
	}{
		"nothing was done":                   {nil, false},
		"cut off":                            {[]event.Event{begun(1, "k")}, true},
		"unknown":                            {[]event.Event{begun(1, "k"), came(1, "k", schema.Unknown, ""), ended("unknown")}, true},
		"settled":                            {[]event.Event{begun(1, "k"), came(1, "k", schema.Unknown, ""), ended("unknown"), came(1, "k", schema.Done, "goal"), ended("done")}, false},
		"failed":                             {[]event.Event{begun(1, "k"), came(1, "k", schema.FailedPartial, ""), ended("failed")}, false},
		"its repetition failed":              {[]event.Event{begun(1, "k"), came(1, "k", schema.Unknown, ""), begun(2, "k"), came(2, "k", schema.FailedClean, "")}, true},
		"its repetition is settled":          {[]event.Event{begun(1, "k"), came(1, "k", schema.Unknown, ""), begun(2, "k"), came(2, "k", schema.FailedClean, ""), came(2, "k", schema.FailedPartial, "person"), ended("failed")}, false},
		"its repetition did it":              {[]event.Event{begun(1, "k"), came(1, "k", schema.Unknown, ""), begun(2, "k"), came(2, "k", schema.Done, ""), ended("done")}, false},
		"done again as a person said it may": {[]event.Event{begun(1, "k"), came(1, "k", schema.FailedPartial, "person"), begun(2, "l"), came(2, "l", schema.FailedClean, "")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := leave(t, "runbook \"left\" {}\nstep \"a\" {}\n", nil, test.events...)
			want := held
			if !test.refused {
				want = nil
			}
			if _, err := l.engine.Cancel(t.Context(), l.id, ""); (err != nil) != test.refused {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(want, l.holds(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
