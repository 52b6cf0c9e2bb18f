package apply_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
)

// A step with a for_each that did not come to its instances in the first process
// and did in the second is what it came to last: also for a call that has ended,
// whose outputs a third process reads again.
func TestInstancesOutliveThatTheyWereNotRun(t *testing.T) {
	const rolled = `
step "roll" {
  for_each = ["a", "b"]
  action "fake.set" {
    name  = each.key
    value = "on"
  }
}
output "how" {
  value = step.roll.status
}
`
	tr := calling(t, step("first", set)+call("  on_failure = \"continue\"\n")+step("last", set+"when = step.x.result.how == \"done\"\n"),
		map[string]string{"other.hcl": "runbook \"other\" {}\n" + rolled})
	tr.settling = schema.Manual
	failing := func(name string) {
		tr.act = partly(name)
	}
	failing("first")
	tr.expect(tr.run(), "failed: first=failed x=not_run x.step.roll=not_run last=not_run")
	tr.opts.Resolve = map[string]string{"step.first": "retry"}
	failing("last")
	tr.expect(tr.again(), `failed: first=done x=done x.step.roll["a"]=done x.step.roll["b"]=done last=failed`)
	tr.opts.Resolve = map[string]string{"step.last": "retry"}
	tr.act, tr.calls = nil, nil
	tr.expect(tr.again(), `succeeded: first=done x=done x.step.roll["a"]=done x.step.roll["b"]=done last=done`)
	if diff := cmp.Diff([]string{"last"}, tr.calls); diff != "" {
		t.Error(diff)
	}
}

// The instances inside of a call that has ended are what they came to, and are
// not asked for again: not where the run is over, and not where what they were
// made of is not known any more.
func TestInstancesOfACallThatEndedStay(t *testing.T) {
	rolled := "step \"list\" {\n probe \"fake.get\" {\n  name = \"list\"\n  sensitive = true\n }\n}\n" +
		"step \"roll\" {\n for_each = nonsensitive(split(\",\", step.list.result.value))\n when = false\n" + strings.Replace(set, `"NAME"`, "each.key", 1) + "}\n" +
		"output \"how\" {\n value = [for k, s in step.roll : \"${k} ${s.status}\"]\n}\n"
	tr := calling(t, call("")+step("bad", set+"on_failure = \"stop\"\n")+step("last", set+"always = true\n")+"output \"how\" {\n value = step.x.result.how\n}\n",
		map[string]string{"other.hcl": "runbook \"other\" {}\n" + rolled})
	tr.settling = schema.Manual
	tr.values["list"] = "a,b"
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Message: "the provider died"}}, name == "bad"
	}
	const inside = `x.step.list=done x.step.roll["a"]=skipped x.step.roll["b"]=skipped`
	tr.expect(tr.run(), "failed: x=done "+inside+" bad=unknown last=done")
	tr.values["list"] = "c"
	tr.opts.Resolve = map[string]string{"step.bad": "done"}
	r := tr.again()
	tr.expect(r, "succeeded: x=done "+inside+" bad=done last=done")
	if diff := cmp.Diff([]any{"a skipped", "b skipped"}, r.Outputs["how"]); diff != "" {
		t.Error(diff)
	}
}

// A step that failed, and that a resume does not come to, has failed.
func TestFailureIsNotForgottenByAResume(t *testing.T) {
	for name, state := range map[string]schema.State{"clean": schema.FailedClean, "half": schema.FailedPartial} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, step("a", set)+step("b", set)+step("last", set+"always = true\n"))
			failing(tr, 9, state, "broken")
			tr.expect(tr.run(), "failed: a=failed b=not_run last=done")
			r := tr.again() // it is over
			tr.expect(r, "failed: a=failed b=not_run last=done")
			if reason := r.Steps[0].Reason; !strings.HasPrefix(reason, "broken; and now: an always step has run") {
				t.Errorf("a says %q", reason)
			}
		})
	}
}

// A call that has begun is gone on with, but nothing in it acts for the first
// time, or again, while what the call needs has ended badly.
func TestCallThatHasBegunNeedsWhatItNeeds(t *testing.T) {
	const gate = "step \"gate\" {\n precondition \"p\" {\n  probe \"fake.get\" { name = \"p\" }\n }\n on_failure = \"continue\"\n}\n"
	tr := calling(t, gate+call("  depends_on = [step.gate]\n"), map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("a", set) + step("b", set) + step("c", set)})
	tr.values["p"] = "on"
	tr.settling = schema.Manual
	dies(tr, true)
	tr.expect(tr.run(), "failed: gate=satisfied x=failed x.step.a=unknown x.step.b=not_run x.step.c=not_run")
	tr.values["p"], tr.calls = "off", nil
	tr.opts.Resolve = map[string]string{"step.x.step.a": "done"}
	tr.expect(tr.again(), "failed: gate=blocked x=failed x.step.a=done x.step.b=not_run x.step.c=not_run")
	if len(tr.calls) > 0 {
		t.Errorf("acted: %v", tr.calls)
	}
	tr.values["p"] = "on"
	tr.expect(tr.again(), "succeeded: gate=satisfied x=done x.step.a=done x.step.b=done x.step.c=done")
}
