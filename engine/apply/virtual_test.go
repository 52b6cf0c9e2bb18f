package apply_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
)

// virtually runs a source by a virtual clock and returns what was said.
func virtually(t *testing.T, source string, prepare func(*trial)) (*trial, string, []event.Event) {
	t.Helper()
	tr := newTrial(t, source)
	virtual := clock.NewVirtual(tr.opts.Run.StartedAt)
	tr.clock, tr.opts.Clock = virtual, virtual
	if prepare != nil {
		prepare(tr)
	}
	said := statuses(tr.run())
	return tr, said, tr.record.events
}

// The same inputs give the same events in the same order, times included.
func TestVirtualRunsAreEqual(t *testing.T) {
	var source strings.Builder
	for i := range 24 {
		depends := ""
		if i >= 8 {
			depends = fmt.Sprintf("step.s%d, step.s%d", i%8, i-5)
		}
		fmt.Fprintf(&source, `
step "s%[1]d" {
  depends_on = [%[2]s]
  timeout    = "5s"
  on_failure = "continue"
  action "fake.set" {
    name  = "s%[1]d"
    value = "on"
  }
  verify "soak" {
    probe "fake.get" { name = "s%[1]d" }
    within   = "20s"
    hold_for = "%[3]ds"
  }
  verify "twice" {
    probe "fake.get" { name = "s%[1]d" }
    every = "3s"
  }
}
`, i, depends, i%4+1)
	}
	prepare := func(tr *trial) {
		tr.takesOf = func(name string) time.Duration { return time.Duration(name[len(name)-1]-'0') * time.Second }
	}
	_, firstSaid, first := virtually(t, source.String(), prepare)
	for range 20 {
		_, said, events := virtually(t, source.String(), prepare)
		if diff := cmp.Diff(firstSaid, said); diff != "" {
			t.Fatal(diff)
		}
		// Only the folder of the runbook differs.
		if diff := cmp.Diff(first[1:], events[1:]); diff != "" {
			t.Fatalf("another run, other events:\n%s", diff)
		}
	}
	if kinds := tally(t, first); kinds[event.ActionStarted] < 8 {
		t.Errorf("too little happened: %v", kinds)
	}
}

func tally(t *testing.T, events []event.Event) map[event.Type]int {
	t.Helper()
	kinds := map[event.Type]int{}
	for _, e := range events {
		if _, err := json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		kinds[e.Type]++
	}
	return kinds
}

func TestHalfAnHourPassesInNoTime(t *testing.T) {
	begun := time.Now()
	tr, said, _ := virtually(t, step("a", set+soak), nil)
	if took := time.Since(begun); took >= 30*time.Minute {
		t.Errorf("took %s: virtual time was waited for", took)
	}
	if diff := cmp.Diff("succeeded: a=done", said); diff != "" {
		t.Error(diff)
	}
	if passed := tr.clock.Now().Sub(tr.opts.Run.StartedAt); passed != 30*time.Minute {
		t.Errorf("%s passed", passed)
	}
}

// Timeouts of the step and of the runbook go by the same clock.
func TestVirtualTimeoutsOfARun(t *testing.T) {
	tests := map[string]struct {
		step, runbook time.Duration
		want          string
		took          time.Duration
	}{
		"in time":       {time.Minute, time.Hour, "succeeded: a=done b=done", 2 * time.Minute},
		"the step's":    {30 * time.Second, time.Hour, "failed: a=failed b=not_run", 30 * time.Second},
		"the runbook's": {time.Hour, 30 * time.Second, "failed: a=done b=not_run", time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr, said, _ := virtually(t, step("a", set)+step("b", set), func(tr *trial) {
				tr.takes, tr.rb.Timeout = time.Minute, test.runbook
				for _, s := range tr.rb.Steps {
					s.Timeout = test.step
				}
			})
			if diff := cmp.Diff(test.want, said); diff != "" {
				t.Error(diff)
			}
			if took := tr.clock.Now().Sub(tr.opts.Run.StartedAt); took != test.took {
				t.Errorf("took %s, want %s", took, test.took)
			}
		})
	}
}

// A signal too is heeded at the instant at which it comes.
func TestVirtualInterruptsAreEqual(t *testing.T) {
	source := step("a", set+strings.ReplaceAll(strings.ReplaceAll(goal, "NAME", "other"), "10s", "1h")) + step("b", set) +
		step("c", set+"depends_on = []\nverify \"v\" {\n probe \"fake.get\" { name = \"c\" }\n every = \"1s\"\n hold_for = \"1h\"\n}\n")
	prepare := func(tr *trial) {
		interrupt := make(chan struct{})
		tr.opts.Interrupt = interrupt
		tr.opts.Clock.AfterFunc(90*time.Second, func() { close(interrupt) })
	}
	for range 50 {
		tr, said, _ := virtually(t, source, prepare)
		if diff := cmp.Diff("interrupted: a=interrupted b=not_run c=interrupted", said); diff != "" {
			t.Fatal(diff)
		}
		if passed := tr.clock.Now().Sub(tr.opts.Run.StartedAt); passed != 90*time.Second {
			t.Fatalf("interrupted after %s", passed)
		}
	}
}
