package rehearse_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/rehearse"
)

// Each instance of a step has a world of its own, and the steps of a called
// runbook have longer addresses.
func TestInstancesAndCalls(t *testing.T) {
	files := map[string]string{
		"x.hcl": `
runbook "x" {}
check "ready" {
  for_each = toset(["a", "b"])
  probe "fake.look" {}
}
step "roll" {
  for_each     = ["a", "b"]
  max_parallel = 1
  precondition "ready" { check = check.ready[each.key] }
  action "fake.set" {}
  goal "young" {
    probe "fake.look" {}
    assert = result.age < 10
  }
}
step "rest" {
  call { runbook = "./y.hcl" }
}
`,
		"y.hcl": `
runbook "y" {}
step "shoot" {
  action "fake.shoot" {}
}
`,
		"x_test.hcl": `
mock "check.ready" { holds = true }
mock "fake.look" {
  returns = { age = 99 }
  after "fake.set" {
    returns = { age = 1 }
  }
}
mock "fake.shoot" {}

test "all_act" {
  mock "fake.set" {}
  expect {
    outcome = "succeeded"
    status = {
      "step.roll[\"a\"]"      = "done"
      "step.roll[\"b\"]"      = "done"
      "step.rest"             = "done"
      "step.rest.step.shoot"  = "done"
    }
    calls = { "fake.set" = 2 }
    order = [step.roll["a"], step.roll["b"], step.rest.step.shoot]
  }
}

test "whole_steps_have_an_order" {
  mock "fake.set" {}
  expect { order = [step.roll, step.rest] }
}

test "the_other_way_round" {
  mock "fake.set" {}
  expect { order = [step.rest, step.roll] }
}

test "one_fails" {
  mock "fake.set" {}
  mock "fake.set" {
    at    = step.roll["a"]
    fails = "broken"
  }
  expect {
    outcome = "failed"
    status  = { "step.roll[\"a\"]" = "failed", "step.roll[\"b\"]" = "not_run" }
    calls   = { "fake.set" = 1 }
  }
}

test "one_is_not_ready" {
  mock "check.ready" {
    at    = check.ready["b"]
    holds = false
  }
  mock "fake.set" {}
  expect {
    outcome    = "blocked"
    blocked_by = step.roll["b"].precondition.ready
  }
}
`,
	}
	f, diags := loadedFiles(t, files)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	problems := map[string][]string{}
	for _, test := range f.Tests {
		r, diags := f.Run(t.Context(), test, open, rehearse.Options{})
		if diags.HasErrors() {
			t.Fatal(test.Name, diags)
		}
		if len(r.Problems) > 0 {
			problems[test.Name] = r.Problems
		}
	}
	want := map[string][]string{"the_other_way_round": {"order: expected step.rest, step.roll, got step.roll, step.rest"}}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
}

// What a test names has to be there.
func TestInstancesThatAreNotThere(t *testing.T) {
	const source = "runbook \"x\" {}\nstep \"roll\" {\n  for_each = [\"a\"]\n  action \"fake.set\" {}\n}\nstep \"one\" {\n  action \"fake.set\" {}\n}\n"
	tests := map[string]string{
		`step.roll["a"]`:        "",
		`step.rol["a"]`:         `There is no step\.rol\["a"\]`,
		`step.one["a"]`:         `There is no step\.one\["a"\]`,
		`step.one.step.another`: `There is no step\.one\.step\.another`,
	}
	for place, want := range tests {
		_, diags := loadedFiles(t, map[string]string{"x.hcl": source, "x_test.hcl": "test \"t\" {\n  crash_after = " + place + "\n  expect { outcome = \"succeeded\" }\n}\n"})
		switch {
		case want == "" && diags.HasErrors():
			t.Error(place, diags)
		case want != "" && (len(diags) != 1 || !regexp.MustCompile(want).MatchString(diags[0].Detail)):
			t.Errorf("%s: %v", place, diags)
		}
	}
}
