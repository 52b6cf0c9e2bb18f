package apply_test

import (
	"context"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// lost is a first attempt that nobody hears the end of; took tells whether it
// had its effect.
func lost(took bool) func(*tabled) {
	return func(w *tabled) {
		w.act = func(_ context.Context, name, value string, attempt int) (schema.Outcome, bool) {
			if name != "x" || attempt > 1 {
				return schema.Outcome{}, false
			}
			if took {
				w.values[name] = value
			}
			return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Code: "provider_died", Message: "the provider died"}}, true
		}
	}
}

// orphaned is a first attempt that somebody still works at.
func orphaned(for_ time.Duration) func(*tabled) {
	return func(w *tabled) {
		w.record.held["step.x.1"] = true
		w.virtual.AfterFunc(for_, func() { delete(w.record.held, "step.x.1") })
	}
}

func rowsOfUnknown() []entry {
	const goal, verify, settle, p = "look x.goal.on", "look x.verify.v", "settle x", "look x.precondition.p"
	manual, idempotent, keyed, observed := class(schema.Manual), class(schema.Idempotent), class(schema.Keyed), class(schema.Observed)
	return []entry{
		{row: 23, name: "its goal holds", source: x(acting + aiming), world: all(manual, lost(true)),
			apply: &verdict{Said: "done", Row: 23, Reason: "x is on", Outcome: "succeeded", Called: goal + ", " + acted + ", " + goal + ", " + goal}},
		{row: 23, name: "its goal holds and a verify does not", source: x(acting + aiming + verifying), world: all(manual, lost(true)),
			apply: &verdict{Said: "failed", Row: 23, Reason: `verify "v" does not hold: v is off`, Outcome: "failed", Called: goal + ", " + acted + ", " + goal + ", " + goal + ", " + verify}},
		{row: 23, name: "the provider knows that it was done", source: x(acting + verifying), world: all(observed, lost(true), settled(schema.Done), on("v")),
			apply: &verdict{Said: "done", Row: 23, Reason: "v is on", Outcome: "succeeded", Called: acted + ", " + settle + ", " + verify}},
		{row: 23, name: "the goal does not hold and the provider knows", source: x(acting + aiming), world: all(observed, lost(false), settled(schema.FailedClean)),
			apply: &verdict{Said: "failed", Row: 21, Reason: "the backend says so (found: nothing was changed)", Outcome: "failed", Called: goal + ", " + acted + ", " + goal + ", " + settle}},
		{row: 23, name: "the provider knows that it was half done", source: x(acting), world: all(observed, lost(false), settled(schema.FailedPartial)),
			apply: &verdict{Said: "failed", Row: 22, Reason: "the backend says so", Outcome: "failed", Called: acted + ", " + settle}},
		{row: 23, name: "idempotent is done again with the same key", source: x(acting), world: all(idempotent, lost(false)),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + ", " + acted}},
		{row: 23, name: "keyed is done again with the same key", source: x(acting), world: all(keyed, lost(true)),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + ", " + acted}},
		{row: 23, name: "again passes the preconditions first", source: x(acting + guarded), world: all(keyed, on("p"), lost(false), func(w *tabled) {
			died := w.act
			w.act = func(ctx context.Context, name, value string, attempt int) (schema.Outcome, bool) {
				delete(w.values, "p")
				return died(ctx, name, value, attempt)
			}
		}),
			apply: &verdict{Said: "unknown", Row: 11, Reason: "the provider died; and now: p is off", Outcome: "failed", Called: p + ", " + acted + ", " + p}},
		{row: 23, name: "only a person knows", source: x(acting), world: all(manual, lost(true)),
			apply: &verdict{Said: "unknown", Row: 23, Reason: "the provider died; nobody knows whether it was done: look at the system, then `runbook resume r1 --resolve step.x=done|retry|fail`", Outcome: "failed", Called: acted}},
		{row: 23, name: "it is never ignored", source: x(acting + ignored), world: all(manual, lost(true)),
			apply: &verdict{Said: "unknown", Row: 23, Reason: "the provider died; nobody knows whether it was done: look at the system, then `runbook resume r1 --resolve step.x=done|retry|fail`", Outcome: "failed", Called: acted}},
		{row: 23, name: "somebody still works at it for a while", source: x(acting + aiming), world: all(manual, lost(true), orphaned(10*time.Second)),
			apply: &verdict{Said: "done", Row: 23, Reason: "x is on", Outcome: "succeeded", Called: goal + ", " + acted + ", " + goal + ", " + goal}},
		{row: 23, name: "somebody still works at it when its timeout has passed", source: x(acting + aiming + "timeout = \"20s\"\n"), world: all(idempotent, lost(true), orphaned(time.Hour)),
			apply: &verdict{Said: "unknown", Row: 23, Reason: "the provider died; attempt 1 still works: `fuser -v step.x.1` names the processes; once they have ended, `runbook resume r1`", Outcome: "failed", Called: goal + ", " + acted}},
	}
}

// killed cuts the record where the engine was killed.
func killed(after event.Type, then ...func(*tabled)) func(*tabled) {
	return func(w *tabled) {
		w.crashed(after, "step.x")
		all(then...)(w)
	}
}

func person(word string) func(*tabled) {
	return func(w *tabled) { w.opts.Resolve = map[string]string{"step.x": word} }
}

func rowsOfResume() []entry {
	const goal, verify, p = "look x.goal.on", "look x.verify.v", "look x.precondition.p"
	const look = "probe \"fake.get\" { name = \"v\" }\n"
	manual, keyed := class(schema.Manual), class(schema.Keyed)
	last := step("last", set)
	proving := acting + verifying
	return []entry{
		{row: 24, name: "what was done stays", source: x(acting+verifying) + last, world: on("v"), again: killed(event.StepFinished, off("v")),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on; v is on", Outcome: "succeeded"}},
		{row: 24, name: "what was satisfied stays", source: x(acting+aiming) + last, world: on("x"), again: killed(event.StepFinished, off("x")),
			resume: &verdict{Said: "satisfied", Row: 6, Reason: "x is on", Outcome: "succeeded"}},
		{row: 24, name: "what was skipped stays", source: checkC + x(acting+whenUp) + last, again: killed(event.StepFinished, on("c")),
			resume: &verdict{Said: "skipped", Row: 4, Reason: "its `when` is false: check.c fails", Outcome: "succeeded", Called: "look check.c"}},
		{row: 24, name: "what was captured stays", source: x(look) + last, world: on("v"), again: killed(event.StepFinished, off("v")),
			resume: &verdict{Said: "done", Row: 13, Reason: "v is on", Outcome: "succeeded"}},
		{row: 24, name: "a gate is looked at again", source: x(guarded) + last, world: on("p"), again: killed(event.StepFinished, off("p")),
			resume: &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "blocked", Called: p}},
		{row: 24, name: "killed in mid action and its goal holds", source: x(acting + aiming), world: manual, again: killed(event.ActionStarted),
			resume: &verdict{Said: "done", Row: 23, Reason: "x is on", Outcome: "succeeded", Called: goal + ", " + goal}},
		{row: 24, name: "killed in mid action of what is keyed", source: x(acting), world: keyed, again: killed(event.ActionStarted),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted}},
		{row: 24, name: "killed in mid action and only a person knows", source: x(acting), world: manual, again: killed(event.ActionStarted),
			resume: &verdict{Said: "unknown", Row: 23, Reason: "the engine went away in mid-action; nobody knows whether it was done: look at the system, then `runbook resume r1 --resolve step.x=done|retry|fail`", Outcome: "failed"}},
		{row: 24, name: "a person says it was done", source: x(proving), world: all(manual, on("v")), again: killed(event.ActionStarted, person(apply.ResolveDone)),
			resume: &verdict{Said: "done", Row: 23, Reason: "v is on", Outcome: "succeeded", Called: verify}},
		{row: 24, name: "a person says it was done and it is not proved", source: x(proving), world: manual, again: killed(event.ActionStarted, person(apply.ResolveDone)),
			resume: &verdict{Said: "failed", Row: 23, Reason: `verify "v" does not hold: v is off`, Outcome: "failed", Called: verify}},
		{row: 24, name: "a person says it failed", source: x(acting), world: manual, again: killed(event.ActionStarted, person(apply.ResolveFail)),
			resume: &verdict{Said: "failed", Row: 22, Reason: "said to have failed by tester", Outcome: "failed"}},
		{row: 24, name: "a person says that it is to be done again", source: x(acting), world: manual, again: killed(event.ActionStarted, person(apply.ResolveRetry)),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + "'"}},
		{row: 24, name: "killed after the outcome", source: x(proving), world: on("v"), again: killed(event.ActionFinished),
			resume: &verdict{Said: "done", Row: 24, Reason: "x set to on; v is on", Outcome: "succeeded", Called: verify}},
		{row: 24, name: "it failed after it was done and is proved now", source: x(proving), again: all(on("v")),
			resume: &verdict{Said: "done", Row: 24, Reason: "x set to on; v is on", Outcome: "succeeded", Called: verify}},
		{row: 24, name: "it failed after it was done and is not done again", source: x(proving), again: all(),
			resume: &verdict{Said: "failed", Row: 24, Reason: `verify "v" does not hold: v is off`, Outcome: "failed", Called: verify}},
		{row: 24, name: "it failed after it was done and a person wants it again", source: x(proving), again: all(on("v"), person(apply.ResolveRetry)),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on; v is on", Outcome: "succeeded", Called: acted + "', " + verify}},
		{row: 24, name: "a clean failure", source: x(acting), world: all(manual, ends("x", schema.FailedClean)), again: all(),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + "'"}},
		{row: 24, name: "a partial failure", source: x(acting), world: all(manual, ends("x", schema.FailedPartial)), again: all(),
			resume: &verdict{Said: "failed", Row: 24, Reason: "x is broken; to act again: `--resolve step.x=retry`", Outcome: "failed"}},
		{row: 24, name: "a partial failure that a person wants again", source: x(acting), world: all(manual, ends("x", schema.FailedPartial)), again: person(apply.ResolveRetry),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + "'"}},
		{row: 24, name: "a partial failure of what is keyed", source: x(acting), world: all(keyed, ends("x", schema.FailedPartial)), again: all(),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted + "'"}},
		{row: 24, name: "it was blocked", source: x(acting + guarded), again: on("p"),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: p + ", " + acted}},
		{row: 24, name: "it was not run", source: first("") + x(acting), world: ends("first", schema.FailedClean), again: all(),
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted}},
		{row: 24, name: "it waited and was approved", source: x(destroying), again: func(w *tabled) {
			w.opts.Approved["step.x"] = []apply.Approval{{Shown: true, Effects: []schema.Effect{{Resource: "fake://host/x", Mode: schema.Write}}}}
		},
			resume: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: acted}},
	}
}
