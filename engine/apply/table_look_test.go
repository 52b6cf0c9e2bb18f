package apply_test

import (
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

// turning switches something on after a while.
func turning(name string, after time.Duration) func(*tabled) {
	return func(w *tabled) {
		w.observe = func(asked string) (schema.Outcome, bool) {
			if asked != name {
				return schema.Outcome{}, false
			}
			on := w.virtual.Now().Sub(w.opts.Run.StartedAt) >= after
			return answer(on, map[bool]string{true: name + " is on", false: name + " is off"}[on], ""), true
		}
	}
}

func rowsOfPreconditions() []entry {
	const p = "look x.precondition.p"
	patient := strings.Replace(guarded, "}\n}", "}\n within = \"1m\"\n every = \"20s\"\n}", 1)
	skipping := strings.Replace(guarded, "}\n}", "}\n otherwise = \"skip\"\n}", 1)
	patientSkipping := strings.Replace(patient, " within", " otherwise = \"skip\"\n within", 1)
	fourLooks := strings.Repeat(p+", ", 4) + p
	return []entry{
		{row: 8, name: "a precondition is false while something runs first", source: first("") + x(acting+guarded),
			plan: &verdict{Said: "deferred", Row: 8, Reason: "does not hold yet (p is off); step.first runs before it", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"}},
		{row: 8, name: "a precondition errs while something runs first", source: first("") + x(acting+guarded), world: down("p"),
			plan: &verdict{Said: "deferred", Row: 8, Reason: "does not hold yet (fake.get could not look: p refused); step.first runs before it", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"}},
		{row: 8, name: "a precondition is not known", source: first("") + x(acting+strings.Replace(guarded, "\"p\" }", "step.first.result.value }", 1)),
			plan: &verdict{Said: "deferred", Row: 8, Reason: "does not hold yet (fake.get needs name, not known yet); step.first runs before it", Effects: "write fake://host/x", Outcome: "changes", Called: "describe x"}},
		{row: 8, name: "one that may be waited for is false while something runs first", source: first("") + x(acting+patient),
			plan: &verdict{Said: "deferred", Row: 8, Reason: "does not hold yet (p is off); step.first runs before it", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"}},
		{row: 9, name: "a precondition comes to hold in time", source: x(acting + patient), world: turning("p", 40*time.Second),
			plan:  &verdict{Said: "deferred", Row: 9, Reason: "waits up to 1m: p is off", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: p + ", " + p + ", " + p + ", " + p + ", " + describe + ", act x"}},
		{row: 9, name: "a precondition never comes to hold", source: x(acting + patient),
			plan:  &verdict{Said: "deferred", Row: 9, Reason: "waits up to 1m: p is off", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"},
			apply: &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "blocked", Called: fourLooks}},
		{row: 9, name: "a precondition errs all the time", source: x(acting + patient), world: down("p"),
			plan:  &verdict{Said: "deferred", Row: 9, Reason: "waits up to 1m: fake.get could not look: p refused", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"},
			apply: &verdict{Said: "blocked", Row: 11, Reason: "fake.get could not look: p refused", Outcome: "blocked", Called: fourLooks}},
		{row: 9, name: "one that skips never comes to hold", source: x(acting + patientSkipping),
			plan:  &verdict{Said: "deferred", Row: 9, Reason: "waits up to 1m: p is off", Effects: "write fake://host/x", Outcome: "changes", Called: p + ", describe x"},
			apply: &verdict{Said: "skipped", Row: 10, Reason: "p is off", Outcome: "succeeded", Called: fourLooks}},
		{row: 10, name: "a precondition that skips is false", source: x(acting + skipping),
			plan:  &verdict{Said: "skipped", Row: 10, Reason: "p is off", Outcome: "nothing_to_do", Called: p},
			apply: &verdict{Said: "skipped", Row: 10, Reason: "p is off", Outcome: "succeeded", Called: p}},
		{row: 11, name: "a precondition is false", source: x(acting + guarded),
			plan:  &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "blocked", Called: p},
			apply: &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "blocked", Called: p}},
		{row: 11, name: "a precondition errs", source: x(acting + guarded), world: down("p"),
			plan:  &verdict{Said: "blocked", Row: 11, Reason: "fake.get could not look: p refused", Outcome: "blocked", Called: p},
			apply: &verdict{Said: "blocked", Row: 11, Reason: "fake.get could not look: p refused", Outcome: "blocked", Called: p}},
		{row: 11, name: "one that skips errs", source: x(acting + skipping), world: down("p"),
			plan:  &verdict{Said: "blocked", Row: 11, Reason: "fake.get could not look: p refused", Outcome: "blocked", Called: p},
			apply: &verdict{Said: "blocked", Row: 11, Reason: "fake.get could not look: p refused", Outcome: "blocked", Called: p}},
		{row: 11, name: "a precondition is false after something ran", source: first("") + x(acting+guarded),
			apply: &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "failed", Called: p}},
		{row: 12, name: "a gate", source: x(guarded), world: on("p"),
			plan:  &verdict{Said: "satisfied", Row: 12, Reason: "p is on", Outcome: "nothing_to_do", Called: p},
			apply: &verdict{Said: "satisfied", Row: 12, Reason: "p is on", Outcome: "succeeded", Called: p}},
		{row: 12, name: "a gate while something runs first", source: first("") + x(guarded), world: on("p"),
			plan:  &verdict{Said: "satisfied", Row: 12, Tentative: true, Reason: "p is on", Outcome: "changes", Called: p},
			apply: &verdict{Said: "satisfied", Row: 12, Reason: "p is on", Outcome: "succeeded", Called: p}},
	}
}

func rowsOfCaptures() []entry {
	const look = "probe \"fake.get\" { name = \"v\" }\n"
	captured := step("capture", look)
	chosen := acting + "when = step.capture.result.ok\n"
	return []entry{
		{row: 13, name: "a capture", source: x(look), world: on("v"),
			plan:  &verdict{Said: "run", Row: 13, Reason: "v is on", Value: `{ ok = true, summary = "v is on", value = "on" }`, Outcome: "nothing_to_do", Called: "look x"},
			apply: &verdict{Said: "done", Row: 13, Reason: "v is on", Outcome: "succeeded", Called: "look x"}},
		{row: 13, name: "a capture while something runs first", source: first("") + x(look), world: on("v"),
			plan:  &verdict{Said: "run", Row: 13, Tentative: true, Reason: "v is on", Value: `{ ok = true, summary = "v is on", value = "on" }`, Outcome: "changes", Called: "look x"},
			apply: &verdict{Said: "done", Row: 13, Reason: "v is on", Outcome: "succeeded", Called: "look x"}},
		{row: 13, name: "a capture is known to others", source: captured + x(chosen), world: on("v"),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: describe + ", act x"}},
		{row: 13, name: "a capture is not known to others while something runs first", source: first("") + captured + x(chosen), world: on("v"),
			plan: &verdict{Said: "deferred", Row: 2, Reason: "its `when` is decided once earlier steps have run", Effects: "write fake://host/x", Outcome: "changes", Called: "describe x"}},
		{row: 13, name: "a capture errs", source: x(look), world: down("v"),
			plan:  &verdict{Said: "blocked", Row: 13, Reason: "fake.get could not look: v refused", Outcome: "blocked", Called: "look x"},
			apply: &verdict{Said: "failed", Row: 13, Reason: "fake.get could not look: v refused", Outcome: "failed", Called: "look x"}},
		{row: 13, name: "a capture errs while something runs first", source: first("") + x(look), world: down("v"),
			plan:  &verdict{Said: "deferred", Row: 13, Reason: "fake.get could not look: v refused", Outcome: "changes", Called: "look x"},
			apply: &verdict{Said: "failed", Row: 13, Reason: "fake.get could not look: v refused", Outcome: "failed", Called: "look x"}},
	}
}
