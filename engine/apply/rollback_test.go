package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// undo is a rollback that sets a switch of its own.
const undo = `
  rollback {
    action "fake.set" {
      name  = "undo-NAME"
      value = "on"
    }
  }
`

// back is the policy by which a step that ends badly has what was done taken back.
const back = "  on_failure = \"rollback\"\n"

// ends makes the attempts at switches end as told, and all others well.
func (tr *trial) ends(how map[string]schema.State) {
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		state, bad := how[name]
		return schema.Outcome{State: state, Failure: &schema.Failure{Code: "broken", Message: name + " is broken"}}, bad
	}
}

func TestRollback(t *testing.T) {
	always := step("last", set+"  always = true\n")
	tests := map[string]struct {
		source string
		ends   map[string]schema.State
		want   string
		calls  string
	}{
		"in reverse order, the failed one first, and what is always done last": {
			step("a", set+undo) + step("b", set+undo) + step("c", set+undo+back) + always, map[string]schema.State{"c": schema.FailedPartial},
			"rolled_back: a=rolled_back b=rolled_back c=rolled_back last=done", "a b c undo-c undo-b undo-a last",
		},
		"not what failed and changed nothing": {
			step("a", set+undo) + step("b", set+undo+back), map[string]schema.State{"b": schema.FailedClean},
			"rolled_back: a=rolled_back b=failed", "a b undo-a",
		},
		"where nothing was changed it is a failure": {
			step("a", set+undo+back), map[string]schema.State{"a": schema.FailedClean}, "failed: a=failed", "a",
		},
		"where nothing has a way back it is a failure": {
			step("a", set) + step("b", set+back), map[string]schema.State{"b": schema.FailedClean}, "failed: a=done b=failed", "a b",
		},
		"what depends on another comes after it": {
			step("a", set+undo) + step("b", set+strings.Replace(undo, "rollback {", "rollback {\n    depends_on = [step.a]", 1)) + step("c", set+undo+back), map[string]schema.State{"c": schema.FailedPartial},
			"rolled_back: a=rolled_back b=rolled_back c=rolled_back", "a b c undo-c undo-a undo-b",
		},
		"one that fails does not stop the others": {
			step("a", set+undo) + step("b", set+undo) + step("c", set+undo+back) + always, map[string]schema.State{"c": schema.FailedPartial, "undo-b": schema.FailedPartial},
			"failed: a=rolled_back b=rollback_failed c=rolled_back last=done", "a b c undo-c undo-b undo-a last",
		},
		"never across a point of no return": {
			step("a", set+undo) + step("b", set+undo+"  point_of_no_return = true\n") + step("c", set+undo) + step("d", set+back), map[string]schema.State{"d": schema.FailedClean},
			"rolled_back: a=done b=rolled_back c=rolled_back d=failed", "a b c d undo-c undo-b",
		},
		"across one that has changed nothing": {
			step("a", set+undo) + step("b", set+back+"  point_of_no_return = true\n"), map[string]schema.State{"b": schema.FailedClean},
			"rolled_back: a=rolled_back b=failed", "a b undo-a",
		},
		"not while nobody knows how a step ended": {
			step("a", set+undo) + step("b", set+undo+"depends_on = [step.a]\n") + step("c", set+undo+back+"depends_on = [step.a]\n") + always, map[string]schema.State{"b": schema.Unknown, "c": schema.FailedPartial},
			"failed: a=done b=unknown c=failed last=done", "a b c last",
		},
		"not for an unknown outcome": {
			step("a", set+undo) + step("b", set+undo+back), map[string]schema.State{"b": schema.Unknown}, "failed: a=done b=unknown", "a b",
		},
		"not because of an always step": {
			step("a", set+undo) + step("last", set+back+"always = true\n"), map[string]schema.State{"last": schema.FailedPartial}, "failed: a=done last=failed", "a last",
		},
		"also where a precondition stands in the way": {
			step("a", set+undo) + step("b", set+back+"precondition \"p\" {\n probe \"fake.get\" { name = \"never\" }\n}\n"), nil,
			"rolled_back: a=rolled_back b=blocked", "a undo-a",
		},
		"and what comes after is not run": {
			step("a", set+undo) + step("b", set+undo+back) + step("c", set+undo), map[string]schema.State{"b": schema.FailedPartial},
			"rolled_back: a=rolled_back b=rolled_back c=not_run", "a b undo-b undo-a",
		},
		"each instance by itself": {
			step("a", "for_each = [\"x\", \"y\"]\nmax_parallel = 1\n"+strings.ReplaceAll(set+undo, "NAME", "NAME-${each.key}")) + step("b", set+back), map[string]schema.State{"b": schema.FailedClean},
			"rolled_back: a[\"x\"]=rolled_back a[\"y\"]=rolled_back b=failed", "a-x a-y b undo-a-y undo-a-x",
		},
		"it has to be proved": {
			step("a", set+strings.Replace(undo, "rollback {", "rollback {\n    verify \"is_back\" {\n      probe \"fake.get\" { name = \"never\" }\n    }", 1)) + step("b", set+back), map[string]schema.State{"b": schema.FailedClean},
			"failed: a=rollback_failed b=failed", "a b undo-a",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr := virtualTrial(t, test.source)
			tr.settling = schema.Manual
			tr.ends(test.ends)
			tr.expect(tr.run(), test.want)
			if got := strings.Join(tr.calls, " "); got != test.calls {
				t.Errorf("called %s, want %s", got, test.calls)
			}
		})
	}
}

// What a crash cuts off at any point is taken back in the end, each rollback once.
func TestRollbackIsFinishedAfterACrash(t *testing.T) {
	source := step("a", set+undo) + step("b", set+undo) + step("c", set+undo+back) + step("last", set+"  always = true\n")
	const want = "rolled_back: a=rolled_back b=rolled_back c=rolled_back last=done"
	for k := 1; ; k++ {
		tr := virtualTrial(t, source)
		tr.settling = schema.Manual
		tr.ends(map[string]schema.State{"c": schema.FailedPartial})
		tr.record.fails = k
		if first := tr.run(); first.RecordError == nil {
			tr.expect(first, want)
			if k < 10 {
				t.Errorf("only %d points to crash at", k-1)
			}
			return
		}
		tr.record.fails = 0
		tr.opts.Resolve = map[string]string{}
		if open := openAttempt(tr.record.events); open != nil { // the process was gone as it acted: a person has looked
			tr.opts.Resolve[open.Step] = apply.ResolveDone
			if open.Step == "step.c" && !open.Attempt.TakesBack {
				tr.opts.Resolve[open.Step] = apply.ResolveFail
			}
		}
		tr.expect(tr.again(), want)
		slices.Sort(tr.calls)
		if got := strings.Join(tr.calls, " "); got != "a b c last undo-a undo-b undo-c" {
			t.Errorf("cut off after %d groups: called %s", k, got)
		}
	}
}

// openAttempt is the last attempt where its end is not on record.
func openAttempt(events []event.Event) *event.Event {
	var open *event.Event
	for i := range events {
		switch events[i].Type {
		case event.ActionStarted:
			open = &events[i]
		case event.ActionFinished:
			open = nil
		}
	}
	return open
}

// A rollback whose outcome nobody knows is settled like any other.
func TestRollbackWithAnUnknownOutcome(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"c": schema.FailedClean, "undo-b": schema.Unknown})
	r := tr.run()
	tr.expect(r, "failed: a=done b=unknown c=failed")
	if diff := cmp.Diff([]string{"the rest was not taken back while nobody knows how the rollback of step.b ended"}, r.Warnings); diff != "" {
		t.Error(diff)
	}
	tr.opts.Resolve = map[string]string{"step.b": apply.ResolveDone}
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back c=failed")
	if got := strings.Join(tr.calls, " "); got != "a b c undo-b undo-a" {
		t.Error(got)
	}
}

// A rollback that failed clean is tried again by a resume, one that may have
// changed something only by a person's word.
func TestResumeTriesARollbackAgain(t *testing.T) {
	for state, want := range map[schema.State]string{schema.FailedClean: "rolled_back: a=rolled_back b=failed", schema.FailedPartial: "failed: a=rollback_failed b=failed"} {
		tr := virtualTrial(t, step("a", set+undo)+step("b", set+back))
		tr.settling = schema.Manual
		tr.ends(map[string]schema.State{"b": schema.FailedClean, "undo-a": state})
		tr.expect(tr.run(), "failed: a=rollback_failed b=failed")
		tr.ends(map[string]schema.State{"b": schema.FailedClean})
		tr.expect(tr.again(), want)
		tr.opts.Resolve = map[string]string{"step.a": apply.ResolveRetry}
		tr.expect(tr.again(), "rolled_back: a=rolled_back b=failed")
	}
}

// A call is taken back as one step: by its own policy, or by that of whoever
// calls.
func TestRollbackOfACall(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo) + step("q", set+undo)}
	tr := calling(t, step("a", set+undo)+call("")+step("b", set+back), other)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.expect(tr.run(), "rolled_back: a=rolled_back x=rolled_back x.step.p=rolled_back x.step.q=rolled_back b=failed")
	if got := strings.Join(tr.calls, " "); got != "a p q b undo-q undo-p undo-a" {
		t.Error(got)
	}

	inner := map[string]string{"other.hcl": "runbook \"other\" {\n on_failure = \"rollback\"\n}\n" + step("p", set+undo) + step("q", set+undo)}
	tr = calling(t, step("a", set+undo)+call("  on_failure = \"continue\"\n")+"step \"b\" {\n depends_on = [step.a]\n"+strings.ReplaceAll(set, "NAME", "b")+"}\n", inner)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"q": schema.FailedPartial})
	tr.expect(tr.run(), "failed: a=done x=failed x.step.p=rolled_back x.step.q=rolled_back b=done")
}

// What ended well is taken back too where a person wants it, and only once.
func TestTakeBackByHand(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set))
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: a=done b=done c=done")
	tr.opts.History = slices.Clone(tr.record.events)
	foreseen := apply.Back(t.Context(), tr.opts)
	var order []string
	for _, s := range foreseen.Steps {
		order = append(order, s.Address)
	}
	if diff := cmp.Diff([]string{"step.b", "step.a"}, order); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]plan.LeftStep{{Address: "step.c", Why: "it has no rollback"}}, foreseen.Left); diff != "" {
		t.Error(diff)
	}
	tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back c=done")
	tr.opts.TakeBack, tr.opts.Start.TakeBack = false, false
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back c=done")
	if got := strings.Join(tr.calls, " "); got != "a b c undo-b undo-a" {
		t.Error(got)
	}
}

// A run that was cut off is taken back by hand once what it did is settled; what
// had not begun does not begin.
func TestTakeBackByHandAfterACrash(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+undo))
	tr.settling = schema.Manual
	tr.run()
	tr.crashed(event.ActionStarted, "step.b")
	tr.calls = nil
	tr.opts.TakeBack = true
	tr.expect(tr.again(), "failed: a=done b=unknown c=not_run")
	tr.opts.Resolve = map[string]string{"step.b": apply.ResolveDone}
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back c=not_run")
	if got := strings.Join(tr.calls, " "); got != "undo-b undo-a" {
		t.Error(got)
	}
}

// undoDestroys is an undo that a person has to see.
var undoDestroys = strings.Replace(undo, "value = \"on\"", "value = \"on\"\n      destroys = true", 1)

// A destructive rollback makes its step ask, and is approved with it.
func TestDestructiveRollbackIsApprovedWithItsStep(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undoDestroys)+step("b", set+back))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.expect(tr.run(), "waiting: a= b=")
	if len(tr.calls) > 0 {
		t.Errorf("called %v", tr.calls)
	}
	asked := tr.record.events[slices.IndexFunc(tr.record.events, func(e event.Event) bool { return e.Type == event.StepWaiting })]
	want := &event.WayBack{Action: "fake.set", Destructive: true, Command: "set undo-a on", Effects: []schema.Effect{{Resource: "fake://host/undo-a", Mode: schema.Write}}}
	if diff := cmp.Diff(want, asked.Attempt.WayBack); diff != "" || asked.Message != plan.RollbackDestroys {
		t.Error(asked.Message, diff)
	}
	tr.opts.Approved["step.a"] = []apply.Approval{{Shown: true, Effects: asked.Attempt.Effects, Impact: asked.Attempt.Impact, WayBack: asked.Attempt.WayBack}}
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=failed")
}

// One that would hit what was not shown asks again: the run waits in the middle,
// and goes on from there, always steps after it.
func TestRollbackThatHitsMoreAsksAgain(t *testing.T) {
	wider := strings.Replace(undoDestroys, "value = \"on\"", "value = \"on\"\n      touches = try(self.result.value, \"\") == \"\" ? \"fake://host/x\" : \"fake://host/more\"", 1)
	tr := virtualTrial(t, step("a", set+wider)+step("b", set+back)+step("last", set+"  always = true\n"))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	shown := &event.WayBack{Destructive: true, Effects: []schema.Effect{{Resource: "fake://host/undo-a", Mode: schema.Write}}}
	tr.opts.Approved["step.a"] = []apply.Approval{{Shown: true, Effects: []schema.Effect{{Resource: "fake://host/a", Mode: schema.Write}}, Impact: schema.Impact{"rows": 0}, WayBack: shown}}
	tr.expect(tr.run(), "waiting: a= b=failed last=")
	tr.opts.Approved["step.a"] = []apply.Approval{{Shown: true, Effects: []schema.Effect{{Resource: "fake://host/more", Mode: schema.Write}}, Impact: schema.Impact{"rows": 0}}}
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=failed last=done")
	if got := strings.Join(tr.calls, " "); got != "a b undo-a last" {
		t.Error(got)
	}
}

// The first interrupt does not leave a system half taken back.
func TestInterruptLetsARollbackFinish(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back))
	tr.takes = time.Second
	interrupt := make(chan struct{})
	tr.opts.Interrupt = interrupt
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		if name == "undo-b" {
			close(interrupt)
		}
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "broken"}}, name == "c"
	}
	tr.expect(tr.run(), "rolled_back: a=rolled_back b=rolled_back c=failed")
}

// What was interrupted, or ran out of time, is not taken back by itself.
func TestNothingIsTakenBackAfterAnInterrupt(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo+back))
	interrupt := make(chan struct{})
	tr.opts.Interrupt = interrupt
	tr.takes = time.Second
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		if name == "b" {
			close(interrupt)
		}
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: "broken"}}, name == "b"
	}
	tr.expect(tr.run(), "interrupted: a=done b=failed")
	tr.opts.Interrupt, tr.act = nil, nil
	tr.settling = schema.Manual
	tr.opts.TakeBack = true
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back")
}

// A step that waits for a person as what was done is taken back is not run.
func TestRollbackDismissesWhatWaits(t *testing.T) {
	asks := strings.Replace(set, "value = \"on\"", "value = \"on\"\n destroys = true", 1)
	tr := virtualTrial(t, step("a", set+undo)+step("w", asks+"depends_on = [step.a]\n")+step("after", set+"depends_on = [step.w]\n")+
		step("b", set+back+"depends_on = [step.a]\n")+step("last", set+"always = true\n"))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.expect(tr.run(), "rolled_back: a=rolled_back w=not_run after=not_run b=failed last=done")
}

// A long roll is taken back in one go through its order.
func TestRollbackOfManySteps(t *testing.T) {
	var source strings.Builder
	for i := range 300 {
		source.WriteString(step(fmt.Sprintf("s%d", i), set+undo))
	}
	source.WriteString(step("end", set+back))
	tr := virtualTrial(t, source.String())
	tr.ends(map[string]schema.State{"end": schema.FailedClean})
	if r := tr.run(); r.Outcome != apply.RolledBack || len(tr.calls) != 601 {
		t.Errorf("%s after %d calls", r.Outcome, len(tr.calls))
	}
}
