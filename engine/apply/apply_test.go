package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

const set = `
  action "fake.set" {
    name  = "NAME"
    value = "on"
  }
`

const goal = `
  goal "on" {
    probe "fake.get" { name = "NAME" }
    within = "10s"
    every  = "1s"
  }
`

func step(name, body string) string {
	return "step \"" + name + "\" {\n" + strings.ReplaceAll(body, "NAME", name) + "}\n"
}

func TestRunInWrittenOrder(t *testing.T) {
	tr := newTrial(t, step("a", set+goal)+step("b", set+goal)+step("c", goal+set))
	tr.values["b"] = "on"
	tr.expect(tr.run(), "succeeded: a=done b=satisfied c=done")
	if diff := cmp.Diff([]string{"a", "c"}, tr.calls); diff != "" {
		t.Error(diff)
	}
}

func TestStop(t *testing.T) {
	clean := func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "refused"}}, name == "b"
	}
	tests := map[string]struct{ policy, want string }{
		"stop":     {"", "failed: a=done b=failed c=not_run last=done"},
		"continue": {"on_failure = \"continue\"\n", "failed: a=done b=failed c=done last=done"},
		"ignore":   {"on_failure = \"ignore\"\n", "succeeded: a=done b=failed c=done last=done"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, step("a", set)+step("b", set+test.policy)+step("c", set)+step("last", set+"always = true\n"))
			tr.act = clean
			tr.expect(tr.run(), test.want)
		})
	}
}

func TestNeededStepFailed(t *testing.T) {
	tr := newTrial(t, step("a", set+"on_failure = \"continue\"\n")+step("b", set+"depends_on = [step.a]\n")+step("c", set+"depends_on = []\n"))
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: "half"}}, name == "a"
	}
	tr.expect(tr.run(), "failed: a=failed b=not_run c=done")
}

func TestBlockedWithoutIntent(t *testing.T) {
	tr := newTrial(t, step("a", set+"precondition \"p\" {\n probe \"fake.get\" { name = \"x\" }\n}\n")+step("b", set))
	tr.expect(tr.run(), "blocked: a=blocked b=not_run")
	if len(tr.calls) != 0 {
		t.Errorf("acted: %v", tr.calls)
	}
}

func TestPreconditionIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"precondition \"p\" {\n probe \"fake.get\" { name = \"x\" }\n within = \"1m\"\n}\n"))
		time.AfterFunc(30*time.Second, func() {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			tr.values["x"] = "on"
		})
		begun := time.Now()
		tr.expect(tr.run(), "succeeded: a=done")
		if took := time.Since(begun); took < 30*time.Second || took > 33*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestGoalNeverHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+strings.ReplaceAll(goal, "NAME", "other")))
		begun := time.Now()
		tr.expect(tr.run(), "failed: a=failed")
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("took %s, want the goal's within", took)
		}
	})
}

func TestConflictingEffectsNeverOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		touch := strings.ReplaceAll(set, "}", "  touches = \"fake://host/same\"\n}")
		tr := newTrial(t, step("a", touch+"depends_on = []\n")+step("b", touch+"depends_on = []\n")+step("c", set+"depends_on = []\n"))
		tr.takes = time.Minute
		begun := time.Now()
		tr.expect(tr.run(), "succeeded: a=done b=done c=done")
		if took := time.Since(begun); took != 2*time.Minute || tr.most != 2 {
			t.Errorf("took %s with %d at once, want a and b one after the other and c beside them", took, tr.most)
		}
	})
}

func TestParallelismIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := ""
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			source += step(name, set+"depends_on = []\n")
		}
		tr := newTrial(t, source)
		tr.takes = time.Minute
		tr.opts.Parallelism = 2
		tr.expect(tr.run(), "succeeded: a=done b=done c=done d=done e=done f=done")
		if tr.most != 2 {
			t.Errorf("%d acted at once", tr.most)
		}
	})
}

func TestDestructiveWaitsForAPerson(t *testing.T) {
	destroy := strings.ReplaceAll(set, "}", "  destroys = true\n}")
	source := step("a", set) + step("b", destroy) + step("c", set)
	t.Run("off a terminal", func(t *testing.T) {
		tr := newTrial(t, source)
		tr.expect(tr.run(), "waiting: a=done b= c=")
		tr.opts.Approved = map[string][]apply.Approval{"step.b": {{Shown: true, Effects: []schema.Effect{{Resource: "fake://host/b", Mode: schema.Write}}, Impact: schema.Impact{}}}}
		tr.expect(tr.again(), "succeeded: a=done b=done c=done")
		if diff := cmp.Diff([]string{"a", "b", "c"}, tr.calls); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("more than was approved asks again", func(t *testing.T) {
		tr := newTrial(t, source)
		tr.counts = 111
		tr.opts.Approved["step.b"] = []apply.Approval{{Shown: true, Effects: []schema.Effect{{Resource: "fake://host/b", Mode: schema.Write}}, Impact: schema.Impact{"rows": 100}}}
		tr.expect(tr.run(), "waiting: a=done b= c=")
	})
	t.Run("declined", func(t *testing.T) {
		tr := newTrial(t, source)
		tr.opts.Ask = func(_ context.Context, q apply.Question) (bool, error) { return false, nil }
		tr.expect(tr.run(), "failed: a=done b=blocked c=not_run")
	})
	t.Run("counted without a limit is not approved beforehand", func(t *testing.T) {
		tr := newTrial(t, source)
		tr.counts = 5
		tr.opts.Approved["step.b"] = []apply.Approval{{}}
		tr.expect(tr.run(), "waiting: a=done b= c=")
	})
	t.Run("up to its limit it is", func(t *testing.T) {
		tr := newTrial(t, step("b", destroy+"limit = { rows = 5 }\n"))
		tr.counts = 5
		tr.opts.Approved["step.b"] = []apply.Approval{{}}
		tr.expect(tr.run(), "succeeded: b=done")
	})
}

func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set)+step("b", set)+step("last", set+"always = true\n"))
		tr.takes = time.Minute
		signal := make(chan struct{})
		tr.opts.Interrupt = signal
		time.AfterFunc(30*time.Second, func() { close(signal) })
		tr.expect(tr.run(), "interrupted: a=done b=not_run last=done")
	})
}

func TestInterruptCutsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+strings.ReplaceAll(strings.ReplaceAll(goal, "NAME", "other"), "10s", "1h"))+step("b", set))
		signal := make(chan struct{})
		tr.opts.Interrupt = signal
		time.AfterFunc(30*time.Second, func() { close(signal) })
		tr.expect(tr.run(), "interrupted: a=interrupted b=not_run")
		tr.values["other"] = "on"
		tr.opts.Interrupt = nil
		tr.expect(tr.again(), "succeeded: a=done b=done")
		if diff := cmp.Diff([]string{"a", "b"}, tr.calls); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStepTimeoutCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"timeout = \"10s\"\n"))
		tr.takes = time.Hour
		begun := time.Now()
		tr.expect(tr.run(), "failed: a=failed")
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestRunbookTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set)+step("b", set))
		tr.rb.Timeout = 30 * time.Second
		tr.takes = time.Minute
		tr.expect(tr.run(), "failed: a=done b=not_run")
	})
}

func TestNothingStartsOnceTheRecordFails(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("b", set)+step("c", set))
	tr.record.fails = 4
	r := tr.run()
	if r.RecordError == nil || r.Outcome != apply.Failed {
		t.Fatalf("got %s, %v", statuses(r), r.RecordError)
	}
	if len(tr.calls) > 1 {
		t.Errorf("%v acted after the record failed", tr.calls)
	}
	last := tr.screen.events[len(tr.screen.events)-1]
	if last.Type != event.RunFinished || !strings.Contains(last.Message, "no space left") {
		t.Errorf("the screen does not say so: %+v", last)
	}
}

func TestIntentIsRecordedBeforeTheAction(t *testing.T) {
	tr := newTrial(t, step("a", set))
	var recorded []event.Type
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		for _, e := range tr.record.events {
			recorded = append(recorded, e.Type)
		}
		return schema.Outcome{}, false
	}
	tr.run()
	if len(recorded) == 0 || recorded[len(recorded)-1] != event.ActionStarted {
		t.Errorf("on record when the action began: %v", recorded)
	}
}

func TestVerifySeesTheResult(t *testing.T) {
	verify := "verify \"v\" {\n assert = self.result.value == \"WANT\"\n}\n"
	for want, outcome := range map[string]string{"on": "succeeded: a=done", "off": "failed: a=failed"} {
		tr := newTrial(t, step("a", set+strings.Replace(verify, "WANT", want, 1)))
		tr.expect(tr.run(), outcome)
	}
}

// What a person saw and agreed to is done, also where it names no effects, and
// the record tells who agreed.
func TestAnswerIsRecordedWithTheIntent(t *testing.T) {
	tr := newTrial(t, step("a", strings.Replace(set, "value", "destroys = true\n    value", 1)))
	tr.counts = 7
	tr.opts.Approved["step.a"] = []apply.Approval{{By: "ana", Note: "INC-42", Shown: true, Impact: schema.Impact{"rows": 7}, Effects: []schema.Effect{{Resource: "fake://host/a", Mode: schema.Write}}}}
	tr.expect(tr.run(), "succeeded: a=done")
	for _, e := range tr.record.events {
		if e.Type == event.ActionStarted && (e.Attempt.ApprovedBy != "ana" || e.Attempt.Note != "INC-42") {
			t.Errorf("the record says %q, %q", e.Attempt.ApprovedBy, e.Attempt.Note)
		}
	}
}

// A signal that came while the plan was made starts nothing.
func TestInterruptBeforeTheBeginning(t *testing.T) {
	tr := newTrial(t, step("a", set))
	interrupt := make(chan struct{})
	close(interrupt)
	tr.opts.Interrupt = interrupt
	tr.expect(tr.run(), "interrupted: a=not_run")
	if len(tr.calls) != 0 {
		t.Errorf("acted: %v", tr.calls)
	}
}
