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
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// roll sets a switch for each key of a list.
func roll(over, more string) string {
	return fmt.Sprintf(`
step "roll" {
  for_each = %s
  %s
  action "fake.set" {
    name  = each.key
    value = "on"
  }
  goal "on" {
    probe "fake.get" { name = each.key }
    within = "10s"
  }
}
`, over, more)
}

func partly(which string) func(context.Context, string, string, int) (schema.Outcome, bool) {
	return func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: "half"}}, name == which
	}
}

func TestForEach(t *testing.T) {
	tests := map[string]struct {
		source string
		want   string
		calls  []string
	}{
		"a list keeps its order":   {roll(`["c", "a", "b"]`, "max_parallel = 1"), `succeeded: roll["c"]=done roll["a"]=done roll["b"]=done`, []string{"c", "a", "b"}},
		"a map by key":             {roll(`{ b = "on", a = "on" }`, "max_parallel = 1"), `succeeded: roll["a"]=done roll["b"]=done`, []string{"a", "b"}},
		"a set in order":           {roll(`toset(["b", "a"])`, "max_parallel = 1"), `succeeded: roll["a"]=done roll["b"]=done`, []string{"a", "b"}},
		"an empty one skips":       {roll(`[]`, ""), `succeeded: roll=skipped`, nil},
		"null blocks":              {roll(`[for x in [1] : null][0]`, ""), `blocked: roll=blocked`, nil},
		"when is decided for each": {roll(`["a", "b"]`, `when = each.key == "b"`), `succeeded: roll["a"]=skipped roll["b"]=done`, []string{"b"}},
		"over what a step read": {
			"step \"list\" {\n probe \"fake.get\" { name = \"list\" }\n}\n" + roll(`split(",", step.list.result.value)`, "max_parallel = 1"),
			`succeeded: list=done roll["x"]=done roll["y"]=done`, []string{"x", "y"},
		},
		"values and the worst status are read": {
			roll(`["a", "b"]`, `when = each.key == "b"`) + `
step "after" {
  when = step.roll.status == "done" && step.roll["a"].status == "skipped"
  action "fake.set" {
    name  = join("", [for k, s in step.roll : k if s.status == "done"])
    value = "on"
  }
}`, `succeeded: roll["a"]=skipped roll["b"]=done after=done`, []string{"b", "b"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr, said, _ := virtually(t, test.source, func(tr *trial) { tr.values["list"] = "x,y" })
			if diff := cmp.Diff(test.want, said); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.calls, tr.world.calls); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An instance that ends badly ends the roll, whatever the policy says of the
// steps that come after; what is ignored does not.
func TestRollEnds(t *testing.T) {
	after := step("after", set)
	tests := map[string]struct{ more, want string }{
		"stop":      {"max_parallel = 1", `failed: roll["a"]=done roll["b"]=failed roll["c"]=not_run after=not_run`},
		"continue":  {"max_parallel = 1\n on_failure = \"continue\"", `failed: roll["a"]=done roll["b"]=failed roll["c"]=not_run after=done`},
		"ignore":    {"max_parallel = 1\n on_failure = \"ignore\"", `succeeded: roll["a"]=done roll["b"]=failed roll["c"]=done after=done`},
		"unlimited": {"on_failure = \"continue\"", `failed: roll["a"]=done roll["b"]=failed roll["c"]=done after=done`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, said, events := virtually(t, roll(`{ a = "on", b = "on", c = "on" }`, test.more)+after, func(tr *trial) { tr.act = partly("b") })
			if diff := cmp.Diff(test.want, said); diff != "" {
				t.Error(diff)
			}
			ends := map[string]int{}
			for _, e := range events {
				if e.Type == event.StepFinished {
					ends[e.Step]++
				}
			}
			for step, n := range ends {
				if n != 1 {
					t.Errorf("%s ended %d times", step, n)
				}
			}
		})
	}
}

// max_parallel counts whole instances, their proofs included; the runbook's own
// bound counts actions.
func TestMaxParallel(t *testing.T) {
	for _, width := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			_, said, events := virtually(t, roll(`{ a = "on", b = "on", c = "on", d = "on", e = "on" }`, fmt.Sprintf("max_parallel = %d\n verify \"soak\" {\n probe \"fake.get\" { name = each.key }\n hold_for = \"5s\"\n}", width)), func(tr *trial) {
				tr.takes = time.Second
			})
			if !strings.HasPrefix(said, "succeeded") {
				t.Fatal(said)
			}
			at, most := 0, 0
			for _, e := range events {
				switch e.Type {
				case event.StepStarted:
					at++
					most = max(most, at)
				case event.StepFinished:
					at--
				}
			}
			if most != width {
				t.Errorf("%d at once, want %d", most, width)
			}
		})
	}
}

// An instance that waits for a person keeps its place: nothing else of the roll
// begins, and a resume goes on with it.
func TestRollWaitsForAPerson(t *testing.T) {
	source := strings.Replace(roll(`{ a = false, b = true, c = false }`, "max_parallel = 1"), "value = \"on\"", "value = \"on\"\n    destroys = each.value", 1)
	tr := virtualTrial(t, source)
	tr.expect(tr.run(), `waiting: roll["a"]=done roll["b"]= roll["c"]=`)
	tr.opts.Approved = map[string][]apply.Approval{"step.roll[\"b\"]": {{By: "ada", Shown: true, Effects: []schema.Effect{{Resource: "fake://host/b", Mode: schema.Write}}}}}
	tr.expect(tr.again(), `succeeded: roll["a"]=done roll["b"]=done roll["c"]=done`)
	if diff := cmp.Diff([]string{"a", "b", "c"}, tr.world.calls); diff != "" {
		t.Error(diff)
	}
}

// cut cuts the record of an earlier process after its last event that matches.
func cut(events []event.Event, last func(event.Event) bool) []event.Event {
	for i := len(events) - 1; i >= 0; i-- {
		if last(events[i]) {
			return slices.Clone(events[:i+1])
		}
	}
	return nil
}

func TestResumeAfterACrashInARoll(t *testing.T) {
	source := roll(`{ a = "on", b = "on", c = "on" }`, "max_parallel = 1")
	tr := virtualTrial(t, source)
	tr.expect(tr.run(), `succeeded: roll["a"]=done roll["b"]=done roll["c"]=done`)
	tr.record.events = cut(tr.record.events, func(e event.Event) bool { return e.Type == event.ActionStarted && e.Step == `step.roll["b"]` })
	delete(tr.values, "c")
	tr.world.calls = nil
	tr.expect(tr.again(), `succeeded: roll["a"]=done roll["b"]=done roll["c"]=done`)
	if diff := cmp.Diff([]string{"c"}, tr.world.calls); diff != "" { // b is found done by its goal
		t.Error(diff)
	}
}

// An instance with an open attempt that the for_each does not make any more is
// not forgotten: only a person can say what came of it.
func TestInstanceThatIsGone(t *testing.T) {
	source := "step \"list\" {\n probe \"fake.get\" {\n name = \"list\"\n sensitive = true\n}\n}\n" +
		roll(`split(",", nonsensitive(step.list.result.value))`, "max_parallel = 1")
	tr := virtualTrial(t, source)
	tr.values["list"] = "on,x"
	tr.settling = schema.Manual
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.Unknown}, name == "x"
	}
	tr.run()
	tr.record.events = cut(tr.record.events, func(e event.Event) bool { return e.Type == event.ActionStarted && e.Step == `step.roll["x"]` })
	tr.values["list"] = "on"
	tr.expect(tr.again(), `failed: list=done roll["on"]=done roll["x"]=unknown`)
	tr.opts.Resolve = map[string]string{`step.roll["x"]`: apply.ResolveDone}
	tr.expect(tr.again(), `succeeded: list=done roll["on"]=done roll["x"]=done`)
}

// virtualTrial is a trial by a virtual clock.
func virtualTrial(t *testing.T, source string) *trial {
	tr := newTrial(t, source)
	virtual := clock.NewVirtual(tr.opts.Run.StartedAt)
	tr.clock, tr.opts.Clock = virtual, virtual
	return tr
}
