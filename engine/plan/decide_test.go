package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// expr is any expression: Decide only asks whether there is one.
func expr(t *testing.T) hcl.Expression {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte("true"), "test.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return e
}

func TestDecide(t *testing.T) {
	var (
		holds   = plan.Answer{Truth: plan.Holds, Reason: "good"}
		fails   = plan.Answer{Truth: plan.Fails, Reason: "bad"}
		errs    = plan.Answer{Truth: plan.Errs, Reason: "refused"}
		unknown = plan.Answer{Truth: plan.NotKnown, Reason: "not known"}
		waits   = plan.Answer{Truth: plan.Fails, Reason: "bad", Within: 5 * time.Minute}
	)
	one := func(kind string) []*runbook.Assertion { return []*runbook.Assertion{{Kind: kind, Name: "it"}} }
	skips := []*runbook.Assertion{{Kind: "precondition", Name: "it", Otherwise: "skip"}}
	action := &runbook.Operation{Provider: "core", Name: "log"}
	acting := runbook.Step{Name: "x", Action: action}
	gate := runbook.Step{Name: "x"}
	proving := runbook.Step{Name: "x", Verifies: one("verify")}
	capturing := runbook.Step{Name: "x", Probe: action}
	guarded := runbook.Step{Name: "x", Action: action, Preconditions: one("precondition")}
	choosing := runbook.Step{Name: "x", Action: action, When: expr(t)}
	aiming := runbook.Step{Name: "x", Action: action, Goals: one("goal")}
	skipping := runbook.Step{Name: "x", Action: action, Preconditions: skips}
	always := runbook.Step{Name: "x", Action: action, Always: true}

	ok := &holds
	previewed := &plan.Previewed{}
	const pending = "step.first"
	const noGoal = "it has no goal that could say it is done already"

	tests := []struct {
		name  string
		facts plan.Facts
		plan  plan.Decision
		apply plan.Decision
	}{
		{"row 1: an ancestor stands in the way", plan.Facts{Step: &acting, Blocker: "it needs step.a"},
			plan.Decision{Row: 1, Verdict: plan.Block, Reason: "it needs step.a"},
			plan.Decision{Row: 1, Verdict: plan.NotRun, Reason: "it needs step.a"}},
		{"row 1: not for always", plan.Facts{Step: &always, Blocker: "stopped", Arguments: ok, Preview: previewed, Person: ok, Lock: ok},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: noGoal},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: noGoal}},
		{"row 2: when not known", plan.Facts{Step: &choosing, When: &unknown},
			plan.Decision{Row: 2, Verdict: plan.Deferred, Reason: "not known"},
			plan.Decision{Row: 2, Verdict: plan.Deferred, Reason: "not known"}},
		{"row 3: a check in when errs", plan.Facts{Step: &choosing, When: &errs},
			plan.Decision{Row: 3, Verdict: plan.Block, Reason: "refused"},
			plan.Decision{Row: 3, Verdict: plan.Block, Reason: "refused"}},
		{"row 4: when is false", plan.Facts{Step: &choosing, When: &fails},
			plan.Decision{Row: 4, Verdict: plan.Skipped, Reason: "bad"},
			plan.Decision{Row: 4, Verdict: plan.Skipped, Reason: "bad"}},
		{"row 5: a goal is not known", plan.Facts{Step: &aiming, Goals: []plan.Answer{unknown}},
			plan.Decision{Row: 5, Verdict: plan.Deferred, Reason: "not known"},
			plan.Decision{Row: 5, Verdict: plan.Deferred, Reason: "not known"}},
		{"row 6: all goals hold", plan.Facts{Step: &aiming, Goals: []plan.Answer{holds}},
			plan.Decision{Row: 6, Verdict: plan.Satisfied, Reason: "good"},
			plan.Decision{Row: 6, Verdict: plan.Satisfied, Reason: "good"}},
		{"row 6: tentative while pending", plan.Facts{Step: &aiming, Pending: pending, Goals: []plan.Answer{holds}},
			plan.Decision{Row: 6, Verdict: plan.Satisfied, Reason: "good", Tentative: true},
			plan.Decision{Row: 6, Verdict: plan.Satisfied, Reason: "good"}},
		{"row 7: a goal errs, go on", plan.Facts{Step: &aiming, Goals: []plan.Answer{errs}, Arguments: ok, Preview: previewed, Person: ok, Lock: ok},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: "refused"},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: "refused"}},
		{"row 8: precondition false while pending", plan.Facts{Step: &guarded, Pending: pending, Preconditions: []plan.Answer{fails}},
			plan.Decision{Row: 8, Verdict: plan.Deferred, Reason: "does not hold yet (bad); step.first runs before it"},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "bad"}},
		{"row 8: precondition errs while pending", plan.Facts{Step: &guarded, Pending: pending, Preconditions: []plan.Answer{errs}},
			plan.Decision{Row: 8, Verdict: plan.Deferred, Reason: "does not hold yet (refused); step.first runs before it"},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "refused"}},
		{"row 8: precondition not known, nothing pending", plan.Facts{Step: &guarded, Preconditions: []plan.Answer{unknown}},
			plan.Decision{Row: 8, Verdict: plan.Deferred, Reason: "not known"},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "not known"}},
		{"row 9: precondition may be waited for", plan.Facts{Step: &guarded, Preconditions: []plan.Answer{waits}},
			plan.Decision{Row: 9, Verdict: plan.Deferred, Reason: "waits up to 5m: bad"},
			plan.Decision{Row: 9, Verdict: plan.Await, Want: plan.WantPreconditions, Reason: "bad"}},
		{"row 10: otherwise skip", plan.Facts{Step: &skipping, Preconditions: []plan.Answer{fails}},
			plan.Decision{Row: 10, Verdict: plan.Skipped, Reason: "bad"},
			plan.Decision{Row: 10, Verdict: plan.Skipped, Reason: "bad"}},
		{"row 10: one that errs does not skip", plan.Facts{Step: &skipping, Preconditions: []plan.Answer{errs}},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "refused"},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "refused"}},
		{"row 11: precondition false", plan.Facts{Step: &guarded, Preconditions: []plan.Answer{fails}},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "bad"},
			plan.Decision{Row: 11, Verdict: plan.Block, Reason: "bad"}},
		{"row 12: a gate", plan.Facts{Step: &gate},
			plan.Decision{Row: 12, Verdict: plan.Satisfied, Reason: "a gate with nothing in its way"},
			plan.Decision{Row: 12, Verdict: plan.Satisfied, Reason: "a gate with nothing in its way"}},
		{"row 13: a capture", plan.Facts{Step: &capturing, Capture: &holds},
			plan.Decision{Row: 13, Verdict: plan.Run, Reason: "good"},
			plan.Decision{Row: 13, Verdict: plan.Run, Reason: "good"}},
		{"row 13: a capture errs", plan.Facts{Step: &capturing, Capture: &errs},
			plan.Decision{Row: 13, Verdict: plan.Block, Reason: "refused"},
			plan.Decision{Row: 13, Verdict: plan.Run, Reason: "refused"}},
		{"row 13: a capture errs while pending", plan.Facts{Step: &capturing, Pending: pending, Capture: &errs},
			plan.Decision{Row: 13, Verdict: plan.Deferred, Reason: "refused"},
			plan.Decision{Row: 13, Verdict: plan.Run, Reason: "refused"}},
		{"row 14: arguments not known", plan.Facts{Step: &acting, Pending: pending, Arguments: &unknown, Person: ok, Lock: ok},
			plan.Decision{Row: 14, Verdict: plan.Run, Tentative: true, Reason: noGoal, Warnings: []string{"not known"}},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "not known"}},
		{"row 15: arguments can never work", plan.Facts{Step: &acting, Arguments: &fails},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "bad"},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "bad"}},
		{"row 15: over its limit", plan.Facts{Step: &acting, Arguments: ok, Preview: &plan.Previewed{OverLimit: "too many", Limited: true}},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "too many"},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "too many"}},
		{"row 15: destructive without a preview", plan.Facts{Step: &acting, Arguments: ok, Preview: &plan.Previewed{Failed: "refused", Destructive: true}},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "its effect could not be measured: refused"},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "its effect could not be measured: refused"}},
		{"row 15: destructive without a preview while pending", plan.Facts{Step: &acting, Pending: pending, Arguments: ok, Preview: &plan.Previewed{Failed: "refused", Destructive: true}, Person: &fails, Lock: ok},
			plan.Decision{Row: 15, Verdict: plan.Run, Tentative: true, Asks: true, Reason: noGoal, Warnings: []string{"no preview before step.first has run: refused"}},
			plan.Decision{Row: 15, Verdict: plan.Block, Reason: "its effect could not be measured: refused"}},
		{"row 16: no preview otherwise", plan.Facts{Step: &acting, Arguments: ok, Preview: &plan.Previewed{Failed: "refused"}, Person: ok, Lock: ok},
			plan.Decision{Row: 16, Verdict: plan.Run, Reason: noGoal, Warnings: []string{"no preview: refused"}},
			plan.Decision{Row: 16, Verdict: plan.Run, Reason: noGoal, Warnings: []string{"no preview: refused"}}},
		{"row 17: a person is needed", plan.Facts{Step: &acting, Arguments: ok, Preview: previewed, Person: &fails, Lock: ok},
			plan.Decision{Row: 17, Verdict: plan.Run, Asks: true, Reason: noGoal},
			plan.Decision{Row: 17, Verdict: plan.Await, Want: plan.WantPerson, Reason: "bad"}},
		{"row 18: another run holds a lock", plan.Facts{Step: &acting, Arguments: ok, Preview: previewed, Person: ok, Lock: &fails},
			plan.Decision{Row: 18, Verdict: plan.Run, Reason: noGoal, Warnings: []string{"bad"}},
			plan.Decision{Row: 18, Verdict: plan.Await, Want: plan.WantLock, Reason: "bad"}},
		{"row 19: otherwise", plan.Facts{Step: &acting, Arguments: ok, Preview: previewed, Person: ok, Lock: ok},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: noGoal},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: noGoal}},
		{"row 19: a gate that verifies", plan.Facts{Step: &proving},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: "verifies it"},
			plan.Decision{Row: 19, Verdict: plan.Run, Reason: "verifies it"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.plan, plan.Decide(test.facts)); diff != "" {
				t.Errorf("at plan (-want +got):\n%s", diff)
			}
			test.facts.Phase, test.facts.Pending = plan.Applying, ""
			if diff := cmp.Diff(test.apply, plan.Decide(test.facts)); diff != "" {
				t.Errorf("at apply (-want +got):\n%s", diff)
			}
		})
	}
}

// Decide asks for one thing at a time, in the order of the table, and never for
// what no longer matters.
func TestDecideAsksInOrder(t *testing.T) {
	step := &runbook.Step{
		Name: "x", Action: &runbook.Operation{}, When: expr(t),
		Goals:         []*runbook.Assertion{{Name: "g"}},
		Preconditions: []*runbook.Assertion{{Name: "p"}},
	}
	good := plan.Answer{Truth: plan.Holds}
	facts := plan.Facts{Step: step}
	var asked []plan.Want
	for {
		d := plan.Decide(facts)
		if d.Verdict != plan.Look {
			break
		}
		asked = append(asked, d.Want)
		switch d.Want {
		case plan.WantWhen:
			facts.When = &good
		case plan.WantGoals:
			facts.Goals = []plan.Answer{{Truth: plan.Fails}}
		case plan.WantPreconditions:
			facts.Preconditions = []plan.Answer{good}
		case plan.WantArguments:
			facts.Arguments = &good
		case plan.WantPreview:
			facts.Preview = &plan.Previewed{}
		case plan.WantPerson:
			facts.Person = &good
		case plan.WantLock:
			facts.Lock = &good
		}
	}
	want := []plan.Want{plan.WantWhen, plan.WantGoals, plan.WantPreconditions, plan.WantArguments, plan.WantPreview, plan.WantPerson, plan.WantLock}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
