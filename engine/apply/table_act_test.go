package apply_test

import (
	"context"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/providers/schema"
)

var (
	destroying = strings.Replace(acting, "}", " destroys = true\n}", 1)
	unknowing  = withValue("step.first.result.value", "\"on\"")
)

func counting(rows int64) func(*tabled) { return func(w *tabled) { w.counts = rows } }

func invalid(w *tabled) { w.invalid = true }

const limited = "limit = { rows = 2 }\n"

func rowsOfArguments() []entry {
	blind := down("preview of x")
	return []entry{
		{row: 14, name: "arguments are not known", source: first("") + x(unknowing),
			plan: &verdict{Said: "run", Row: 14, Tentative: true, Reason: noGoal, Warnings: []string{"not known before earlier steps have run: name"}, Effects: "write fake://host", Outcome: "changes", Called: "describe x"}},
		{row: 15, name: "arguments can never work", source: x(acting), world: invalid,
			plan:  &verdict{Said: "blocked", Row: 15, Reason: "fake.set: no such switch", Outcome: "blocked", Called: "describe x"},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "fake.set: no such switch", Outcome: "blocked", Called: "describe x"}},
		{row: 15, name: "one argument is not known and another can never work", source: first("") + x(strings.Replace(unknowing, "}", " destroys = \"perhaps\"\n}", 1)),
			plan:  &verdict{Said: "blocked", Row: 15, Reason: "A bool is needed here, not a string: a bool is required. (test.hcl:14)", Outcome: "blocked"},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "A bool is needed here, not a string: a bool is required. (test.hcl:14)", Outcome: "failed"}},
		{row: 15, name: "it would hit more than its limit", source: x(acting + limited), world: counting(3),
			plan:  &verdict{Said: "blocked", Row: 15, Reason: "it would hit 3 rows, the limit is 2", Outcome: "blocked", Called: describe},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "it would hit 3 rows, the limit is 2", Outcome: "blocked", Called: describe}},
		{row: 15, name: "its limit is of what is not counted", source: x(acting + "limit = { keys = 2 }\n"),
			plan:  &verdict{Said: "blocked", Row: 15, Reason: "limit names keys, which the preview did not count", Outcome: "blocked", Called: describe},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "limit names keys, which the preview did not count", Outcome: "blocked", Called: describe}},
		{row: 15, name: "no preview of what is limited", source: x(acting + limited), world: blind,
			plan:  &verdict{Said: "blocked", Row: 15, Reason: "its effect could not be measured: fake.set: refused", Outcome: "blocked", Called: describe},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "its effect could not be measured: fake.set: refused", Outcome: "blocked", Called: describe}},
		{row: 15, name: "no preview of what is destructive", source: x(destroying), world: blind,
			plan:  &verdict{Said: "blocked", Row: 15, Reason: "its effect could not be measured: fake.set: refused", Outcome: "blocked", Called: describe},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "its effect could not be measured: fake.set: refused", Outcome: "blocked", Called: describe}},
		{row: 15, name: "no preview of what is destructive while something runs first", source: first("") + x(destroying), world: blind,
			plan:  &verdict{Said: "run", Row: 15, Tentative: true, Asks: true, Reason: noGoal, Warnings: []string{"no preview before step.first has run: fake.set: refused"}, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "blocked", Row: 15, Reason: "its effect could not be measured: fake.set: refused", Outcome: "failed", Called: describe}},
		{row: 16, name: "no preview", source: x(acting), world: blind,
			plan:  &verdict{Said: "run", Row: 16, Reason: noGoal, Warnings: []string{"no preview: fake.set: refused"}, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: describe + ", act x"}},
	}
}

// answering is a person at the terminal who takes a minute.
func answering(yes bool, then ...func(*tabled)) func(*tabled) {
	return func(w *tabled) {
		w.opts.Ask = func(ctx context.Context, _ apply.Question) (bool, error) {
			err := w.virtual.Sleep(ctx, time.Minute)
			all(then...)(w)
			return yes, err
		}
	}
}

func off(name string) func(*tabled) { return func(w *tabled) { delete(w.values, name) } }

func othersHold(d time.Duration) func(*tabled) {
	return func(w *tabled) { w.others, w.opts.LockTimeout = d, 30*time.Second }
}

func rowsOfWaiting() []entry {
	const p = "look x.precondition.p"
	twice := describe + ", " + describe
	return []entry{
		{row: 17, name: "nobody is there", source: x(destroying),
			plan:  &verdict{Said: "run", Row: 17, Asks: true, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Reason: "person: it is destructive: a person has to see what it hits", Outcome: "waiting", Called: describe}},
		{row: 17, name: "nobody is there while something runs first", source: first("") + x(destroying),
			plan:  &verdict{Said: "run", Row: 17, Tentative: true, Asks: true, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Reason: "person: it is destructive: a person has to see what it hits", Outcome: "waiting", Called: describe}},
		{row: 17, name: "somebody says yes", source: x(destroying + guarded), world: all(on("p"), answering(true)),
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: p + ", " + describe + ", " + p + ", " + describe + ", act x"}},
		{row: 17, name: "somebody says yes too late", source: x(destroying + guarded), world: all(on("p"), answering(true, off("p"))),
			apply: &verdict{Said: "blocked", Row: 11, Reason: "p is off", Outcome: "blocked", Called: p + ", " + describe + ", " + p}},
		{row: 17, name: "somebody says no", source: x(destroying), world: answering(false),
			apply: &verdict{Said: "blocked", Row: 17, Reason: "declined at the terminal", Outcome: "blocked", Called: describe}},
		{row: 17, name: "approved up to its limit beforehand", source: x(destroying + limited), world: func(w *tabled) {
			w.counts, w.opts.Approved["step.x"] = 2, []apply.Approval{{}}
		},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: describe + ", act x"}},
		{row: 18, name: "another run holds a lock for a while", source: x(acting), world: othersHold(10 * time.Second),
			plan:  &verdict{Said: "run", Row: 18, Reason: noGoal, Warnings: []string{"run r0 holds fake://host/x"}, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: twice + ", act x"}},
		{row: 18, name: "another run holds a lock meanwhile the precondition fails", source: x(acting + guarded), world: func(w *tabled) {
			othersHold(10 * time.Second)(w)
			w.observe = func(name string) (schema.Outcome, bool) {
				return answer(w.locked([]schema.Effect{{Resource: "fake://host/x", Mode: schema.Write}}) != "", "p", ""), name == "p"
			}
		},
			apply: &verdict{Said: "blocked", Row: 11, Reason: "p", Outcome: "blocked", Called: p + ", " + describe + ", " + p}},
		{row: 18, name: "another run holds a lock for too long", source: x(acting), world: othersHold(time.Hour),
			apply: &verdict{Said: "blocked", Row: 18, Reason: "run r0 holds fake://host/x", Outcome: "blocked", Called: describe}},
		{row: 19, name: "nothing is in the way", source: x(acting),
			plan:  &verdict{Said: "run", Row: 19, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: describe + ", act x"}},
		{row: 19, name: "something runs first", source: first("") + x(acting),
			plan:  &verdict{Said: "run", Row: 19, Tentative: true, Reason: noGoal, Effects: "write fake://host/x", Outcome: "changes", Called: describe},
			apply: &verdict{Said: "done", Row: 20, Reason: "x set to on", Outcome: "succeeded", Called: describe + ", act x"}},
		{row: 19, name: "a gate that verifies", source: x(verifying), world: on("v"),
			plan:  &verdict{Said: "run", Row: 19, Reason: "verifies v", Outcome: "nothing_to_do"},
			apply: &verdict{Said: "done", Row: 19, Reason: "v is on", Outcome: "succeeded", Called: "look x.verify.v"}},
	}
}

const verifying = "verify \"v\" {\n probe \"fake.get\" { name = \"v\" }\n}\n"
