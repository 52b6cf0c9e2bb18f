package rehearse_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/runbook-engine/runbook/engine/diag"
)

// both is a runbook that uses a probe and an action of one name, twice.
const both = `
runbook "x" {}
step "first" {
  action "fake.run" {}
  goal "done" {
    probe "fake.run" {}
  }
}
step "second" {
  action "fake.run" {}
  goal "done" {
    probe "fake.run" {}
  }
}
`

// A mock stands for a probe and an action of one name, or by its place for one
// of them; and it can tell which step has changed the world.
func TestProbeAndActionOfOneName(t *testing.T) {
	tests := map[string]struct {
		body     string
		problems []string
	}{
		"each by its place": {`
  mock "fake.run" { takes = "1m" }
  mock "fake.run" {
    at      = step.first.goal.done
    returns = { ok = false }
    after "fake.run" {
      at      = step.first
      returns = { ok = true }
    }
  }
  mock "fake.run" {
    at      = step.second.goal.done
    returns = { ok = false }
    after "fake.run" {
      at      = step.second
      returns = { ok = true }
    }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.first" = "done", "step.second" = "done" }
    calls   = { "fake.run" = 6 }
  }`, nil},
		"both at once": {`
  mock "fake.run" {
    returns = { summary = "fine" }
    impact  = { rows = 3 }
  }
  expect {
    outcome = "succeeded"
    status  = { "step.first" = "satisfied", "step.second" = "satisfied" }
  }`, nil},
		"an action that is not ok has failed": {`
  mock "fake.run" {
    returns = { ok = false, summary = "exit code 1" }
  }
  expect {
    outcome = "failed"
    status  = { "step.first" = "failed" }
    message = "exit code 1"
  }`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, diags := rehearsedOf(t, both, "test \"x\" {\n"+test.body+"\n}\n")
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.problems, r.Problems, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakesInMocks(t *testing.T) {
	tests := map[string]struct{ mock, want string }{
		"no such count":          {`impact = { rowz = 3 }`, "invalid_argument"},
		"a probe counts nothing": {"at = step.first.goal.done\n  impact = { rows = 3 }", "unknown_argument"},
		"no such field":          {`returns = { sumary = "x" }`, "unknown_name"},
		"after a probe":          {"after \"fake.look\" {\n  }", "unknown_operation"},
		"after nobody":           {"after \"fake.run\" {\n    at = step.third\n  }", "unknown_name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, diags := rehearsedOf(t, both, "test \"x\" {\n  mock \"fake.run\" {\n  "+test.mock+"\n  }\n  expect { outcome = \"succeeded\" }\n}\n")
			if len(diags) != 1 || diags[0].Subject == nil || diag.ID(diags[0]) != test.want {
				t.Errorf("said %v, want %s", diags, test.want)
			}
		})
	}
}
