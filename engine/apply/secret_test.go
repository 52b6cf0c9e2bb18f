package apply_test

import (
	"context"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A sensitive result is in no event, its summary included.
func TestSensitiveResultIsInNoEvent(t *testing.T) {
	tr := newTrial(t, "step \"a\" {\n action \"fake.set\" {\n  name = \"a\"\n  value = \"hunter2\"\n  sensitive = true\n }\n}\n")
	tr.expect(tr.run(), "succeeded: a=done")
	for _, e := range tr.screen.events {
		if strings.Contains(e.Message, "hunter2") {
			t.Errorf("%s says %q", e.Type, e.Message)
		}
	}
}

// What is not sensitive of an action's result is kept: a crash between the
// action and its proof leaves something to prove it by.
func TestWhatIsNotSensitiveOfAResultIsKept(t *testing.T) {
	tr := newTrial(t, step("a", set+"verify \"v\" {\n assert = self.result.ok\n}\n"))
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		o := answer(true, "done", "hunter2")
		fields := o.Result.AsValueMap()
		fields["value"] = redact.Mark(fields["value"])
		o.Result = cty.ObjectVal(fields)
		return o, true
	}
	tr.expect(tr.run(), "succeeded: a=done")
	tr.crashed(event.ActionFinished, "step.a")
	for _, e := range tr.record.events {
		if e.Attempt != nil && strings.Contains(string(e.Attempt.Result), "hunter2") {
			t.Errorf("on record: %s", e.Attempt.Result)
		}
	}
	tr.expect(tr.again(), "succeeded: a=done")
	if len(tr.calls) != 1 {
		t.Errorf("%d attempts", len(tr.calls))
	}
}
