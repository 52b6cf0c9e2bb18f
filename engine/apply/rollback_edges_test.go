package apply_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

func calls(tr *trial) string { return strings.Join(tr.calls, " ") }

// The always step of a call that is under way does not keep the outer rollback from
// beginning.
func TestInnerAlwaysKeepsOuterRollbackFromBeginning(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo) + step("q", set+"always = true\n")}
	tr := calling(t, step("a", set+undo)+call("depends_on = [step.a]\n")+step("b", set+back+"depends_on = [step.a]\n"), other)
	tr.settling = schema.Manual
	tr.takesOf = func(name string) time.Duration {
		return map[string]time.Duration{"p": 10 * time.Second}[name]
	}
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	r := tr.run()
	tr.expect(r, "rolled_back: a=rolled_back x=rolled_back x.step.p=rolled_back x.step.q=done b=failed")
}

// Nothing is taken back while nobody knows how an always step ended.
func TestAlwaysUnknownAndByHand(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("last", set+undo+"  always = true\n"))
	tr.settling = schema.Manual
	tr.run()
	tr.crashed(event.ActionStarted, "step.last")
	tr.record.held["step.last.1"] = true // its orphan still works
	tr.calls = nil
	tr.opts.TakeBack = true
	tr.again()
	if calls(tr) != "" {
		t.Errorf("taken back though nobody knows how step.last ended, and its attempt still works: %s", calls(tr))
	}
}

// The same, without a rollback of its own.
func TestAlwaysUnknownWithoutRollback(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("last", set+"  always = true\n"))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"last": schema.Unknown})
	tr.expect(tr.run(), "failed: a=done last=unknown")
	tr.calls = nil
	tr.opts.TakeBack = true
	tr.again()
	if calls(tr) != "" {
		t.Errorf("taken back: %s", calls(tr))
	}
}

// A call in which only an always step waits does not keep what was done from being
// taken back.
func TestInnerAlwaysWaits(t *testing.T) {
	asks := strings.Replace(set, "value = \"on\"", "value = \"on\"\n destroys = true", 1)
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set) + step("q", asks+"always = true\n")}
	tr := calling(t, step("a", set+undo)+call("depends_on = [step.a]\n")+step("b", set+back+"depends_on = [step.a]\n"), other)
	tr.settling = schema.Manual
	tr.takesOf = func(name string) time.Duration {
		return map[string]time.Duration{"b": 10 * time.Second}[name]
	}
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.expect(tr.run(), "waiting: a=rolled_back x= x.step.p=done x.step.q= b=failed")
}

// What nobody knows inside of a call can be settled, and then it is taken back.
func TestUnknownInsideACall(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo)}
	tr := calling(t, step("a", set+undo)+call(back), other)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"p": schema.Unknown})
	r := tr.run()
	for range 2 {
		tr.opts.Resolve = map[string]string{"step.x.step.p": apply.ResolveDone}
		r = tr.again()
	}
	if len(r.Unknown) > 0 {
		t.Errorf("a person said what it did, and it is still unknown: %v", r.Unknown)
	}
}

// The same by hand.
func TestUnknownInsideACallByHand(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo)}
	tr := calling(t, step("a", set+undo)+call(""), other)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"p": schema.Unknown})
	r := tr.run()
	tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
	tr.opts.Resolve = map[string]string{"step.x.step.p": apply.ResolveDone}
	r = tr.again()
	tr.opts.TakeBack, tr.opts.Start.TakeBack = false, false
	tr.opts.Resolve = map[string]string{"step.x.step.p": apply.ResolveDone}
	r = tr.again()
	if len(r.Unknown) > 0 {
		t.Errorf("a person said what it did, and it is still unknown: %v", r.Unknown)
	}
}

// A rollback of another process reads captures with a for_each.
func TestCapturesOfAForEach(t *testing.T) {
	source := "step \"c\" {\n for_each = [\"k\"]\n probe \"fake.get\" {\n  name = \"c\"\n }\n}\n" +
		step("b", set+strings.Replace(undo, `"on"`, `step.c["k"].result.value`, 1))
	tr := virtualTrial(t, source)
	tr.values["c"] = "was"
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: c[\"k\"]=done b=done")
	tr.opts.TakeBack = true
	r := tr.again()
	tr.expect(r, "rolled_back: c[\"k\"]=done b=rolled_back")
}

// Satisfied instances stay so.
func TestSatisfiedInstances(t *testing.T) {
	tr := virtualTrial(t, "step \"s\" {\n for_each = [\"k\"]\n"+strings.ReplaceAll(set+goal, "NAME", "s")+"}\n"+step("b", set+undo))
	tr.values["s"] = "on"
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: s[\"k\"]=satisfied b=done")
	tr.opts.TakeBack = true
	tr.expect(tr.again(), "rolled_back: s[\"k\"]=satisfied b=rolled_back")
}

// A sensitive capture is looked at again for a rollback of another process.
func TestSensitiveCaptureInARollback(t *testing.T) {
	source := "step \"c\" {\n probe \"fake.get\" {\n  name = \"c\"\n  sensitive = true\n }\n}\n" +
		step("b", set+strings.Replace(undo, `value = "on"`, "value = \"on\"\n touches = try(\"fake://host/${step.c.result.value}\", \"fake://host/EVERYTHING\")", 1))
	tr := virtualTrial(t, source)
	tr.values["c"] = "one"
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: c=done b=done")
	tr.opts.TakeBack = true
	tr.expect(tr.again(), "rolled_back: c=done b=rolled_back")
	for _, e := range tr.record.events {
		if e.Type == event.ActionStarted && e.Attempt.TakesBack {
			if e.Attempt.Effects[0].Resource != "fake://host/one" {
				t.Error("it touched something else")
			}
		}
	}
}

// An instance that is none any more is taken back too, or listed.
func TestGoneInstance(t *testing.T) {
	source := "locals {\n hosts = split(\",\", file(\"hosts.txt\"))\n}\nstep \"a\" {\n for_each = local.hosts\n" + strings.ReplaceAll(set+undo, "NAME", "a-${each.key}") + "}\n" + step("b", set+undo)
	tr := calling(t, source, map[string]string{"hosts.txt": "x,y"})
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: a[\"x\"]=done a[\"y\"]=done b=done")
	write(t, tr.rb.Dir+"/hosts.txt", "y")
	tr.opts.TakeBack = true
	r := tr.again()
	if !strings.Contains(calls(tr), "undo-a-x") && !strings.Contains(strings.Join(r.Warnings, " "), "x") {
		t.Error("a[x] was done, is not taken back, and nobody says so")
	}
}

// A resume locks what its rollbacks would touch.
func TestRemainingLocksOfWaysBack(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+back))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.run()
	tr.crashed(event.ActionFinished, "step.a") // killed before b: a is done or proved
	tr.opts.History = slices.Clone(tr.record.events)
	tr2 := virtualTrial(t, step("a", set+undo)+step("b", set+back))
	tr2.run()
	tr2.crashed(event.StepFinished, "step.a")
	tr2.opts.History = slices.Clone(tr2.record.events)
	got := apply.Remaining(t.Context(), tr2.opts)
	if !slices.Contains(got, schema.Effect{Resource: "fake://host/undo-a", Mode: schema.Write}) {
		t.Error("the way back of step.a is not locked")
	}
}

// A rollback that destroys asks where it was shown as one that does not.
func TestNewlyDestructiveRollback(t *testing.T) {
	destroying := strings.Replace(set, "value = \"on\"", "value = \"on\"\n destroys = true", 1)
	later := strings.Replace(undo, "value = \"on\"", "value = \"on\"\n destroys = try(self.result.value, \"\") == \"on\"\n touches = \"fake://host/x\"", 1)
	tr := virtualTrial(t, step("a", destroying+later)+step("b", set+back))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	var asked []apply.Question
	tr.opts.Backend = known{tr.world}
	tr.opts.Ask = func(_ context.Context, q apply.Question) (bool, error) {
		asked = append(asked, q)
		return true, nil
	}
	tr.run()
	for _, e := range tr.record.events {
		if e.Type == event.ActionStarted && e.Attempt.TakesBack && e.Attempt.Destructive && len(asked) < 2 {
			t.Error("a destructive rollback was done that was shown as one that destroys nothing")
		}
	}
}

// known is a world that copes with unknown arguments.
type known struct{ *world }

func (w known) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d := schema.Description{Effects: []schema.Effect{{Resource: "fake://host/x", Mode: schema.Write}}}
	if len(op.Unknown) > 0 {
		return d, nil
	}
	return w.world.Describe(ctx, ref, op)
}

// A run is not over in the middle of a rollback by hand.
func TestOverInTheMiddleOfARollbackByHand(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set)+step("last", set+"always = true\n"))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"c": schema.FailedClean})
	tr.expect(tr.run(), "failed: a=done b=done c=failed last=done")
	kill := make(chan struct{})
	tr.opts.Kill = kill
	interrupt := make(chan struct{})
	tr.opts.Interrupt = interrupt
	tr.takes = time.Second
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		if name == "undo-b" {
			close(interrupt)
			close(kill)
		}
		return schema.Outcome{}, false
	}
	tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
	r := tr.again()
	if r.Outcome == apply.Interrupted && r.Over {
		t.Error("over, so its locks are given back, and a resume would go on taking back")
	}
	tr.opts.Interrupt, tr.opts.Kill, tr.opts.TakeBack, tr.act = nil, nil, false, nil
	tr.expect(tr.again(), "rolled_back: a=rolled_back b=rolled_back c=failed last=done")
}

// The step's timeout does not bound its rollback.
func TestTimeoutBoundsRollback(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo+"timeout = \"10s\"\n")+step("b", set+back))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.takesOf = func(name string) time.Duration {
		return map[string]time.Duration{"undo-a": 60 * time.Second}[name]
	}
	tr.expect(tr.run(), "rolled_back: a=rolled_back b=failed")
}

// What stays is judged by all attempts.
func TestLeftByLastAttempt(t *testing.T) {
	reads := "fallback \"say\" {\n action \"fake.set\" {\n name = \"say\"\n value = \"on\"\n}\n}\n"
	tr := virtualTrial(t, step("a", set+reads)+step("b", set+back))
	tr.opts.Backend = sayer{tr.world}
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"a": schema.FailedPartial, "b": schema.FailedClean})
	r := tr.run()
	if !strings.Contains(strings.Join(r.Warnings, " "), "step.a was not taken back") {
		t.Error("step.a changed something, is not taken back, and nobody says so")
	}
}

type sayer struct{ *world }

func (w sayer) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	if text(op.Arguments, "name") == "say" {
		return schema.Description{}, nil
	}
	return w.world.Describe(ctx, ref, op)
}
func (w sayer) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	return w.Describe(ctx, ref, op)
}

// Where a log cannot be kept nothing new starts, no rollback either.
func TestLogFailure(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+back))
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		tr.record.unlogged = errFull
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "broken"}}, name == "b"
	}
	tr.takesOf = func(name string) time.Duration { return 0 }
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	inner := tr.act
	tr.act = func(ctx context.Context, name, v string, n int) (schema.Outcome, bool) {
		return inner(ctx, name, v, n)
	}
	tr.opts.Record = failing4{tr.record, tr.world}
	tr.run()
	if strings.Contains(calls(tr), "undo") {
		t.Error("a rollback was begun though logs cannot be kept")
	}
}

type failing4 struct {
	*memory
	w *world
}

func (f failing4) Log(step, line string) error {
	if step == "step.b" {
		return errFull
	}
	return nil
}

var errFull = errors.New("no space left on device")

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
