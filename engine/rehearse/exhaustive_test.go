package rehearse_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/rehearse"
	"github.com/runbook-engine/runbook/providers/schema"
)

// writers is a runbook that must not leave the writers stopped.
const writers = `
runbook "x" {}
check "ready" {
  probe "fake.look" {}
}
step "stop" {
  precondition "ready" { check = check.ready }
  action "fake.set" {}
}
step "size" {
  probe "fake.look" {}
}
step "delete" {
  action "fake.shoot" {}
  goal "gone" {
    probe "fake.look" {}
    assert = result.age < 10
  }
  verify "small" {
    probe "fake.look" {}
    assert = result.age < 50
  }
}
step "start" {
  ALWAYS
  action "fake.start" {}
}
`

const writersTest = `
mock "check.ready" { holds = true }
mock "fake.set" {}
mock "fake.start" {}
mock "fake.look" {
  returns = { age = 99 }
  after "fake.shoot" { returns = { age = 1 } }
}

invariant "writers_come_back" {
  assert  = !step.stop.acted || step.start.acted
  message = "stop ended ${step.stop.status}, start ended ${step.start.status}"
}

test "x" {
  mock "fake.shoot" { takes = "1m" }
  invariant "deletes_once" { assert = calls["fake.shoot"] <= 1 || fault.step == "step.delete" }
  expect { outcome = "succeeded" }
}
`

func exhausted(t *testing.T, source, text string) rehearse.Result {
	t.Helper()
	f := loaded(t, source, text)
	r, diags := f.Run(t.Context(), f.Tests[0], open, rehearse.Options{Exhaustive: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return r
}

// Everything that can go wrong in a run does so once, and nothing else.
func TestEverySingleFault(t *testing.T) {
	r := exhausted(t, strings.Replace(writers, "ALWAYS", "always = true", 1), writersTest)
	if !r.OK() {
		t.Errorf("%v", r.Injections)
	}
	type outcome struct{ Fault, Outcome string }
	var got []outcome
	for _, i := range r.Injections {
		got = append(got, outcome{i.String(), i.Outcome})
	}
	want := []outcome{
		{"check.ready errs", "failed"},                   // start has acted
		{"step.stop: precondition ready errs", "failed"}, // start has acted
		{"step.stop: precondition ready never holds", "failed"},
		{"step.stop: action fails, nothing changed", "failed"},
		{"step.stop: action fails, partly done", "failed"},
		{"step.stop: action ends unknown, done", "failed"},
		{"step.stop: action ends unknown, not done", "failed"},
		{"step.stop: crash as its action ends", "succeeded"}, // idempotent: done again
		{"step.size: capture errs", "failed"},
		{"step.size: crash once it has ended", "succeeded"},
		{"step.delete: goal gone errs", "failed"},
		{"step.delete: goal gone never holds", "failed"},
		{"step.delete: action fails, nothing changed", "failed"},
		{"step.delete: action fails, partly done", "failed"},
		{"step.delete: action ends unknown, done", "succeeded"}, // its goal holds
		{"step.delete: action ends unknown, not done", "failed"},
		{"step.delete: verify small errs", "failed"},
		{"step.delete: verify small never holds", "failed"},
		{"step.delete: crash as its action ends", "succeeded"},
		{"step.start: action fails, nothing changed", "failed"},
		{"step.start: action fails, partly done", "failed"},
		{"step.start: action ends unknown, done", "failed"},
		{"step.start: action ends unknown, not done", "failed"},
		{"step.start: crash as its action ends", "succeeded"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("injections (-want +got):\n%s", diff)
	}
}

// Without always, some faults leave the writers stopped: just these are told,
// and the test fails by them.
func TestBrokenInvariants(t *testing.T) {
	r := exhausted(t, strings.Replace(writers, "ALWAYS", "", 1), writersTest)
	if r.OK() || len(r.Problems) > 0 {
		t.Errorf("OK %v, problems of the test itself: %v", r.OK(), r.Problems)
	}
	broken := map[string][]string{}
	for _, i := range r.Injections {
		if !i.OK() {
			broken[i.String()] = i.Problems
		}
	}
	says := func(stop string) []string {
		return []string{`invariant writers_come_back does not hold: stop ended ` + stop + `, start ended not_run (step.stop.acted = true, step.start.acted = false)`}
	}
	want := map[string][]string{
		"step.stop: action fails, nothing changed":   says("failed"),
		"step.stop: action fails, partly done":       says("failed"),
		"step.stop: action ends unknown, done":       says("unknown"),
		"step.stop: action ends unknown, not done":   says("unknown"),
		"step.size: capture errs":                    says("done"),
		"step.delete: goal gone errs":                says("done"),
		"step.delete: goal gone never holds":         says("done"),
		"step.delete: action fails, nothing changed": says("done"),
		"step.delete: action fails, partly done":     says("done"),
		"step.delete: action ends unknown, not done": says("done"),
		"step.delete: verify small errs":             says("done"),
		"step.delete: verify small never holds":      says("done"),
	}
	if diff := cmp.Diff(want, broken); diff != "" {
		t.Errorf("broken (-want +got):\n%s", diff)
	}
	for _, i := range r.Injections {
		if i.String() == "step.delete: crash as its action ends" {
			want := []string{"step.stop, step.size done", "crashed and resumed", "step.delete, step.start done", "run succeeded"}
			if diff := cmp.Diff(want, i.Trail); diff != "" {
				t.Errorf("trail (-want +got):\n%s", diff)
			}
		}
	}
}

// An invariant is looked at where nothing goes wrong too, and where apply does
// nothing because the plan is blocked.
func TestInvariantsOfUndisturbedRuns(t *testing.T) {
	tests := map[string]struct {
		ready, assert string
		want          []string
	}{
		"holds":             {"true", `run.outcome == "succeeded" && fault.step == "" && step.delete.goal.gone.holds`, nil},
		"does not hold":     {"true", `step.delete.status == "failed"`, []string{`invariant i does not hold (step.delete.status = "done")`}},
		"blocked":           {"false", `run.outcome == "blocked" && step.stop.status == "blocked" && step.delete.status == "not_run" && !step.stop.acted && step.size.result == null`, nil},
		"cannot be said":    {"true", `step.delete.result.age > 1`, []string{`invariant i cannot be evaluated: Error during operation: argument must not be null. (x_test.hcl:17) (step.delete.result.age = null)`}},
		"counts and values": {"true", `calls["fake.shoot"] == 1 && calls["fake.look"] > 1 && step.size.result.age == 99`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(writersTest, "holds = true", "holds = "+test.ready, 1)
			text = strings.Replace(text, `invariant "deletes_once" { assert = calls["fake.shoot"] <= 1 || fault.step == "step.delete" }`, "invariant \"i\" { assert = "+test.assert+" }", 1)
			if test.ready == "false" {
				text = strings.Replace(text, `expect { outcome = "succeeded" }`, `expect { outcome = "blocked" }`, 1)
			}
			f := loaded(t, strings.Replace(writers, "ALWAYS", "", 1), text)
			r, diags := f.Run(t.Context(), f.Tests[0], open, rehearse.Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for i := range r.Problems { // the folder differs
				if at := strings.Index(r.Problems[i], "x_test.hcl"); at >= 0 {
					r.Problems[i] = r.Problems[i][:strings.LastIndex(r.Problems[i][:at], "(")+1] + r.Problems[i][at:]
				}
			}
			if diff := cmp.Diff(test.want, r.Problems, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// What only an injected run comes to has to be mocked as well.
func TestInjectionsComeToWhatNothingMocks(t *testing.T) {
	text := strings.Replace(writersTest, "mock \"fake.start\" {}\n", "", 1)
	source := strings.Replace(writers, "ALWAYS", "always = true\n  when = step.delete.status != \"done\"", 1)
	text = strings.Replace(text, "!step.stop.acted || step.start.acted", "true", 1)
	r := exhausted(t, source, text)
	unmocked := 0
	for _, i := range r.Injections {
		if !i.OK() {
			unmocked++
			want := []string{`step.start uses fake.start, which is not mocked. Write: mock "fake.start" { returns = { … } }`}
			if diff := cmp.Diff(want, i.Problems); diff != "" {
				t.Errorf("%s (-want +got):\n%s", i, diff)
			}
		}
	}
	if r.OK() || len(r.Problems) > 0 || unmocked == 0 {
		t.Errorf("OK %v, problems %v, %d injections came to it", r.OK(), r.Problems, unmocked)
	}
}

// The same test gives the same injections, events and all.
func TestInjectionsAreEqual(t *testing.T) {
	source := strings.Replace(writers, "ALWAYS", "always = true\n  depends_on = []", 1)
	var first []rehearse.Injection
	for i := range 10 {
		r := exhausted(t, source, writersTest)
		if i == 0 {
			first = r.Injections
		}
		if diff := cmp.Diff(first, r.Injections, cmpopts.IgnoreUnexported(rehearse.Fault{})); diff != "" {
			t.Fatalf("another run, other injections:\n%s", diff)
		}
	}
}

const called = `
runbook "called" {}
check "ready" {
  probe "fake.look" {}
}
step "inner" {
  action "fake.shoot" {}
  precondition "ready" { check = check.ready }
}
`

// Each instance, and each step of a called runbook, goes wrong by itself.
func TestInstancesAndCallsGoWrong(t *testing.T) {
	const source = `
runbook "x" {}
step "roll" {
  for_each = ["a", "b"]
  action "fake.set" {}
}
step "call" {
  call {
    runbook = "./called.hcl"
  }
}
`
	const text = `
mock "check.ready" { holds = true }
mock "fake.set" {}
mock "fake.shoot" {}
invariant "acted" {
  assert = fault.step != "" || step.roll["a"].acted && step.roll["b"].acted && step.roll.status == "done"
}
invariant "in_order" {
  assert = !step.call.acted || alltrue([for key, s in step.roll : s.status == "done"])
}
test "x" {
  expect { outcome = "succeeded" }
}
`
	f, diags := loadedFiles(t, map[string]string{"x.hcl": source, "x_test.hcl": text, "called.hcl": called})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	r, diags := f.Run(t.Context(), f.Tests[0], open, rehearse.Options{Exhaustive: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if !r.OK() {
		t.Errorf("%v %v", r.Problems, r.Injections)
	}
	got := map[string]int{}
	for _, i := range r.Injections {
		got[i.Step]++
	}
	want := map[string]int{"": 1, `step.roll["a"]`: 5, `step.roll["b"]`: 5, "step.call": 1, "step.call.step.inner": 7}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("injections by step (-want +got):\n%s", diff)
	}
}

// Where the plan is blocked apply does nothing, and invariants see just that.
func TestInvariantsOfBlockedInstances(t *testing.T) {
	r, diags := rehearsedOf(t, `
runbook "x" {}
step "roll" {
  for_each = ["a", "b"]
  action "fake.set" {}
}
step "gate" {
  depends_on = []
  precondition "never" { assert = false }
}
`, `
mock "fake.set" {}
invariant "nothing" {
  assert = !step.roll["a"].acted && step.roll["b"].status == "not_run" && step.roll.status == "not_run"
}
test "x" {
  expect { outcome = "blocked" }
}
`)
	if diags.HasErrors() || len(r.Problems) > 0 {
		t.Errorf("%v %v", diags, r.Problems)
	}
}

// A test that fails by itself is not repeated, and one that is cut short stops.
func TestInjectionsNeedAPassingTest(t *testing.T) {
	source := strings.Replace(writers, "ALWAYS", "", 1)
	r := exhausted(t, source, strings.Replace(writersTest, `"succeeded"`, `"failed"`, 1))
	if r.OK() || len(r.Injections) > 0 {
		t.Errorf("OK %v, %d injections", r.OK(), len(r.Injections))
	}
	f := loaded(t, source, writersTest)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, _ := f.Run(ctx, f.Tests[0], open, rehearse.Options{Exhaustive: true}); len(r.Injections) > 0 {
		t.Errorf("%d injections after the end", len(r.Injections))
	}
}

// clumsy is a provider with a bug that only applying meets.
type clumsy struct {
	fake
	described int
}

func (c *clumsy) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	if c.described++; op.Name == "shoot" && c.described > 3 { // three actions are planned first
		panic("no such thing")
	}
	return c.fake.Describe(ctx, ref, op)
}

// A bug fails the test that meets it, and no other.
func TestPanicsAreTold(t *testing.T) {
	f := loaded(t, strings.Replace(writers, "ALWAYS", "", 1), writersTest)
	openClumsy := func(context.Context, *eval.Frame, eval.Run) (rehearse.Providers, hcl.Diagnostics) {
		return &clumsy{}, nil
	}
	r, diags := f.Run(t.Context(), f.Tests[0], openClumsy, rehearse.Options{Exhaustive: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff([]string{"the engine panicked: no such thing"}, r.Problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
