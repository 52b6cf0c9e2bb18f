package apply_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// An always step that has begun when it is decided to take back acts afterwards:
// it looks again then.
func TestAlwaysStepThatHasBegunActsAfterTheRollback(t *testing.T) {
	waits := "precondition \"p\" {\n probe \"fake.get\" { name = \"ready\" }\n within = \"1h\"\n}\n"
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+back+"depends_on = [step.a]\n")+step("last", set+waits+always+"depends_on = [step.a]\n"))
	tr.takesOf = func(name string) time.Duration {
		return map[string]time.Duration{"b": time.Minute, "undo-a": time.Minute}[name]
	}
	tr.ends(map[string]schema.State{"b": schema.FailedPartial})
	tr.observe = func(string) (schema.Outcome, bool) {
		return answer(tr.clock.Now().Sub(tr.opts.Run.StartedAt) > 90*time.Second, "ready", ""), true
	}
	tr.expect(tr.run(), "rolled_back: a=rolled_back b=failed last=done")
	tr.expectCalls("a b undo-a last")
}

// An always step that was cut off goes on after what was done has been taken back
// by hand, and what it had done of itself is left for that.
func TestAlwaysStepGoesOnAfterTakeBackByHand(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("last", set+undo+always))
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: a=done last=done")
	tr.crashed(event.ActionStarted, "step.last")
	tr.called()
	tr.opts.Resolve = map[string]string{"step.last": "retry"}
	tr.expect(tr.backAgain(), "rolled_back: a=rolled_back last=done")
	tr.expectCalls("undo-a last")
}

// Each instance of an always step is kept until then, but for those that have
// ended.
func TestInstancesOfAnAlwaysStepAfterTakeBackByHand(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("last", always+"for_each = [\"x\", \"y\", \"z\"]\nmax_parallel = 1\n"+strings.ReplaceAll(set+undo, "NAME", "${each.key}")))
	tr.expect(tr.run(), `succeeded: a=done last["x"]=done last["y"]=done last["z"]=done`)
	tr.crashed(event.StepFinished, `step.last["x"]`)
	tr.called()
	tr.expect(tr.backAgain(), `rolled_back: a=rolled_back last["x"]=rolled_back last["y"]=done last["z"]=done`)
	tr.expectCalls("undo-x undo-a y z")
}

// An always step of a call runs as the call ends: that does not keep what was done
// from being taken back.
func TestAlwaysStepOfACallIsNotAfterTheRollback(t *testing.T) {
	inner := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo) + step("last", set+always)}
	tr := calling(t, step("a", set+undo+"depends_on = []\n")+strings.Replace(call(""), "call {", "depends_on = []\n  call {", 1)+step("b", set+back+"depends_on = []\n"), inner)
	tr.takesOf = func(name string) time.Duration { return map[string]time.Duration{"p": time.Minute}[name] }
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.expect(tr.run(), "rolled_back: a=rolled_back x=rolled_back x.step.p=rolled_back x.step.last=done b=failed")
	tr.expectCalls("a p b last undo-p undo-a")
}

// A rollback that one depends on is not done any earlier for that: what was done
// last is taken back first.
func TestRollbacksThatDependOnOthersWait(t *testing.T) {
	after := func(names string) string {
		return strings.Replace(undo, "rollback {", "rollback {\n    depends_on = ["+names+"]", 1)
	}
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+after("step.a")+back))
	tr.ends(map[string]schema.State{"c": schema.FailedPartial})
	tr.expect(tr.run(), "rolled_back: a=rolled_back b=rolled_back c=rolled_back")
	tr.expectCalls("a b c undo-b undo-a undo-c")

	tr = virtualTrial(t, step("a", "for_each = [\"x\", \"y\"]\nmax_parallel = 1\n"+strings.ReplaceAll(set+undo, "NAME", "NAME-${each.key}"))+step("b", set+after("step.a")+back))
	tr.ends(map[string]schema.State{"b": schema.FailedPartial})
	tr.expect(tr.run(), `rolled_back: a["x"]=rolled_back a["y"]=rolled_back b=rolled_back`)
	tr.expectCalls("a-x a-y b undo-a-y undo-a-x undo-b")
}

// A point of no return that was crossed after a call had been taken back by itself
// keeps a resume from trying that again.
func TestPointOfNoReturnOnRecordIsKnownAtOnce(t *testing.T) {
	inner := map[string]string{"other.hcl": "runbook \"other\" {\n on_failure = \"rollback\"\n}\n" + step("p", set+undo)}
	tr := calling(t, call("  on_failure = \"continue\"\n")+step("b", set+"point_of_no_return = true\n"), inner)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"p": schema.FailedPartial, "undo-p": schema.FailedClean})
	tr.expect(tr.run(), "failed: x=failed x.step.p=rollback_failed b=done")
	tr.ends(nil)
	tr.called()
	tr.expect(tr.again(), "failed: x=failed x.step.p=rollback_failed b=done")
	tr.expectCalls("")
}

// A fallback that an interrupt kept from being tried leaves its step undecided, so
// that a resume tries it, also where a failure would be ignored.
func TestInterruptLeavesAFallbackToTry(t *testing.T) {
	other := "fallback \"other\" {\n action \"fake.set\" {\n name = \"other\"\n value = \"on\"\n }\n}\n"
	tr := virtualTrial(t, step("a", set+other+"on_failure = \"ignore\"\n"))
	tr.settling = schema.Manual
	interrupt := make(chan struct{})
	tr.opts.Interrupt, tr.takes = interrupt, time.Second
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		if name == "a" {
			close(interrupt)
		}
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: "broken"}}, name == "a"
	}
	r := tr.run()
	tr.expect(r, "interrupted: a=interrupted")
	if want := "broken; its fallback other was not tried"; r.Steps[0].Reason != want {
		t.Errorf("says %q", r.Steps[0].Reason)
	}
	tr.opts.Interrupt = nil
	tr.expect(tr.again(), "succeeded: a=done")
	tr.expectCalls("a other")
}
