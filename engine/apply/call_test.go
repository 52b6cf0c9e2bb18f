package apply_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// calling is a trial of a runbook beside others that it calls.
func calling(t *testing.T, source string, called map[string]string) *trial {
	t.Helper()
	tr := virtualTrial(t, "")
	dir := t.TempDir()
	called["test.hcl"] = "runbook \"test\" {\n}\n" + source
	for name, text := range called {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rb, diags := runbook.Load(filepath.Join(dir, "test.hcl"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tr.rb, tr.opts.Frame = rb, link(t, rb)
	return tr
}

const called = `
variable "on" {
  default = "on"
}
step "a" {
  action "fake.set" {
    name  = "a"
    value = var.on
  }
  goal "on" {
    probe "fake.get" { name = "a" }
  }
}
step "b" {
  action "fake.set" {
    name  = "b"
    value = var.on
  }
  goal "on" {
    probe "fake.get" { name = "b" }
  }
}
output "first" {
  value = try(step.a.result.value, "was there")
}
`

func call(more string) string {
	return "step \"x\" {\n  call {\n    runbook = \"other.hcl\"\n  }\n" + more + "}\n"
}

func TestCall(t *testing.T) {
	other := "runbook \"other\" {}\n" + called
	after := step("after", strings.Replace(set, `value = "on"`, `value = step.x.result.first`, 1))
	tests := map[string]struct {
		source, other string
		prepare       func(*trial)
		want          string
	}{
		"its steps join": {call("") + after, other, nil, "succeeded: x=done x.step.a=done x.step.b=done after=done"},
		"satisfied where all are": {call(""), other, func(tr *trial) { tr.values["a"], tr.values["b"] = "on", "on" },
			"succeeded: x=satisfied x.step.a=satisfied x.step.b=satisfied"},
		"a skipped call skips its steps": {call("  when = false\n"), other, nil, "succeeded: x=skipped x.step.a=skipped x.step.b=skipped"},
		"its goal is its own": {call("  goal \"g\" {\n    probe \"fake.get\" { name = \"b\" }\n  }\n"), other, func(tr *trial) { tr.values["b"] = "on" },
			"succeeded: x=satisfied x.step.a=skipped x.step.b=skipped"},
		"its goal must hold after": {call("  goal \"g\" {\n    probe \"fake.get\" { name = \"c\" }\n  }\n"), other, nil, "failed: x=failed x.step.a=done x.step.b=done"},
		"its verify sees outputs":  {call("  verify \"v\" {\n    assert = self.result.first == \"on\"\n  }\n"), other, nil, "succeeded: x=done x.step.a=done x.step.b=done"},
		"a precondition blocks it": {call("  precondition \"p\" {\n    assert = 1 > 2\n  }\n") + after, other, nil, "blocked: x=blocked x.step.a=not_run x.step.b=not_run after=not_run"},
		"inside stops by its own policy": {call("") + after, other, func(tr *trial) { tr.act = partly("a") },
			"failed: x=failed x.step.a=failed x.step.b=not_run after=not_run"},
		"inside goes on by its own policy": {call(""), strings.Replace(other, "\"other\" {}", "\"other\" {\n  on_failure = \"continue\"\n}", 1), func(tr *trial) { tr.act = partly("a") },
			"failed: x=failed x.step.a=failed x.step.b=done"},
		"outside the caller's policy decides": {call("  on_failure = \"continue\"\n") + step("after", set), other, func(tr *trial) { tr.act = partly("a") },
			"failed: x=failed x.step.a=failed x.step.b=not_run after=done"},
		"outside it can be ignored": {call("  on_failure = \"ignore\"\n") + step("after", set), other, func(tr *trial) { tr.act = partly("a") },
			"succeeded: x=failed x.step.a=failed x.step.b=not_run after=done"},
		"blocked inside": {call(""), "runbook \"other\" {}\nstep \"gate\" {\n  precondition \"p\" {\n    assert = 1 > 2\n  }\n}\n" + called, nil,
			"blocked: x=failed x.step.gate=blocked x.step.a=not_run x.step.b=not_run"},
		"its timeout is its own": {call("  on_failure = \"continue\"\n") + step("after", set), strings.Replace(other, "\"other\" {}", "\"other\" {\n  timeout = \"3s\"\n}", 1),
			func(tr *trial) { tr.takes = 4 * time.Second }, "failed: x=failed x.step.a=interrupted x.step.b=not_run after=done"},
		"the step's timeout too": {call("  timeout = \"3s\"\n  on_failure = \"continue\"\n") + step("after", set), other,
			func(tr *trial) { tr.takes = 4 * time.Second }, "failed: x=failed x.step.a=interrupted x.step.b=not_run after=done"},
		"a call that always runs": {step("first", set) + call("  always = true\n"), other, func(tr *trial) { tr.act = partly("first") },
			"failed: first=failed x=done x.step.a=done x.step.b=done"},
		"an always step inside": {call(""), other + step("last", set+"always = true\n"), func(tr *trial) { tr.act = partly("a") },
			"failed: x=failed x.step.a=failed x.step.b=not_run x.step.last=done"},
		"nothing inside": {call(""), "runbook \"other\" {}\n", nil, "succeeded: x=satisfied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr := calling(t, test.source, map[string]string{"other.hcl": test.other})
			if test.prepare != nil {
				test.prepare(tr)
			}
			tr.expect(tr.run(), test.want)
			ends := map[string]int{}
			for _, e := range tr.record.events {
				if e.Type == event.StepFinished {
					ends[e.Step]++
				}
			}
			for _, s := range strings.Fields(test.want)[1:] {
				address, _, _ := strings.Cut(s, "=")
				if n := ends["step."+address]; n != 1 {
					t.Errorf("%s ended %d times", address, n)
				}
			}
		})
	}
}

// Each instance of a call has variables of its own; a call in a call has a
// longer address.
func TestCallForEach(t *testing.T) {
	tr := calling(t, `
step "x" {
  for_each     = { one = "1", two = "2" }
  max_parallel = 1
  call {
    runbook   = "middle.hcl"
    variables = { value = each.value }
  }
}
output "all" {
  value = join(",", [for k, s in step.x : s.result.inner])
}
`, map[string]string{
		"middle.hcl": "runbook \"middle\" {}\nvariable \"value\" {}\nstep \"y\" {\n  call {\n    runbook   = \"inner.hcl\"\n    variables = { value = \"<${var.value}>\" }\n  }\n}\noutput \"inner\" {\n  value = step.y.result.value\n}\n",
		"inner.hcl":  "runbook \"inner\" {}\nvariable \"value\" {}\nstep \"z\" {\n  action \"fake.set\" {\n    name  = \"z\"\n    value = var.value\n  }\n}\noutput \"value\" {\n  value = step.z.result.value\n}\n",
	})
	r := tr.run()
	tr.expect(r, `succeeded: x["one"]=done x["one"].step.y=done x["one"].step.y.step.z=done x["two"]=done x["two"].step.y=done x["two"].step.y.step.z=done`)
	if diff := cmp.Diff(map[string]any{"all": "<1>,<2>"}, r.Outputs); diff != "" {
		t.Error(diff)
	}
}

// A variable of a file that both include has one value in a run.
func TestSharedVariablesOfACall(t *testing.T) {
	tr := calling(t, "", map[string]string{
		"stack.hcl":     "variable \"host\" {\n  default = \"unset\"\n}\n",
		"other.hcl":     "runbook \"other\" {\n  include = [\"stack.hcl\"]\n}\nstep \"a\" {\n  action \"fake.set\" {\n    name  = \"a\"\n    value = var.host\n  }\n}\n",
		"main.hcl":      "runbook \"main\" {\n  include = [\"stack.hcl\"]\n}\nstep \"x\" {\n  call {\n    runbook = \"other.hcl\"\n  }\n}\n",
		"main.vars.hcl": "host = \"given\"\n",
	})
	rb, diags := runbook.Load(filepath.Join(tr.rb.Dir, "main.hcl"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tr.opts.Frame = link(t, rb)
	tr.expect(tr.run(), "succeeded: x=done x.step.a=done")
	if got := tr.values["a"]; got != "given" {
		t.Errorf("the called runbook saw %q", got)
	}
}

// After a crash inside a call, the resume goes on inside, whatever the call's own
// conditions say by then.
func TestResumeInsideACall(t *testing.T) {
	tr := calling(t, call("  precondition \"p\" {\n    probe \"fake.get\" { name = \"allowed\" }\n  }\n")+step("after", set), map[string]string{"other.hcl": "runbook \"other\" {}\n" + called})
	tr.values["allowed"] = "on"
	tr.expect(tr.run(), "succeeded: x=done x.step.a=done x.step.b=done after=done")
	tr.record.events = cut(tr.record.events, func(e event.Event) bool { return e.Type == event.ActionStarted && e.Step == "step.x.step.b" })
	delete(tr.values, "allowed")
	delete(tr.values, "b")
	tr.world.calls = nil
	tr.expect(tr.again(), "succeeded: x=done x.step.a=done x.step.b=done after=done")
	if diff := cmp.Diff([]string{"b", "after"}, tr.world.calls); diff != "" {
		t.Error(diff)
	}
}

// A call that ended well stays as it ended, its gates too, and its outputs are
// still there.
func TestCallThatEndedStays(t *testing.T) {
	other := "runbook \"other\" {}\nstep \"gate\" {\n  precondition \"p\" {\n    probe \"fake.get\" { name = \"open\" }\n  }\n}\n" + called
	tr := calling(t, call("")+step("after", strings.Replace(set, `value = "on"`, `value = step.x.result.first`, 1)), map[string]string{"other.hcl": other})
	tr.values["open"] = "on"
	tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "refused"}}, name == "after" && attempt == 1
	}
	tr.expect(tr.run(), "failed: x=done x.step.gate=satisfied x.step.a=done x.step.b=done after=failed")
	delete(tr.values, "open")
	tr.expect(tr.again(), "succeeded: x=done x.step.gate=satisfied x.step.a=done x.step.b=done after=done")
	if got := tr.values["after"]; got != "on" {
		t.Errorf("after saw %q", got)
	}
}

func TestCallWaitsForAPersonInside(t *testing.T) {
	other := strings.Replace("runbook \"other\" {}\n"+called, "value = var.on", "value    = var.on\n    destroys = true", 1)
	tr := calling(t, call("")+step("after", set), map[string]string{"other.hcl": other})
	tr.expect(tr.run(), "waiting: x= x.step.a= x.step.b= after=")
	tr.opts.Approved = map[string][]apply.Approval{"step.x.step.a": {{Shown: true, Effects: []schema.Effect{{Resource: "fake://host/a", Mode: schema.Write}}}}}
	tr.expect(tr.again(), "succeeded: x=done x.step.a=done x.step.b=done after=done")
}

func TestInterruptInsideACall(t *testing.T) {
	other := strings.Replace("runbook \"other\" {}\n"+called, "step \"b\" {", "step \"b\" {\n  precondition \"p\" {\n    probe \"fake.get\" { name = \"open\" }\n    within = \"1h\"\n  }", 1)
	tr := calling(t, call("")+step("after", set), map[string]string{"other.hcl": other})
	signal := make(chan struct{})
	tr.opts.Interrupt = signal
	tr.clock.AfterFunc(30*time.Second, func() { close(signal) })
	tr.expect(tr.run(), "interrupted: x=interrupted x.step.a=done x.step.b=interrupted after=not_run")
	tr.values["open"] = "on"
	tr.opts.Interrupt = nil
	tr.expect(tr.again(), "succeeded: x=done x.step.a=done x.step.b=done after=done")
}
