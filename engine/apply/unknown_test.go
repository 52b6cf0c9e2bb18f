package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// dies makes the first attempt at a end without a final word; done tells
// whether it took effect all the same.
func dies(tr *trial, took bool) {
	tr.act = func(_ context.Context, name, value string, attempt int) (schema.Outcome, bool) {
		if name != "a" || attempt > 1 {
			return schema.Outcome{}, false
		}
		if took {
			tr.values[name] = value
		}
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Code: "provider_died", Message: "the provider died"}}, true
	}
}

func TestUnknownOutcome(t *testing.T) {
	tests := map[string]struct {
		class schema.Settling
		goal  bool
		took  bool
		want  string
		calls []string
	}{
		"the goal holds: found done":          {schema.Manual, true, true, "succeeded: a=done b=done", []string{"a", "b"}},
		"idempotent: again":                   {schema.Idempotent, true, false, "succeeded: a=done b=done", []string{"a", "a", "b"}},
		"keyed: again with the same key":      {schema.Keyed, false, false, "succeeded: a=done b=done", []string{"a", "a", "b"}},
		"manual: nobody knows, nothing later": {schema.Manual, true, false, "failed: a=unknown b=not_run", []string{"a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := set
				if test.goal {
					body += goal
				}
				tr := newTrial(t, step("a", body)+step("b", set))
				tr.settling = test.class
				dies(tr, test.took)
				tr.expect(tr.run(), test.want)
				if diff := cmp.Diff(test.calls, tr.calls); diff != "" {
					t.Error(diff)
				}
				if len(tr.keys) > 1 && tr.calls[1] == "a" && tr.keys[0] != tr.keys[1] {
					t.Errorf("the key changed though nobody knows how the first attempt ended: %v", tr.keys)
				}
			})
		})
	}
}

func TestUnknownSettledByTheProvider(t *testing.T) {
	for state, want := range map[schema.State]string{
		schema.Done:        "succeeded: a=done b=done",
		schema.FailedClean: "failed: a=failed b=not_run",
		schema.Unknown:     "failed: a=unknown b=not_run",
	} {
		t.Run(string(state), func(t *testing.T) {
			tr := newTrial(t, step("a", set)+step("b", set))
			tr.settling = schema.Observed
			tr.world.settle = func(string) schema.Outcome { return schema.Outcome{State: state, Result: cty.NilVal} }
			dies(tr, true)
			tr.expect(tr.run(), want)
		})
	}
}

func TestUnknownIsNeverIgnored(t *testing.T) {
	tr := newTrial(t, step("a", set+"on_failure = \"ignore\"\n")+step("b", set))
	tr.settling = schema.Manual
	dies(tr, false)
	tr.expect(tr.run(), "failed: a=unknown b=not_run")
}

func TestOrphanIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+goal))
		tr.record.held["step.a.1"] = true
		dies(tr, true)
		tr.expect(tr.run(), "failed: a=unknown")
		delete(tr.record.held, "step.a.1")
		tr.expect(tr.again(), "succeeded: a=done")
		if diff := cmp.Diff([]string{"a"}, tr.calls); diff != "" {
			t.Error(diff)
		}
	})
}

// A precondition that fails before the action is done again must not hide that
// nobody knows how the first attempt ended.
func TestUnknownIsNotHiddenByABlock(t *testing.T) {
	tr := newTrial(t, step("a", set+"precondition \"p\" {\n probe \"fake.get\" { name = \"p\" }\n}\n"))
	tr.values["p"] = "on"
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		tr.values["p"] = "off"
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Message: "the provider died"}}, true
	}
	r := tr.run()
	tr.expect(r, "failed: a=unknown")
	if reason := r.Steps[0].Reason; !strings.Contains(reason, "the provider died") || !strings.Contains(reason, "p is off") {
		t.Errorf("it does not give both reasons: %s", reason)
	}
}

func TestProviderThatAlwaysDiesIsNotFedForEver(t *testing.T) {
	tr := newTrial(t, step("a", set))
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.Unknown}, true
	}
	tr.expect(tr.run(), "failed: a=unknown")
	if len(tr.calls) != 2 {
		t.Errorf("%d attempts", len(tr.calls))
	}
}

// crashed cuts the record as a killed engine leaves it: right after the n-th
// event of the given type.
func (tr *trial) crashed(after event.Type, step string) {
	for i, e := range tr.record.events {
		if e.Type == after && e.Step == step {
			tr.record.events = tr.record.events[:i+1]
			return
		}
	}
	tr.t.Fatalf("no %s of %s on record", after, step)
}

func TestResumeAfterACrash(t *testing.T) {
	tests := map[string]struct {
		after event.Type
		step  string
		class schema.Settling
		calls []string // of the second process
		want  string
	}{
		"before the intent":        {event.StepStarted, "step.b", schema.Manual, []string{"b", "c"}, "succeeded: a=done b=done c=done"},
		"after it, the goal holds": {event.ActionStarted, "step.b", schema.Manual, []string{"c"}, "succeeded: a=done b=done c=done"},
		"after the outcome":        {event.ActionFinished, "step.b", schema.Manual, []string{"c"}, "succeeded: a=done b=done c=done"},
		"after the step":           {event.StepFinished, "step.b", schema.Manual, []string{"c"}, "succeeded: a=done b=done c=done"},
		"in a step without a goal": {event.ActionStarted, "step.c", schema.Manual, nil, "failed: a=done b=done c=unknown"},
		"there, but idempotent":    {event.ActionStarted, "step.c", schema.Idempotent, []string{"c"}, "succeeded: a=done b=done c=done"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, step("a", set+goal)+step("b", set+goal)+step("c", set))
			tr.settling = test.class
			tr.run()
			tr.crashed(test.after, test.step)
			if test.after == event.StepStarted {
				delete(tr.values, "b")
			}
			tr.calls = nil
			tr.expect(tr.again(), test.want)
			if diff := cmp.Diff(test.calls, tr.calls); diff != "" {
				t.Error(diff)
			}
			for i := 1; i < len(tr.record.events); i++ {
				if before, e := tr.record.events[i-1], tr.record.events[i]; e.Seq <= before.Seq {
					t.Fatalf("%s has number %d after %d", e.Type, e.Seq, before.Seq)
				}
			}
		})
	}
}

func TestResolve(t *testing.T) {
	for word, want := range map[string]string{
		"done":  "succeeded: a=done b=done",
		"retry": "succeeded: a=done b=done",
		"fail":  "failed: a=failed b=not_run",
	} {
		t.Run(word, func(t *testing.T) {
			tr := newTrial(t, step("a", set)+step("b", set))
			tr.settling = schema.Manual
			dies(tr, false)
			tr.expect(tr.run(), "failed: a=unknown b=not_run")
			tr.opts.Resolve = map[string]string{"step.a": word}
			tr.expect(tr.again(), want)
			if word == "retry" && tr.keys[0] == tr.keys[1] {
				t.Error("a person said the attempt is over: the next must have a key of its own")
			}
		})
	}
}

func TestDiagnosisStandsAfterTheFirstIntent(t *testing.T) {
	source := "check \"a_off\" {\n probe \"fake.get\" { name = \"a\" }\n assert = result.value != \"on\"\n}\n" +
		step("a", "when = check.a_off.holds\n"+set) + step("b", "when = check.a_off.holds\n"+set)
	tr := newTrial(t, source)
	tr.expect(tr.run(), "succeeded: a=done b=done")
	tr.crashed(event.StepFinished, "step.a")
	tr.calls = nil
	tr.expect(tr.again(), "succeeded: a=done b=done")
	if diff := cmp.Diff([]string{"b"}, tr.calls); diff != "" {
		t.Error(diff)
	}
}

// An attempt that its step's timeout cut off has had its time: it is not begun
// again before somebody resumes the run.
func TestTimedOutIsNotBegunAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"timeout = \"10s\"\n"))
		tr.takes = time.Hour
		tr.act = func(_ context.Context, _, _ string, attempt int) (schema.Outcome, bool) {
			return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Message: "killed"}}, attempt == 1
		}
		tr.expect(tr.run(), "failed: a=unknown")
		if len(tr.calls) != 1 {
			t.Errorf("%d attempts", len(tr.calls))
		}
		tr.takes = 0
		tr.expect(tr.again(), "succeeded: a=done")
	})
}
