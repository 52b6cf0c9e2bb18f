package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

const soak = `
  verify "soak" {
    probe "fake.get" { name = "NAME" }
    every    = "10s"
    hold_for = "30m"
    tolerate = 2
  }
`

// flaky answers no to the looks whose numbers are given, counted from 1.
func flaky(tr *trial, name string, noes ...int) {
	looks := 0
	tr.observe = func(asked string) (schema.Outcome, bool) {
		if asked != name {
			return schema.Outcome{}, false
		}
		looks++
		for _, n := range noes {
			if looks == n {
				return answer(false, name+" missed", ""), true
			}
		}
		return answer(true, name+" answers", "on"), true
	}
}

func TestHoldFor(t *testing.T) {
	tests := map[string]struct {
		noes []int
		want string
		took time.Duration
	}{
		"holds":                     {nil, "succeeded: a=done", 30 * time.Minute},
		"misses two looks in a row": {[]int{5, 6}, "succeeded: a=done", 30 * time.Minute},
		"misses three":              {[]int{5, 6, 7}, "failed: a=failed", time.Minute},
		"never begins to hold":      {[]int{1}, "failed: a=failed", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, step("a", set+soak))
				flaky(tr, "a", test.noes...)
				begun := time.Now()
				r := tr.run()
				tr.expect(r, test.want)
				if took := time.Since(begun); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
				if name == "misses three" && !strings.Contains(r.Steps[0].Reason, "it held for 1m of 30m, then: a missed") {
					t.Errorf("says %q", r.Steps[0].Reason)
				}
			})
		})
	}
}

func TestPreconditionMustHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"precondition \"p\" {\n probe \"fake.get\" { name = \"p\" }\n hold_for = \"1m\"\n}\n"))
		flaky(tr, "p", 4)
		tr.expect(tr.run(), "blocked: a=blocked")
		if len(tr.calls) != 0 {
			t.Errorf("acted: %v", tr.calls)
		}
	})
}

// failing lets the first n attempts at a end in a state.
func failing(tr *trial, n int, state schema.State, code string) {
	tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		return schema.Outcome{State: state, Failure: &schema.Failure{Code: code, Message: code}}, name == "a" && attempt <= n
	}
}

func TestRetry(t *testing.T) {
	const retry = "retry {\n attempts = 3\n delay = \"10s\"\n factor = 2\n}\n"
	tests := map[string]struct {
		body  string
		class schema.Settling
		fails int
		state schema.State
		want  string
		calls int
		took  time.Duration
	}{
		"clean, at last it works":       {retry, schema.Manual, 2, schema.FailedClean, "succeeded: a=done", 3, 30 * time.Second},
		"clean, never":                  {retry, schema.Manual, 9, schema.FailedClean, "failed: a=failed", 3, 30 * time.Second},
		"partial is not tried again":    {retry, schema.Manual, 9, schema.FailedPartial, "failed: a=failed", 1, 0},
		"partial, but idempotent":       {retry, schema.Idempotent, 1, schema.FailedPartial, "succeeded: a=done", 2, 10 * time.Second},
		"only what when names":          {"retry {\n attempts = 3\n when = error.code == \"busy\"\n}\n", schema.Manual, 9, schema.FailedClean, "failed: a=failed", 1, 0},
		"not past the step's timeout":   {retry + "timeout = \"15s\"\n", schema.Manual, 9, schema.FailedClean, "failed: a=failed", 2, 10 * time.Second},
		"unknown, idempotent, as often": {retry, schema.Idempotent, 2, schema.Unknown, "succeeded: a=done", 3, 0},
		"without a retry there is none": {"", schema.Idempotent, 9, schema.FailedClean, "failed: a=failed", 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, step("a", set+test.body))
				tr.settling = test.class
				failing(tr, test.fails, test.state, "refused")
				begun := time.Now()
				tr.expect(tr.run(), test.want)
				if diff := cmp.Diff(test.calls, len(tr.calls)); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
			})
		})
	}
}

// A backend that says how long it wants to be left alone is left alone for that
// long, also past the longest pause of the retry; its own pause is the least.
func TestRetryAfter(t *testing.T) {
	for wish, took := range map[float64]time.Duration{0: 10 * time.Second, 3: 10 * time.Second, 90: 90 * time.Second} {
		t.Run(took.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, step("a", set+"retry {\n attempts = 2\n delay = \"10s\"\n max_delay = \"20s\"\n}\n"))
				tr.act = func(_ context.Context, _, _ string, attempt int) (schema.Outcome, bool) {
					return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "busy", Message: "busy", RetryAfterSeconds: wish}}, attempt == 1
				}
				begun := time.Now()
				tr.expect(tr.run(), "succeeded: a=done")
				if passed := time.Since(begun); passed != took {
					t.Errorf("it was tried again after %s, want %s", passed, took)
				}
			})
		})
	}
}

func TestInterruptCutsARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"retry {\n attempts = 5\n delay = \"1h\"\n max_delay = \"1h\"\n}\n"))
		failing(tr, 9, schema.FailedClean, "refused")
		signal := make(chan struct{})
		tr.opts.Interrupt = signal
		time.AfterFunc(30*time.Second, func() { close(signal) })
		tr.expect(tr.run(), "interrupted: a=interrupted")
	})
}

// Attempt 1 ends without a word, attempt 2 fails cleanly: nobody knows what came
// of the first, and the key must not change, in this process or the next.
func TestCleanFailureOfARepeatSettlesNothing(t *testing.T) {
	for name, retry := range map[string]string{"without a retry": "", "with one": "retry {\n attempts = 3\n delay = \"1s\"\n}\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTrial(t, step("a", set+retry+"on_failure = \"ignore\"\n")+step("b", set))
				tr.settling = schema.Keyed
				tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
					if attempt == 1 {
						return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Message: "the provider died"}}, true
					}
					return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "cannot connect"}}, name == "a"
				}
				tr.expect(tr.run(), "failed: a=unknown b=not_run")
				tr.act = nil
				tr.expect(tr.again(), "succeeded: a=done b=done")
				for i, key := range tr.keys[:len(tr.keys)-1] {
					if key != tr.keys[0] {
						t.Errorf("attempt %d had another key: the backend could not refuse it", i+1)
					}
				}
			})
		})
	}
}

// A failure that was to be retried is not forgotten when something else keeps
// the next attempt from beginning.
func TestFailureIsNotForgottenWhileItIsRetried(t *testing.T) {
	const retry = "retry {\n attempts = 3\n delay = \"10s\"\n}\n"
	half := func(tr *trial) {
		tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
			if name == "b" {
				return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "refused"}}, true
			}
			tr.values["p"] = "off"
			return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: "half done"}}, true
		}
	}
	t.Run("a precondition skips", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tr := newTrial(t, step("a", set+retry+"precondition \"p\" {\n probe \"fake.get\" { name = \"p\" }\n otherwise = \"skip\"\n}\n"))
			tr.values["p"] = "on"
			half(tr)
			tr.expect(tr.run(), "failed: a=failed")
		})
	})
	t.Run("another step stops the run", func(t *testing.T) {
		_, said, events := virtually(t, step("a", set+retry)+step("b", set+"depends_on = []\n"), func(tr *trial) {
			half(tr)
			// b fails while a waits for its next attempt.
			tr.takesOf = func(name string) time.Duration {
				return map[string]time.Duration{"a": time.Second, "b": 5 * time.Second}[name]
			}
		})
		if diff := cmp.Diff("failed: a=failed b=failed", said); diff != "" {
			t.Error(diff)
		}
		for _, e := range events {
			if e.Type == event.StepFinished && e.Step == "step.a" && !strings.Contains(e.Message, "half done") {
				t.Errorf("a says %q", e.Message)
			}
		}
	})
}

// A step's timeout is spent by its attempts, not by looking, and it is named.
func TestTimeoutIsOfAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"timeout = \"30s\"\n goal \"g\" {\n probe \"fake.get\" { name = \"a\" }\n within = \"2m\"\n}\n"))
		tr.takes = time.Second
		dies(tr, false)
		tr.expect(tr.run(), "succeeded: a=done")
	})
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set+"timeout = \"3s\"\n"))
		tr.takes = time.Hour
		r := tr.run()
		tr.expect(r, "failed: a=failed")
		if !strings.Contains(r.Steps[0].Reason, "timeout of 3s has passed") {
			t.Errorf("says %q", r.Steps[0].Reason)
		}
	})
}
