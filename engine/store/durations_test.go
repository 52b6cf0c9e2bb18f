package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

// Only what acted and ended done counts, in runs that one process brought to
// their end, newest first.
func TestDurations(t *testing.T) {
	st, err := store.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	keep := func(id string, events ...event.Event) {
		t.Helper()
		run, err := st.NewRun(id)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Append(events...); err != nil {
			t.Fatal(err)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
	start := func(runbook string) event.Event {
		return event.Event{Type: event.RunStarted, Start: &event.Start{Runbook: runbook}}
	}
	acted := event.Event{Type: event.ActionStarted, Step: "step.a", Attempt: &event.Attempt{Number: 1}}
	ended := func(step, status string, seconds float64) event.Event {
		return event.Event{Type: event.StepFinished, Step: step, Status: status, DurationSeconds: seconds}
	}
	finish := event.Event{Type: event.RunFinished, Outcome: "succeeded"}

	keep("20260101-000001-0001", start("r"), acted, ended("step.a", "done", 1), ended("step.b", "satisfied", 7), finish)
	keep("20260101-000002-0002", start("r"), acted, ended("step.a", "done", 2), finish)
	keep("20260101-000003-0003", start("other"), acted, ended("step.a", "done", 50), finish)
	keep("20260101-000004-0004", start("r"), acted, start("r"), ended("step.a", "done", 60), finish) // resumed
	keep("20260101-000005-0005", start("r"), acted, ended("step.a", "failed", 70), finish)
	person := event.Event{Type: event.StepWaiting, Step: "step.a", WaitsFor: "person"}
	keep("20260101-000007-0007", start("r"), person, acted, ended("step.a", "done", 1800), finish)
	keep("20260101-000006-0006", start("r"), acted, ended("step.a", "done", 80)) // crashed

	for runs, want := range map[int]map[string][]time.Duration{
		20: {"step.a": {2 * time.Second, time.Second}},
		1:  {"step.a": {2 * time.Second}},
	} {
		got, err := st.Durations("r", runs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("of %d runs (-want +got):\n%s", runs, diff)
		}
	}
}
