package apply_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A person's word cannot end an attempt that still works: two would be at it.
func TestResolveWaitsForTheOrphan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set))
		tr.settling = schema.Manual
		dies(tr, false)
		tr.expect(tr.run(), "failed: a=unknown")
		tr.record.held["step.a.1"] = true
		tr.opts.Resolve = map[string]string{"step.a": apply.ResolveRetry}
		r := tr.again()
		tr.expect(r, "failed: a=unknown")
		if !strings.Contains(r.Steps[0].Reason, "attempt 1 still works") {
			t.Errorf("it does not say who still works: %s", r.Steps[0].Reason)
		}
		if diff := cmp.Diff([]string{"a"}, tr.calls); diff != "" {
			t.Error(diff)
		}
	})
}

// A person's word that nothing asked for is not taken for one that was heard.
func TestUnusedWordsAreTold(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("b", set))
	tr.settling = schema.Manual
	dies(tr, false)
	tr.expect(tr.run(), "failed: a=unknown b=not_run")
	tr.opts.Resolve = map[string]string{"step.a": apply.ResolveDone, "step.b": apply.ResolveFail}
	r := tr.again()
	tr.expect(r, "succeeded: a=done b=done")
	if diff := cmp.Diff([]string{"--resolve step.b=fail was not used: nobody had to say how that step ended"}, r.Warnings); diff != "" {
		t.Error(diff)
	}
}

// The key belongs to the attempt: a resume finds it on record, also where a
// person's word had changed it in between.
func TestKeyStaysTheAttemptsOverTwoResumes(t *testing.T) {
	tr := newTrial(t, step("a", set))
	tr.settling = schema.Manual
	dies(tr, false)
	tr.expect(tr.run(), "failed: a=unknown")

	tr.settling = schema.Keyed
	tr.opts.Resolve = map[string]string{"step.a": apply.ResolveRetry}
	tr.expect(tr.again(), "succeeded: a=done")
	cut := 0 // right after the second intent: the engine was killed again
	for i, e := range tr.record.events {
		if e.Type == event.ActionStarted {
			cut = i + 1
		}
	}
	tr.record.events = tr.record.events[:cut]
	tr.opts.Resolve = nil
	tr.expect(tr.again(), "succeeded: a=done")
	if len(tr.keys) != 3 || tr.keys[0] == tr.keys[1] || tr.keys[1] != tr.keys[2] {
		t.Errorf("want a new key for the retry, and that one again after the crash: %v", tr.keys)
	}
}

// A failure that an earlier resume put right does not end the run for the
// always step that runs after it.
func TestAlwaysAfterAMendedFailureDoesNotEndTheRun(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("last", set+"always = true\n")+step("z", set))
	tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "refused"}}, name == "a" && attempt == 1
	}
	tr.expect(tr.run(), "failed: a=failed last=done z=not_run")
	// The first process was killed before it reached the always step.
	tr.crashed(event.StepFinished, "step.a")
	tr.expect(tr.again(), "succeeded: a=done last=done z=done")
	tr.crashed(event.ActionStarted, "step.z")
	tr.values["z"] = "off"
	tr.expect(tr.again(), "succeeded: a=done last=done z=done")
}

// What a capture read is not kept where it is sensitive: it is read again.
func TestSensitiveCaptureIsReadAgain(t *testing.T) {
	source := "step \"c\" {\n probe \"fake.get\" {\n  name = \"c\"\n  sensitive = true\n }\n}\n" +
		step("b", "action \"fake.set\" {\n name = \"b\"\n value = step.c.result.value\n}\n")
	tr := newTrial(t, source)
	tr.values["c"] = "hunter2"
	tr.expect(tr.run(), "succeeded: c=done b=done")
	tr.crashed(event.StepFinished, "step.c")
	delete(tr.values, "b")
	tr.expect(tr.again(), "succeeded: c=done b=done")
	if tr.values["b"] != "hunter2" {
		t.Errorf("b was set to %q", tr.values["b"])
	}
}

// Once an always step has run after a stop, a resume only settles: locks are
// free, and nothing is done again under the writers it let back in.
func TestRunIsOverAfterAnAlwaysStep(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("last", set+"always = true\n"))
	tr.settling = schema.Manual
	dies(tr, false)
	r := tr.run()
	tr.expect(r, "failed: a=unknown last=done")
	if !r.Over {
		t.Error("the run is not over")
	}
	tr.opts.Resolve = map[string]string{"step.a": apply.ResolveRetry}
	r = tr.again()
	tr.expect(r, "failed: a=unknown last=done")
	if !strings.Contains(r.Steps[0].Reason, "cannot be done again") {
		t.Errorf("it does not say why: %s", r.Steps[0].Reason)
	}
	tr.opts.Resolve = map[string]string{"step.a": apply.ResolveDone}
	tr.expect(tr.again(), "succeeded: a=done last=done")
}

// A failure under continue stops nothing, so an always step after it is like any.
func TestAlwaysAfterContinueIsNotTheEnd(t *testing.T) {
	tr := newTrial(t, step("a", set+"on_failure = \"continue\"\n")+step("last", set+"always = true\n"))
	tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "refused"}}, name == "a" && attempt == 1
	}
	r := tr.run()
	tr.expect(r, "failed: a=failed last=done")
	if r.Over {
		t.Error("the run is over though nothing stopped it")
	}
	tr.expect(tr.again(), "succeeded: a=done last=done")
}

// After the second interrupt an always step would only be cut off: it is left to
// the resume, and the run is not over.
func TestAlwaysIsLeftToTheResumeAfterASecondInterrupt(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("last", set+"always = true\n"))
	interrupt, kill := make(chan struct{}), make(chan struct{})
	tr.opts.Interrupt, tr.opts.Kill = interrupt, kill
	tr.act = func(ctx context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		if name != "a" || attempt > 1 {
			return schema.Outcome{}, false
		}
		close(interrupt)
		close(kill)
		<-ctx.Done()
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "cancelled"}}, true
	}
	r := tr.run()
	tr.expect(r, "interrupted: a=failed last=interrupted")
	if r.Over {
		t.Error("the run is over though its always step has not run")
	}
	tr.opts.Interrupt, tr.opts.Kill = nil, nil
	tr.expect(tr.again(), "succeeded: a=done last=done")
	if diff := cmp.Diff([]string{"a", "a", "last"}, tr.calls); diff != "" {
		t.Error(diff)
	}
}

// A person's word that an action is to be done again outlives a process that did
// not come to it: the next one does not ask for it again.
func TestWordToRetryIsOnRecord(t *testing.T) {
	tr := virtualTrial(t, step("b", set+"depends_on = []\n")+step("a", set+"depends_on = []\n"))
	tr.settling = schema.Manual
	tr.act = func(_ context.Context, _, _ string, attempt int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Message: "the provider died"}}, attempt == 1
	}
	tr.expect(tr.run(), "failed: b=unknown a=unknown")
	tr.opts.Resolve = map[string]string{"step.a": apply.ResolveRetry}
	r := tr.again() // b stops the run
	tr.expect(r, "failed: b=unknown a=failed")
	if reason := r.Steps[1].Reason; !strings.HasPrefix(reason, "to be done again, says tester; and now: ") {
		t.Errorf("a says %q", reason)
	}
	tr.opts.Resolve = map[string]string{"step.b": apply.ResolveDone}
	tr.expect(tr.again(), "succeeded: b=done a=done")
	if diff := cmp.Diff([]string{"b", "a", "a"}, tr.calls); diff != "" {
		t.Error(diff)
	}
	if tr.keys[1] == tr.keys[2] {
		t.Error("a person said the attempt is over: the next must have a key of its own")
	}
}

// An attempt with undeclared effects runs alone, also where a resume finds out
// what came of it: nothing else acts meanwhile.
func TestUndeclaredEffectsAreAloneOverAResume(t *testing.T) {
	tr := newTrial(t, step("a", set+`
  goal "on" {
    probe "fake.get" {
      name = "a"
    }
    within = "1m"
  }
`)+step("b", set+"depends_on = []\n"))
	tr.hides = map[string]bool{"a": true}
	virtual := clock.NewVirtual(tr.opts.Run.StartedAt)
	tr.clock, tr.opts.Clock = virtual, virtual
	tr.opts.Only = map[string]bool{"step.a": true} // it acts first
	tr.run()
	tr.crashed(event.ActionStarted, "step.a")
	tr.opts.Only = nil
	delete(tr.values, "a")
	looks := 0
	tr.observe = func(string) (schema.Outcome, bool) {
		if looks++; looks < 4 {
			return answer(false, "not yet", "off"), true
		}
		return answer(true, "on", "on"), true
	}
	tr.expect(tr.again(), "succeeded: a=done b=done")
	ended, begun := -1, -1
	for i, e := range tr.record.events {
		switch {
		case e.Type == event.StepFinished && e.Step == "step.a":
			ended = i
		case e.Type == event.ActionStarted && e.Step == "step.b":
			begun = i
		}
	}
	if ended < 0 || begun < ended {
		t.Errorf("step.b acted (event %d) before it was known what step.a did (event %d)", begun, ended)
	}
}

// What a resume may still touch is known before any step of it begins: of steps
// that have not ended well, with what those that did have left behind.
func TestRemainingIsWhatHasNotEndedWell(t *testing.T) {
	tr := virtualTrial(t, step("done", set)+step("open", set)+
		step("later", "action \"fake.set\" {\n name = \"later\"\n value = \"on\"\n touches = \"fake://${step.done.result.value}/x\"\n}\n")+
		step("skipped", set+"when = false\n")+
		step("each", "for_each = [\"k\", \"l\"]\naction \"fake.set\" {\n name = each.key\n value = \"on\"\n}\n"))
	tr.run()
	tr.crashed(event.ActionStarted, "step.open")
	tr.opts.History = tr.record.events
	var got []string
	for _, e := range apply.Remaining(t.Context(), tr.opts) {
		got = append(got, string(e.Mode)+" "+e.Resource)
	}
	slices.Sort(got)
	want := []string{"write fake://host/k", "write fake://host/l", "write fake://host/open", "write fake://on/x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if events := len(tr.record.events); events != len(tr.opts.History) || len(tr.calls) != 5 {
		t.Errorf("looking ahead did something: %d events, %v", events, tr.calls)
	}
}
