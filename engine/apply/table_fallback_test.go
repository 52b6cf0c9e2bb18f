package apply_test

import (
	"context"
	"strings"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// fallback is a fallback of step.x that sets another switch.
func fallback(name string) string {
	return "fallback \"" + name + "\" {\n" + strings.Replace(acting, `"x"`, `"`+name+`"`, 1) + "}\n"
}

// broken lets every attempt at some switches end otherwise than well.
func broken(state schema.State, names ...string) func(*tabled) {
	return func(w *tabled) {
		w.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
			for _, n := range names {
				if name == n {
					return schema.Outcome{State: state, Failure: &schema.Failure{Code: "broken", Message: name + " is broken"}}, true
				}
			}
			return schema.Outcome{}, false
		}
	}
}

func rowsOfFallbacks() []entry {
	const goal, p = "look x.goal.on", "look x.precondition.p"
	falling := acting + fallback("y") + fallback("z")
	tried := func(marks string) string { return describe + ", act x" + marks }
	manual := class(schema.Manual)
	first, second, third := acted, tried("'"), tried("''")
	return []entry{
		{row: 20, name: "a fallback where the goal does not come to hold", source: x(falling + verifying), world: all(manual, func(w *tabled) {
			w.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
				if name == "z" {
					w.values["v"] = "on"
				}
				return schema.Outcome{}, false
			}
		}),
			apply: &verdict{Said: "done", Row: 20, Reason: "z set to on; v is on", Outcome: "succeeded",
				Called: first + ", look x.verify.v, " + second + ", look x.verify.v, " + third + ", look x.verify.v"}},
		{row: 20, name: "no fallback brings it about", source: x(falling + verifying), world: manual,
			apply: &verdict{Said: "failed", Row: 20, Reason: `verify "v" does not hold: v is off`, Outcome: "failed",
				Called: first + ", look x.verify.v, " + second + ", look x.verify.v, " + third + ", look x.verify.v"}},
		{row: 21, name: "a fallback after a clean failure", source: x(falling), world: all(manual, broken(schema.FailedClean, "x")),
			apply: &verdict{Said: "done", Row: 20, Reason: "y set to on", Outcome: "succeeded", Called: first + ", " + second}},
		{row: 21, name: "first tried again, then a fallback", source: x(falling + retrying), world: all(manual, broken(schema.FailedClean, "x", "y")),
			apply: &verdict{Said: "done", Row: 20, Reason: "z set to on", Outcome: "succeeded",
				Called: first + ", " + tried("'") + ", " + tried("''") + ", " + tried("'''") + ", " + tried("''''") + ", " + tried("'''''") + ", " + tried("''''''")}},
		{row: 22, name: "a fallback after a partial failure", source: x(falling), world: all(manual, broken(schema.FailedPartial, "x")),
			apply: &verdict{Said: "done", Row: 20, Reason: "y set to on", Outcome: "succeeded", Called: first + ", " + second}},
		{row: 22, name: "the last fallback fails too", source: x(falling), world: all(manual, broken(schema.FailedPartial, "x", "y", "z")),
			apply: &verdict{Said: "failed", Row: 22, Reason: "z is broken", Outcome: "failed", Called: first + ", " + second + ", " + third}},
		{row: 23, name: "no fallback after an unknown outcome", source: x(falling), world: all(manual, broken(schema.Unknown, "x")),
			apply: &verdict{Said: "unknown", Row: 23, Reason: "x is broken; nobody knows whether it was done: look at the system, then `runbook resume r1 --resolve step.x=done|retry|fail`", Outcome: "failed", Called: first}},
		{row: 23, name: "a fallback once the provider knows that it was half done", source: x(falling), world: all(class(schema.Observed), broken(schema.Unknown, "x"), settled(schema.FailedPartial)),
			apply: &verdict{Said: "done", Row: 20, Reason: "y set to on", Outcome: "succeeded", Called: first + ", settle x, " + second}},
		{row: 15, name: "a fallback that would hit too much is passed over", source: x(falling + limited), world: all(manual, counting(1), func(w *tabled) {
			w.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
				w.counts = map[string]int64{"x": 3, "y": 1}[name]
				return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Message: name + " is broken"}}, true
			}
		}),
			apply: &verdict{Said: "failed", Row: 15, Reason: "it would hit 3 rows, the limit is 2; and now: it would hit 3 rows, the limit is 2", Outcome: "failed",
				Called: first + ", " + describe + ", " + describe}},
		{row: 17, name: "a person has to see a destructive fallback", source: x(acting + strings.Replace(fallback("y"), "on\"", "on\"\n destroys = true", 1)), world: all(manual, broken(schema.FailedClean, "x")),
			apply: &verdict{Reason: "person: it is destructive: a person has to see what it hits", Outcome: "waiting", Called: first + ", " + describe}},
		{row: 24, name: "killed before the fallback", source: x(falling), world: all(manual, broken(schema.FailedPartial, "x")), again: killed(event.ActionFinished),
			resume: &verdict{Said: "done", Row: 20, Reason: "y set to on", Outcome: "succeeded", Called: second}},
		{row: 24, name: "killed before the fallback, which begins at row 1", source: x(falling + guarded), world: all(manual, on("p"), broken(schema.FailedPartial, "x")), again: killed(event.ActionFinished, off("p")),
			resume: &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "failed", Called: p}},
		{row: 24, name: "killed in a fallback and its goal holds", source: x(falling + aiming), world: all(manual, broken(schema.FailedPartial, "x")), again: func(w *tabled) {
			n := 0
			for i, e := range w.record.events {
				if e.Type == event.ActionStarted {
					if n++; n == 2 {
						w.record.events = w.record.events[:i+1]
						break
					}
				}
			}
			w.values["x"] = "on"
		},
			resume: &verdict{Said: "done", Row: 23, Reason: "x is on", Outcome: "succeeded", Called: goal + ", " + goal}},
		{row: 24, name: "all have failed and nothing was changed: from the beginning", source: x(falling), world: all(manual, broken(schema.FailedClean, "x", "y", "z")), again: func(w *tabled) { w.act = nil },
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: tried("'''")}},
		{row: 24, name: "all have failed and something may be changed: a person has to say so", source: x(falling), world: all(manual, broken(schema.FailedPartial, "x", "y", "z")), again: func(w *tabled) { w.act = nil },
			resume: &verdict{Said: "failed", Row: 24, Reason: "z is broken; to act again: `--resolve step.x=retry`", Outcome: "failed"}},
		{row: 24, name: "a person wants the last fallback again", source: x(falling), world: all(manual, broken(schema.FailedPartial, "x", "y", "z")), again: func(w *tabled) {
			w.act = nil
			person(apply.ResolveRetry)(w)
		},
			resume: &verdict{Said: "done", Row: 20, Reason: "z set to on", Outcome: "succeeded", Called: tried("'''")}},
	}
}
