package ui

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A resume alone does nothing about a step that a second interrupt has cut: the
// word that it takes is named.
func TestInterruptedRunNamesTheWordsThatItWants(t *testing.T) {
	cut := event.Attempt{Number: 1, Action: "exec.run", Settling: schema.Manual, State: schema.FailedPartial}
	var r Recap
	for _, e := range script(
		start("step.slow", "step.far"),
		event.Event{Type: event.ActionFinished, Step: "step.slow", Attempt: &cut},
		event.Event{Type: event.StepFinished, Step: "step.slow", Status: "failed"},
		event.Event{Type: event.StepFinished, Step: "step.far", Status: "unknown"},
		event.Event{Type: event.RunFinished, Outcome: "interrupted"},
	) {
		if err := r.Emit(e); err != nil {
			t.Fatal(err)
		}
	}
	var texts []string
	for _, c := range r.commands() {
		texts = append(texts, c.text)
	}
	want := []string{
		"runbook resume 20260304-031209-k3v9 --resolve step.far=done",
		"runbook resume 20260304-031209-k3v9 --resolve step.slow=retry",
		"runbook resume 20260304-031209-k3v9",
		"runbook plan runbooks/postgres_to_feast.hcl",
		"runbook runs show 20260304-031209-k3v9",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
}
