package apply_test

import (
	"context"
	"strings"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Pieces of the runbooks below. What comes before step.x is step.first, which
// acts, or step.gate, which lets nobody pass while p is off.
const (
	acting   = "action \"fake.set\" {\n name = \"x\"\n value = \"on\"\n}\n"
	aiming   = "goal \"on\" {\n probe \"fake.get\" { name = \"x\" }\n}\n"
	guarded  = "precondition \"p\" {\n probe \"fake.get\" { name = \"p\" }\n}\n"
	needing  = "depends_on = [step.gate]\n"
	goesOn   = "on_failure = \"continue\"\n"
	ignored  = "on_failure = \"ignore\"\n"
	whenUp   = "when = check.c.holds\n"
	noGoal   = "it has no goal that could say it is done already"
	describe = "describe x, preview x"
)

// checkC is a check that steps may ask.
const checkC = "check \"c\" {\n probe \"fake.get\" { name = \"c\" }\n}\n"

func first(body string) string { return step("first", set+body) }

func gate(body string) string { return step("gate", guarded+body) }

func x(body string) string { return step("x", body) }

// withValue is x's action with another name or value.
func withValue(name, value string) string {
	return strings.NewReplacer("name = \"x\"", "name = "+name, "value = \"on\"", "value = "+value).Replace(acting)
}

func on(names ...string) func(*tabled) {
	return func(w *tabled) {
		for _, name := range names {
			w.values[name] = "on"
		}
	}
}

func down(names ...string) func(*tabled) {
	return func(w *tabled) {
		for _, name := range names {
			w.down[name] = true
		}
	}
}

func all(changes ...func(*tabled)) func(*tabled) {
	return func(w *tabled) {
		for _, change := range changes {
			change(w)
		}
	}
}

// ends lets the first attempts at a switch end otherwise than well, one after
// the other; what ends unknown has no effect.
func ends(name string, states ...schema.State) func(*tabled) {
	return func(w *tabled) {
		w.act = func(_ context.Context, acted, _ string, attempt int) (schema.Outcome, bool) {
			if acted != name || attempt > len(states) || states[attempt-1] == schema.Done {
				return schema.Outcome{}, false
			}
			return schema.Outcome{State: states[attempt-1], Failure: &schema.Failure{Code: "broken", Message: name + " is broken"}}, true
		}
	}
}

func rowsBefore() []entry {
	const checked = "look check.c"
	return []entry{
		{row: 1, name: "an ancestor that it needs is blocked", source: gate(goesOn) + x(acting+needing),
			plan:  &verdict{Said: "blocked", Row: 1, Reason: "it needs step.gate, which is blocked", Outcome: "blocked"},
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it needs step.gate, which ended blocked", Outcome: "blocked"}},
		{row: 1, name: "one before it is blocked and stops", source: gate("") + x(acting),
			plan:  &verdict{Said: "blocked", Row: 1, Reason: "it comes after step.gate, which is blocked", Outcome: "blocked"},
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it comes after step.gate, which ended blocked", Outcome: "blocked"}},
		{row: 1, name: "one before it is blocked and rolls back", source: gate("") + x(acting),
			world: func(w *tabled) { w.rb.Steps[0].OnFailure = runbook.RollBack },
			plan:  &verdict{Said: "blocked", Row: 1, Reason: "it comes after step.gate, which is blocked", Outcome: "blocked"},
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it comes after step.gate, which ended blocked", Outcome: "blocked"}},
		{row: 1, name: "one before it is blocked and the others continue", source: gate(goesOn) + x(acting),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "failed", Called: describe + ", act x"}},
		{row: 1, name: "one that it needs is blocked and ignored", source: gate(ignored) + x(acting+needing),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Warnings: []string{"step.gate blocked and is ignored: p is off"}, Outcome: "succeeded", Called: describe + ", act x"}},
		{row: 1, name: "one that it needs is not run, and ignored", source: gate(goesOn) + step("second", set+needing+ignored) + x(acting+"depends_on = [step.second]\n"),
			plan:  &verdict{Said: "blocked", Row: 1, Reason: "it needs step.second, which is blocked", Outcome: "blocked"},
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it needs step.second, which ended not_run", Outcome: "blocked"}},
		{row: 1, name: "one before it is not run, and stops", source: gate(goesOn) + step("second", set+needing) + x(acting),
			plan:  &verdict{Said: "blocked", Row: 1, Reason: "it comes after step.second, which is blocked", Outcome: "blocked"},
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it comes after step.second, which ended not_run", Outcome: "blocked"}},
		{row: 1, name: "not for always", source: gate("") + x(acting+"always = true\n"),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "blocked", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "failed", Called: describe + ", act x"}},
		{row: 1, name: "one that it needs failed", source: first(goesOn) + x(acting+"depends_on = [step.first]\n"), world: ends("first", schema.FailedClean),
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it needs step.first, which ended failed", Outcome: "failed"}},
		{row: 1, name: "one before it failed and stops", source: first("") + x(acting), world: ends("first", schema.FailedPartial),
			apply: &verdict{Said: "not_run", Row: 1, Reason: "it comes after step.first, which ended failed", Outcome: "failed"}},
		{row: 1, name: "one beside it failed and stops", source: first("") + step("second", set+"depends_on = []\n") + x(acting+"depends_on = [step.second]\n"),
			world: func(w *tabled) {
				ends("first", schema.FailedClean)(w)
				w.takes = 1
			},
			apply: &verdict{Said: "not_run", Row: 1, Reason: "the run stopped after step.first ended failed", Outcome: "failed"}},
		{row: 2, name: "when is not known", source: first("") + x(acting+"when = step.first.result.value == \"on\"\n"),
			plan: &verdict{Said: "deferred", Row: 2, Reason: "its `when` is decided once earlier steps have run", Effects: "write fake://host/x", Outcome: "changes", Called: "describe x"}},
		{row: 2, name: "for_each is not known", source: first("") + x(acting+"for_each = [step.first.result.value]\n"),
			plan: &verdict{Said: "deferred", Row: 2, Reason: "which instances there are is known once earlier steps have run", Effects: "write fake://host/x", Outcome: "changes", Called: "describe x[*]"}},
		{row: 2, name: "for_each cannot be evaluated", source: step("capture", "probe \"fake.get\" { name = \"v\" }\n") + x(acting+"for_each = [step.capture.result.value, step.capture.result.value]\n"), world: on("v"),
			plan:  &verdict{Said: "blocked", Row: 2, Reason: "`for_each` cannot be evaluated: \"on\" is in the list twice, and the strings are the keys. (test.hcl:11)", Outcome: "blocked"},
			apply: &verdict{Said: "blocked", Row: 2, Reason: "`for_each` cannot be evaluated: \"on\" is in the list twice, and the strings are the keys. (test.hcl:11)", Outcome: "blocked"}},
		{row: 3, name: "a check in when errs", source: checkC + x(acting+whenUp), world: down("c"),
			plan:  &verdict{Said: "blocked", Row: 3, Reason: "`when` cannot be evaluated: check.c could not be looked at (fake.get could not look: c refused); check.c has no \"holds\"; it has status. (test.hcl:11)", Outcome: "blocked", Called: checked},
			apply: &verdict{Said: "blocked", Row: 3, Reason: "`when` cannot be evaluated: check.c could not be looked at (fake.get could not look: c refused); check.c has no \"holds\"; it has status. (test.hcl:11)", Outcome: "blocked", Called: checked}},
		{row: 3, name: "a check in when errs and is not needed", source: checkC + x(acting+"when = false && check.c.holds\n"), world: down("c"),
			plan:  &verdict{Said: "skipped", Row: 4, Reason: "its `when` is false", Outcome: "nothing_to_do", Called: checked},
			apply: &verdict{Said: "skipped", Row: 4, Reason: "its `when` is false", Outcome: "succeeded", Called: checked}},
		{row: 3, name: "a check in when errs and that is asked", source: checkC + x(acting+"when = check.c.status == \"errors\"\n"), world: down("c"),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: checked + ", " + describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: checked + ", " + describe + ", act x"}},
		{row: 4, name: "when is false", source: checkC + x(acting+whenUp),
			plan:  &verdict{Said: "skipped", Row: 4, Reason: "its `when` is false: check.c fails", Outcome: "nothing_to_do", Called: checked},
			apply: &verdict{Said: "skipped", Row: 4, Reason: "its `when` is false: check.c fails", Outcome: "succeeded", Called: checked}},
		{row: 4, name: "for_each is empty", source: x(acting + "for_each = []\n"),
			plan:  &verdict{Said: "skipped", Row: 4, Reason: "its `for_each` is empty", Outcome: "nothing_to_do"},
			apply: &verdict{Said: "skipped", Row: 4, Reason: "its `for_each` is empty", Outcome: "succeeded"}},
		{row: 4, name: "when is true", source: checkC + x(acting+whenUp), world: on("c"),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: checked + ", " + describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: checked + ", " + describe + ", act x"}},
	}
}

func rowsOfGoals() []entry {
	const goal = "look x.goal.on"
	return []entry{
		{row: 5, name: "a goal needs a value that is not known", source: first("") + x(acting+strings.Replace(aiming, "\"x\"", "step.first.result.value", 1)),
			plan: &verdict{Said: "deferred", Row: 5, Reason: "fake.get needs name, not known yet", Effects: "write fake://host/x", Outcome: "changes", Called: "describe x"}},
		{row: 6, name: "all goals hold", source: x(acting + aiming), world: on("x"),
			plan:  &verdict{Said: "satisfied", Row: 6, Reason: "x is on", Outcome: "nothing_to_do", Called: goal},
			apply: &verdict{Said: "satisfied", Row: 6, Reason: "x is on", Outcome: "succeeded", Called: goal}},
		{row: 6, name: "all goals hold while something runs first", source: first("") + x(acting+aiming), world: on("x"),
			plan:  &verdict{Said: "satisfied", Row: 6, Tentative: true, Reason: "x is on", Effects: "write fake://host/x", Outcome: "changes", Called: goal + ", describe x"},
			apply: &verdict{Said: "satisfied", Row: 6, Reason: "x is on", Outcome: "succeeded", Called: goal}},
		{row: 7, name: "a goal is false", source: x(acting + aiming),
			plan:  &verdict{Said: "run", Row: 19, Reason: "x is off", Effects: "write fake://host/x", Outcome: "changes", Called: goal + ", " + describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on; x is on", Outcome: "succeeded", Called: goal + ", " + describe + ", act x, " + goal}},
		{row: 7, name: "one goal of two is false", source: x(acting + aiming + "goal \"q\" {\n probe \"fake.get\" { name = \"q\" }\n}\n"), world: on("q"),
			plan:  &verdict{Said: "run", Row: 19, Reason: "x is off", Effects: "write fake://host/x", Outcome: "changes", Called: goal + ", look x.goal.q, " + describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on; x is on; q is on", Outcome: "succeeded", Called: goal + ", look x.goal.q, " + describe + ", act x, " + goal + ", look x.goal.q"}},
		{row: 7, name: "a goal errs", source: x(acting + aiming), world: down("x"),
			plan:  &verdict{Said: "run", Row: 19, Reason: "fake.get could not look: x refused", Effects: "write fake://host/x", Outcome: "changes", Called: goal + ", " + describe},
			apply: &verdict{Said: "failed", Row: 20, Reason: `goal "on" does not hold: fake.get could not look: x refused`, Outcome: "failed", Called: goal + ", " + describe + ", act x, " + goal}},
	}
}
