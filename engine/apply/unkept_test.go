package apply_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

const (
	token = `
  action "fake.set" {
    name      = "NAME"
    value     = "hunter2"
    sensitive = true
  }
`
	ready = "precondition \"ready\" {\n probe \"fake.get\" { name = \"ready\" }\n}\n"
)

// reading is a step that sets a value to an expression, once it is ready.
func reading(name, value string) string {
	return step(name, ready+"action \"fake.set\" {\n name = \"NAME\"\n value = "+value+"\n}\n")
}

// left is a trial whose first process did all that comes before what is not ready.
func left(t *testing.T, source, want string) *trial {
	t.Helper()
	tr := newTrial(t, source)
	tr.expect(tr.run(), want)
	tr.values["ready"] = "on"
	tr.calls = nil
	return tr
}

// What is sensitive of an action's result is on no record. Who goes on with the run
// is asked for it where something still reads it; the action is not done again.
func TestAResultThatIsOnNoRecordIsAskedFor(t *testing.T) {
	tr := left(t, step("a", token)+reading("z", "step.a.result.value"), "failed: a=done z=blocked")
	r := tr.again()
	tr.expect(r, "waiting: a= z=")
	if diff := cmp.Diff([]string{"step.a"}, r.Waiting); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	asked := tr.record.events[len(tr.record.events)-2]
	if asked.Question == nil || len(asked.Question.Answers) != 1 || asked.Question.Answers[0].Name != "value" || !asked.Question.Answers[0].Sensitive ||
		!strings.Contains(asked.Message, "step.z needs it") {
		t.Errorf("it asks %q, %+v", asked.Message, asked.Question)
	}

	tr.opts.Answer = func(_ context.Context, q apply.Question) (apply.Answer, error) { return apply.Answer{}, nil }
	tr.expect(tr.again(), "waiting: a= z=") // who declines leaves it as it is

	tr.opts.Answer = func(_ context.Context, q apply.Question) (apply.Answer, error) {
		return apply.Answer{Yes: true, By: "ana", Values: map[string]string{"value": "hunter3"}}, nil
	}
	tr.expect(tr.again(), "succeeded: a=done z=done")
	if diff := cmp.Diff([]string{"z"}, tr.calls); diff != "" || tr.values["z"] != "hunter3" {
		t.Errorf("z is %q; acted (-want +got):\n%s", tr.values["z"], diff)
	}
	for _, e := range tr.record.events {
		if e.Step != "step.a" {
			continue // z repeats in its summary what it was told
		}
		if o := e.Observation; o != nil && (strings.Contains(string(o.Result), "hunter") || strings.Contains(o.Message, "hunter")) || strings.Contains(e.Message, "hunter") {
			t.Errorf("on record: %+v", e)
		}
	}
}

// Nothing takes it for null: what reads it waits, whatever it would do without.
func TestNothingIsDoneWithoutAResult(t *testing.T) {
	for _, value := range []string{
		`try(step.a.result.value, "default")`, `coalesce(step.a.result.value, "default")`, `step.a.result == null ? "default" : "x"`,
		`can(step.a.result.value) ? "x" : "default"`, "local.through",
	} {
		tr := left(t, "locals {\n through = try(step.a.result.value, \"default\")\n}\n"+step("a", token)+reading("z", value), "failed: a=done z=blocked")
		tr.expect(tr.again(), "waiting: a= z=")
		if len(tr.calls) > 0 {
			t.Errorf("%s: acted %v", value, tr.calls)
		}
	}
}

// What nobody reads any more is not asked for, and neither is what was kept.
func TestOnlyWhatIsStillReadIsAskedFor(t *testing.T) {
	partly := func(tr *trial) {
		tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
			o := answer(true, "done", "hunter2")
			fields := o.Result.AsValueMap()
			fields["value"] = redact.Mark(fields["value"])
			o.Result = cty.ObjectVal(fields)
			return o, name == "a"
		}
	}
	tr := newTrial(t, step("a", set)+step("b", "action \"fake.set\" {\n name = \"b\"\n value = step.a.result.value\n}\n")+reading("z", "step.a.result.summary"))
	partly(tr)
	tr.expect(tr.run(), "failed: a=done b=done z=blocked")
	tr.values["ready"], tr.calls = "on", nil
	tr.expect(tr.again(), "succeeded: a=done b=done z=done")
	if diff := cmp.Diff([]string{"z"}, tr.calls); diff != "" || tr.values["z"] != "done" {
		t.Errorf("z is %q; acted (-want +got):\n%s", tr.values["z"], diff)
	}
}

// A crash between the action and its proof: the proof reads it.
func TestTheProofAsksForAResult(t *testing.T) {
	tr := newTrial(t, step("a", token+"verify \"v\" {\n assert = self.result.value == \"hunter2\"\n}\n"))
	tr.expect(tr.run(), "succeeded: a=done")
	tr.crashed(event.ActionFinished, "step.a")
	tr.calls = nil
	tr.expect(tr.again(), "waiting: a=")
	tr.opts.Answer = func(context.Context, apply.Question) (apply.Answer, error) {
		return apply.Answer{Yes: true, Values: map[string]string{"value": "hunter2"}}, nil
	}
	tr.expect(tr.again(), "succeeded: a=done")
	if len(tr.calls) > 0 {
		t.Errorf("acted: %v", tr.calls)
	}
}

// What a call that has ended gave out is not asked for inside of it: what reads it
// does nothing.
func TestWhatACallGaveOutIsNotGuessed(t *testing.T) {
	tr := calling(t, call("")+step("z", ready+"action \"fake.set\" {\n name = \"z\"\n value = try(step.x.result.how, \"default\")\n}\n"),
		map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("a", token) + "output \"how\" {\n value = step.a.result.value\n sensitive = true\n}\n"})
	tr.expect(tr.run(), "failed: x=done x.step.a=done z=blocked")
	tr.values["ready"], tr.calls = "on", nil
	r := tr.again()
	tr.expect(r, "failed: x=done x.step.a=done z=blocked")
	if len(tr.calls) > 0 || !strings.Contains(r.Steps[len(r.Steps)-1].Reason, "not known") {
		t.Errorf("acted %v, because %q", tr.calls, r.Steps[len(r.Steps)-1].Reason)
	}
}
