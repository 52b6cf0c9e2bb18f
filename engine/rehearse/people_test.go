package rehearse_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/runbook-engine/runbook/engine/diag"
)

const questions = `
runbook "x" {}
step "ask" {
  action "fake.ask" {}
}
step "look" {
  probe "fake.look" {}
}
step "use" {
  action "fake.set" {}
  precondition "grown" {
    assert = step.ask.result.age > 17
  }
}
`

// A test answers what actions ask: they ask for real, and what they take is
// checked as it is in a run.
func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		body     string
		problems []string
	}{
		"answered": {`
  answers = { "step.ask" = { age = 21 } }
  expect {
    outcome = "succeeded"
    calls   = { "fake.ask" = 1, "fake.set" = 1 }
    order   = [step.ask, step.use]
  }`, nil},
		"what is answered is used": {`
  answers = { "step.ask" = { age = "7" } }
  expect {
    status     = { "step.ask" = "done", "step.use" = "blocked" }
    blocked_by = step.use.precondition.grown
  }`, nil},
		"nobody": {`
  expect {
    outcome = "waiting"
    calls   = { "fake.ask" = 0 }
  }`, nil},
		"no": {`
  answers = { "step.ask" = false }
  expect {
    outcome = "blocked"
    status  = { "step.ask" = "blocked" }
    message = "declined at the terminal"
  }`, nil},
		"a crash after the answer": {`
  answers     = { "step.ask" = { age = 21 } }
  crash_after = step.ask
  expect {
    outcome = "succeeded"
    calls   = { "fake.ask" = 2 }
  }`, nil},
		"of another type": {`
  answers = { "step.ask" = { age = "old" } }
  expect { outcome = "succeeded" }`, []string{`the answer to step.ask is not taken: age has to be a number, not "old"`}},
		"of another name": {`
  answers = { "step.ask" = { ages = 3 } }
  expect { outcome = "succeeded" }`, []string{"the answer to step.ask is not taken: age is missing; ages is not asked for; did you mean age?"}},
		"that the action does not take": {`
  answers = { "step.ask" = { age = 13 } }
  expect { outcome = "succeeded" }`, []string{"the answer to step.ask is not taken; it asks again: not 13; how old?"}},
		"a mock answers instead": {`
  mock "fake.ask" {
    returns = { age = 40 }
  }
  expect { outcome = "succeeded" }`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, diags := rehearsedOf(t, questions, "mock \"fake.look\" {}\nmock \"fake.set\" {}\ntest \"x\" {\n"+test.body+"\n}\n")
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.problems, r.Problems, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Who is asked may not be there, or say no.
func TestPeopleGoWrong(t *testing.T) {
	r := exhausted(t, questions, `
mock "fake.look" {}
mock "fake.set" {}
invariant "nobody_uses_what_nobody_said" {
  assert = (!step.use.acted || step.ask.status == "done") && (!step.ask.acted || run.outcome != "waiting")
}
test "x" {
  answers = { "step.ask" = { age = 21 } }
  expect { outcome = "succeeded" }
}
`)
	if !r.OK() {
		t.Errorf("%v %v", r.Problems, r.Injections)
	}
	got := map[string]string{}
	for _, i := range r.Injections {
		if i.Step == "step.ask" {
			got[i.What()] = i.Outcome
		}
	}
	want := map[string]string{
		"person does not answer": "waiting", "person says no": "blocked",
		"action fails, nothing changed": "failed", "action fails, partly done": "failed",
		"action ends unknown, done": "failed", "action ends unknown, not done": "failed",
		"crash as its action ends": "succeeded",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMistakesInAnswers(t *testing.T) {
	tests := map[string]struct{ answers, want string }{
		"no step":      {`{ "step.aks" = {} }`, "unknown_name: There is no step.aks"},
		"no object":    {`"yes"`, "wrong_type: "},
		"no answer":    {`{ "step.ask" = "yes" }`, "wrong_type: The answer to step.ask is an object"},
		"no question":  {`{ "step.use" = {} }`, "invalid_argument: step.use asks nothing: fake.set is no action that does"},
		"no action":    {`{ "step.look" = {} }`, "invalid_argument: step.look asks nothing: it has no action"},
		"not constant": {`{ "step.ask" = { age = var.x } }`, "not_constant: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, diags := rehearsedOf(t, questions, "mock \"fake.look\" {}\nmock \"fake.set\" {}\ntest \"x\" {\n  answers = "+test.answers+"\n  expect { outcome = \"succeeded\" }\n}\n")
			if len(diags) != 1 || diags[0].Subject == nil || diags[0].Subject.Start.Line != 4 || !strings.HasPrefix(diag.ID(diags[0])+": "+diags[0].Detail, test.want) {
				t.Errorf("said %v, want %q at line 4", diags, test.want)
			}
		})
	}
}
