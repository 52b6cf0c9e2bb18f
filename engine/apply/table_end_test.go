package apply_test

import (
	"github.com/runbook-engine/runbook/providers/schema"
)

const (
	retrying = "retry {\n attempts = 3\n delay = \"10s\"\n}\n"
	acted    = describe + ", act x"
)

func class(settling schema.Settling) func(*tabled) {
	return func(w *tabled) { w.settling = settling }
}

func settled(state schema.State) func(*tabled) {
	return func(w *tabled) {
		w.trial.world.settle = func(string) schema.Outcome {
			o := schema.Outcome{State: state}
			if state != schema.Done {
				o.Failure = &schema.Failure{Message: "the backend says so"}
			}
			return o
		}
	}
}

func rowsOfOutcomes() []entry {
	const goal, verify = "look x.goal.on", "look x.verify.v"
	proving := acting + aiming + verifying
	return []entry{
		{row: 20, name: "goal and verify hold", source: x(proving), world: on("v"),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on; x is on; v is on", Outcome: "succeeded", Called: goal + ", " + acted + ", " + goal + ", " + verify}},
		{row: 20, name: "verify never holds", source: x(proving + retrying),
			apply: &verdict{Said: "failed", Row: 20, Reason: `verify "v" does not hold: v is off`, Outcome: "failed", Called: goal + ", " + acted + ", " + goal + ", " + verify}},
		{row: 20, name: "verify errs", source: x(proving + retrying), world: down("v"),
			apply: &verdict{Said: "failed", Row: 20, Reason: `verify "v" does not hold: fake.get could not look: v refused`, Outcome: "failed", Called: goal + ", " + acted + ", " + goal + ", " + verify}},
		{row: 21, name: "a clean failure", source: x(acting), world: ends("x", schema.FailedClean),
			apply: &verdict{Said: "failed", Row: 21, Reason: "x is broken (nothing was changed)", Outcome: "failed", Called: acted}},
		{row: 21, name: "a clean failure is tried again", source: x(acting + retrying), world: all(class(schema.Manual), ends("x", schema.FailedClean)),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + ", " + acted + "'"}},
		{row: 21, name: "a clean failure is tried to the end", source: x(acting + retrying), world: all(class(schema.Manual), ends("x", schema.FailedClean, schema.FailedClean, schema.FailedClean)),
			apply: &verdict{Said: "failed", Row: 21, Reason: "x is broken (nothing was changed); tried 3 times", Outcome: "failed", Called: acted + ", " + acted + "', " + acted + "''"}},
		{row: 22, name: "a partial failure", source: x(acting), world: ends("x", schema.FailedPartial),
			apply: &verdict{Said: "failed", Row: 22, Reason: "x is broken", Outcome: "failed", Called: acted}},
		{row: 22, name: "a partial failure only a person may repeat", source: x(acting + retrying), world: all(class(schema.Manual), ends("x", schema.FailedPartial)),
			apply: &verdict{Said: "failed", Row: 22, Reason: "x is broken", Outcome: "failed", Called: acted}},
		{row: 22, name: "a partial failure of what is idempotent is tried again", source: x(acting + retrying), world: all(class(schema.Idempotent), ends("x", schema.FailedPartial)),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + ", " + acted + "'"}},
		{row: 22, name: "a partial failure of what is keyed is tried again", source: x(acting + retrying), world: all(class(schema.Keyed), ends("x", schema.FailedPartial)),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + ", " + acted + "'"}},
	}
}
