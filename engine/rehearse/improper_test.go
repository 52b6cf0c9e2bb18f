package rehearse

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
)

// Whatever goes wrong, a run ends properly: what a bug of the engine would leave
// behind is told.
func TestImproper(t *testing.T) {
	finished := func(step, status string) event.Event {
		return event.Event{Type: event.StepFinished, Step: step, Status: status}
	}
	started, over := event.Event{Type: event.RunStarted}, event.Event{Type: event.RunFinished, Outcome: apply.Failed}
	result := func(outcome string, waiting []string, statuses ...string) apply.Result {
		r := apply.Result{Outcome: outcome, Waiting: waiting}
		for i, status := range statuses {
			r.Steps = append(r.Steps, apply.StepResult{Address: "step." + string(rune('a'+i)), Status: status})
		}
		return r
	}
	tests := map[string]struct {
		events []event.Event
		result apply.Result
		want   []string
	}{
		"proper":       {[]event.Event{started, finished("step.a", "failed"), finished("step.b", "not_run"), over}, result("failed", nil, "failed", "not_run"), nil},
		"again":        {[]event.Event{started, finished("step.a", "done"), started, finished("step.a", "done"), over}, result("failed", nil, "done"), nil},
		"ended twice":  {[]event.Event{started, finished("step.a", "done"), finished("step.a", "failed"), over}, result("failed", nil, "failed"), []string{"step.a ended 2 times"}},
		"never ended":  {[]event.Event{started, finished("step.a", "done"), over}, result("failed", nil, "done", ""), []string{"step.b has no status, and nothing waits for a person"}},
		"it waits":     {[]event.Event{started, finished("step.a", "done"), {Type: event.RunFinished, Outcome: apply.Waiting}}, result("waiting", []string{"step.b"}, "done", ""), nil},
		"no status":    {[]event.Event{started, finished("step.a", "fine"), over}, result("failed", nil, "fine"), []string{`step.a ended "fine", which is no status`}},
		"no end":       {[]event.Event{started, over, started}, result("failed", nil), []string{`the record says that the run ended "", and it ended "failed"`}},
		"other ending": {[]event.Event{started, over}, result("succeeded", nil), []string{`the record says that the run ended "failed", and it ended "succeeded"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := &backend{record: &record{events: test.events}, result: test.result}
			if diff := cmp.Diff(test.want, b.improper(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
