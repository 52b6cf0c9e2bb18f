package apply_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

const always = "  always = true\n"

// backAgain has the run taken back by hand.
func (tr *trial) backAgain() apply.Result {
	tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
	defer func() { tr.opts.TakeBack, tr.opts.Start.TakeBack = false, false }()
	return tr.again()
}

// called tells what was called since it was asked last.
func (tr *trial) called() string {
	calls := strings.Join(tr.calls, " ")
	tr.calls = nil
	return calls
}

func (tr *trial) expectCalls(want string) {
	tr.t.Helper()
	if got := tr.called(); got != want {
		tr.t.Errorf("called %s, want %s", got, want)
	}
}

// What nobody knows of a rollback is found out before any other has another turn,
// and one that has failed is not forgotten meanwhile.
func TestResumeSettlesARollbackFirst(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"c": schema.FailedClean, "undo-b": schema.FailedClean, "undo-a": schema.Unknown})
	tr.expect(tr.run(), "failed: a=unknown b=rollback_failed c=failed")
	tr.called()
	tr.expect(tr.again(), "failed: a=unknown b=rollback_failed c=failed")
	tr.expectCalls("")
	tr.ends(nil)
	tr.opts.Resolve = map[string]string{"step.a": apply.ResolveDone}
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back c=failed")
	tr.expectCalls("undo-b")
}

// A repeat that failed says nothing of the rollback that was cut off before it.
func TestResumeDoubtsARollbackThatWasRepeated(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back))
	tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		state := map[string]schema.State{"c": schema.FailedClean, "undo-b": schema.FailedClean, "undo-a": schema.FailedPartial}[name]
		if name == "undo-a" && attempt == 1 {
			state = schema.Unknown
		}
		return schema.Outcome{State: state, Failure: &schema.Failure{Message: "broken"}}, state != ""
	}
	tr.expect(tr.run(), "failed: a=unknown b=rollback_failed c=failed")
	tr.called()
	tr.expect(tr.again(), "failed: a=unknown b=rollback_failed c=failed")
	tr.expectCalls("undo-a")
}

// A step that had failed and has begun again is settled before anything is taken
// back.
func TestResumeDoesNotForgetWhatHadBegunAgain(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo+"depends_on = []\n")+step("b", set+undo+back+"depends_on = []\n"))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"a": schema.FailedClean, "b": schema.FailedClean})
	tr.expect(tr.run(), "failed: a=failed b=failed")
	// It is what a process leaves behind that had begun with a again.
	again := slices.IndexFunc(tr.record.events, func(e event.Event) bool { return e.Type == event.ActionStarted && e.Step == "step.a" })
	open := tr.record.events[again]
	attempt := *open.Attempt
	attempt.Number, attempt.Lock = 2, "step.a.2"
	open.Attempt, open.Seq = &attempt, tr.record.events[len(tr.record.events)-1].Seq+1
	tr.record.events = append(tr.record.events, open)
	tr.expect(tr.again(), "failed: a=unknown b=failed")
}

// What a step has done of which nobody knows how it ended is part of what a call
// came to: that is no reason yet to take anything back, and it is settled however
// the call ended.
func TestRollbackWaitsForWhatACallLeftOpen(t *testing.T) {
	inner := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo) + step("q", set+undo)}
	tr := calling(t, step("a", set+undo)+call(back), inner)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"q": schema.Unknown})
	tr.expect(tr.run(), "failed: a=done x=failed x.step.p=done x.step.q=unknown")
	tr.ends(nil)
	tr.opts.Resolve = map[string]string{"step.x.step.q": apply.ResolveDone}
	tr.expect(tr.again(), "succeeded: a=done x=done x.step.p=done x.step.q=done")

	tr = calling(t, step("a", set+undo+"depends_on = []\n")+strings.Replace(call(""), "call {", "depends_on = []\n  call {", 1)+step("b", set+back+"depends_on = []\n"), inner)
	tr.settling = schema.Manual
	tr.takesOf = func(name string) time.Duration {
		return map[string]time.Duration{"q": time.Second, "b": time.Second}[name]
	}
	tr.ends(map[string]schema.State{"q": schema.Unknown, "b": schema.FailedPartial})
	tr.expect(tr.run(), "failed: a=done x=failed x.step.p=done x.step.q=unknown b=failed")
	tr.opts.Resolve = map[string]string{"step.x.step.q": apply.ResolveDone}
	tr.called()
	tr.expect(tr.again(), "rolled_back: a=rolled_back x=rolled_back x.step.p=rolled_back x.step.q=rolled_back b=failed")
	tr.expectCalls("undo-q undo-p undo-a")
}

// What a call did is taken back by hand however it had ended, and whoever calls.
func TestTakeBackByHandOfCalls(t *testing.T) {
	inner := "runbook \"other\" {}\n" + step("p", "for_each = [\"x\", \"y\"]\nmax_parallel = 1\n"+strings.ReplaceAll(set+undo, "NAME", "p-${each.key}")) + step("q", set)
	tr := calling(t, call(always), map[string]string{"other.hcl": inner})
	tr.expect(tr.run(), `succeeded: x=done x.step.p["x"]=done x.step.p["y"]=done x.step.q=done`)
	tr.called()
	tr.expect(tr.backAgain(), `rolled_back: x=rolled_back x.step.p["x"]=rolled_back x.step.p["y"]=rolled_back x.step.q=done`)
	tr.expectCalls("undo-p-y undo-p-x")

	tr = calling(t, call(""), map[string]string{"other.hcl": inner})
	interrupt := make(chan struct{})
	tr.opts.Interrupt, tr.takes = interrupt, time.Second
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		if name == "p-x" {
			close(interrupt)
		}
		return schema.Outcome{}, false
	}
	tr.expect(tr.run(), `interrupted: x=interrupted x.step.p["x"]=done x.step.p["y"]=not_run x.step.q=not_run`)
	tr.opts.Interrupt, tr.act = nil, nil
	tr.called()
	tr.expect(tr.backAgain(), `rolled_back: x=rolled_back x.step.p["x"]=rolled_back x.step.p["y"]=not_run x.step.q=not_run`)
	tr.expectCalls("undo-p-x")
}

// What was not known when a run was looked at is said, whether the process that
// began it has ended or not.
func TestTakeBackByHandForeseesWhatIsOpen(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"b": schema.Unknown})
	tr.expect(tr.run(), "failed: a=done b=unknown")
	tr.opts.History = slices.Clone(tr.record.events)
	if diff := cmp.Diff([]string{"step.b"}, apply.Back(t.Context(), tr.opts).Open); diff != "" {
		t.Error(diff)
	}
}

// What has been taken back stays so though something else is not known: but then
// the run is not rolled back, also after an interrupt.
func TestRolledBackIsNotSaidWhileSomethingIsOpen(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo+back)+step("last", set+always))
	interrupt := make(chan struct{})
	tr.opts.Interrupt, tr.settling, tr.takes = interrupt, schema.Manual, time.Second
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		state := map[string]schema.State{"b": schema.FailedPartial, "last": schema.Unknown}[name]
		if name == "undo-b" {
			close(interrupt)
		}
		return schema.Outcome{State: state, Failure: &schema.Failure{Message: "broken"}}, state != ""
	}
	tr.expect(tr.run(), "interrupted: a=rolled_back b=rolled_back last=unknown")
}

// Once an always step has run, a resume takes no more back, and says so; a person
// can have it done.
func TestResumeTakesNothingBackAfterAnAlwaysStep(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back)+step("last", set+undo+always))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"c": schema.FailedClean, "undo-b": schema.Unknown})
	tr.expect(tr.run(), "failed: a=done b=unknown c=failed last=done")
	tr.ends(nil)
	tr.opts.Resolve = map[string]string{"step.b": apply.ResolveDone}
	tr.called()
	r := tr.again()
	tr.expect(r, "failed: a=done b=rolled_back c=failed last=done")
	if diff := cmp.Diff([]string{"step.a was not taken back: an always step has run since; `runbook rollback r1` does it"}, r.Warnings); diff != "" {
		t.Error(diff)
	}
	tr.expect(tr.backAgain(), "rolled_back: a=rolled_back b=rolled_back c=failed last=rolled_back")
	tr.expectCalls("undo-last undo-a")
}

// What always steps did once all had been taken back by hand stays, though the
// process was cut off before its last word.
func TestResumeOfATakeBackLeavesWhatAlwaysStepsDid(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("last", set+undo+always))
	tr.expect(tr.run(), "succeeded: a=done b=done last=done")
	tr.crashed(event.StepFinished, "step.b")
	tr.expect(tr.backAgain(), "rolled_back: a=rolled_back b=rolled_back last=done")
	tr.crashed(event.ActionFinished, "step.last")
	tr.called()
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back last=done")
	tr.expectCalls("")
}

// An instance that is skipped stays so, though a resume is cut off before it comes
// to it.
func TestResumeKeepsInstances(t *testing.T) {
	tr := virtualTrial(t, step("a", set+"verify \"v\" {\n probe \"fake.get\" { name = \"a\" }\n within = \"1h\"\n}\n")+roll(`["x", "y"]`, "depends_on = []\nwhen = each.key == \"z\""))
	tr.ends(nil)
	interrupt := make(chan struct{})
	tr.opts.Interrupt = interrupt
	tr.observe = func(string) (schema.Outcome, bool) { return answer(false, "off", ""), true }
	tr.clock.AfterFunc(time.Minute, func() { close(interrupt) })
	tr.expect(tr.run(), `interrupted: a=interrupted roll["x"]=skipped roll["y"]=skipped`)
	gone := make(chan struct{})
	close(gone)
	tr.opts.Interrupt = gone
	tr.expect(tr.again(), `interrupted: a=interrupted roll["x"]=skipped roll["y"]=skipped`)
}

// Why a run was taken back is not lost with the process that decided it.
func TestResumeSaysWhyItTakesBack(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+back))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.run()
	want := tr.record.events[len(tr.record.events)-1].Message
	tr.crashed(event.StepFinished, "step.b")
	tr.again()
	if diff := cmp.Diff(want, tr.record.events[len(tr.record.events)-1].Message); diff != "" {
		t.Error(diff)
	}
}
