package apply_test

import (
	"context"
	"slices"
	"testing"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// An open attempt of a fallback that has another name now is not repeated as the
// step's own action.
func TestRenamedFallbackRepeatsTheOwnAction(t *testing.T) {
	source := func(label string) string {
		return step("x", set+"fallback \""+label+"\" {\n action \"fake.set\" {\n name = \"y\"\n value = \"on\"\n}\n}\n")
	}
	tr := virtualTrial(t, source("y"))
	tr.settling = schema.Manual
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		tr.settling = schema.Idempotent // the fallback's class
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: "broken"}}, name == "x"
	}
	tr.run()
	cutAt := 0
	for i, e := range tr.record.events {
		if e.Type == event.ActionStarted {
			cutAt = i + 1
		}
	}
	tr.record.events = tr.record.events[:cutAt]
	tr.calls = nil
	tr.rb = load(t, source("why"))
	tr.opts.Frame = link(t, tr.rb)
	tr.settling = schema.Manual
	tr.again()
	if slices.Contains(tr.calls, "x") {
		t.Error("the step's own action, manual and half done, was done again")
	}
}

func TestGrewUndeclared(t *testing.T) {
	shown := plan.Backward{Steps: []plan.BackStep{{Address: "step.a", Effects: []schema.Effect{{Resource: "fake://x", Mode: schema.Write}}}}}
	now := plan.Backward{Steps: []plan.BackStep{{Address: "step.a", Undeclared: true}}}
	if got := now.Grew(shown); len(got) == 0 {
		t.Error("it does not say any more what it would touch, and that is no growth")
	}
}

// A destructive fallback is seen for itself, whatever the step's own action touches.
func TestDestructiveFallbackUnderTheApprovalOfAnother(t *testing.T) {
	destroying := func(name string) string {
		return "action \"fake.set\" {\n name = \"" + name + "\"\n value = \"on\"\n destroys = true\n touches = \"fake://host/db\"\n}\n"
	}
	tr := virtualTrial(t, step("x", destroying("x")+"fallback \"y\" {\n"+destroying("y")+"}\n"))
	tr.counts = -1
	tr.ends(map[string]schema.State{"x": schema.FailedClean})
	var asked []apply.Question
	tr.opts.Ask = func(_ context.Context, q apply.Question) (bool, error) {
		asked = append(asked, q)
		return true, nil
	}
	tr.run()
	if len(asked) != 2 || asked[1].Fallback == "" {
		t.Errorf("asked %d times: the fallback has to be seen for itself", len(asked))
	}
}

// What was cut off, and is found not to have begun, has not failed: it is done
// again, and no fallback of it.
func TestWhatHadNotBegunIsDoneAgainBeforeAnyFallback(t *testing.T) {
	tr := virtualTrial(t, step("a", set+"fallback \"other\" {\n action \"fake.set\" {\n name = \"other\"\n value = \"on\"\n}\n}\n"))
	tr.settling = schema.Observed
	tr.settle = func(string) schema.Outcome {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "never begun"}}
	}
	tr.run()
	tr.crashed(event.ActionStarted, "step.a")
	tr.called()
	tr.expect(tr.again(), "succeeded: a=done")
	tr.expectCalls("a")
}
