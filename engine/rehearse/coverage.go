package rehearse

import (
	"slices"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Item is one thing that can become of a step: "step.x: skipped".
type Item struct {
	Step string // address
	What string
}

// Coverage tells which items of a runbook its tests have shown.
type Coverage struct {
	File    string // the runbook's
	Items   []Item // source order
	Covered map[Item]bool
}

// Missing are the items that no test shows, in source order.
func (c Coverage) Missing() []Item {
	return slices.DeleteFunc(slices.Clone(c.Items), func(i Item) bool { return c.Covered[i] })
}

// Cover counts what passed tests have shown of a runbook. An item counts only
// where an expect names the status of its step.
func Cover(rb *runbook.Runbook, results []Result) Coverage {
	c := Coverage{File: rb.File, Covered: map[Item]bool{}}
	for _, s := range rb.Steps {
		c.Items = append(c.Items, items(s)...)
	}
	for _, r := range results {
		for _, item := range r.shown {
			if r.OK() && r.named[item.Step] && slices.Contains(c.Items, item) {
				c.Covered[item] = true
			}
		}
	}
	return c
}

// items are what can become of a step.
func items(s *runbook.Step) []Item {
	var all []Item
	add := func(what string) { all = append(all, Item{s.Address(), what}) }
	skips := skippable(s)
	if s.Operation() != nil || s.Call != nil || len(s.Verifies) > 0 {
		add("run")
	}
	if satisfiable(s) {
		add("satisfied")
	}
	for _, p := range s.Preconditions {
		add("precondition " + p.Name + " false")
		if looks(p) {
			add("precondition " + p.Name + " errs")
		}
	}
	if skips {
		add("skipped")
	}
	if s.Probe != nil {
		add("capture errs")
	}
	if s.Action != nil {
		add("action fails")
	}
	if s.Call != nil {
		add("call fails")
	}
	for _, f := range s.Fallbacks {
		add("fallback " + f.Label)
	}
	if s.Rollback != nil {
		add("rolled back")
		add("rollback fails")
	}
	for _, a := range slices.Concat(s.Goals, s.Verifies) {
		add(a.Kind + " " + a.Name + " never holds")
		if looks(a) {
			add(a.Kind + " " + a.Name + " errs")
		}
	}
	return all
}

func skippable(s *runbook.Step) bool {
	return s.When != nil || s.ForEach != nil || slices.ContainsFunc(s.Preconditions, func(p *runbook.Assertion) bool { return p.Otherwise == "skip" })
}

// satisfiable tells whether a step can end satisfied; a call only where each step
// of what it calls can, or be skipped.
func satisfiable(s *runbook.Step) bool {
	if s.Call == nil || s.Call.Runbook == nil || len(s.Goals) > 0 {
		return len(s.Goals) > 0 || s.Operation() == nil && len(s.Verifies) == 0
	}
	return !slices.ContainsFunc(s.Call.Runbook.Steps, func(inner *runbook.Step) bool { return !satisfiable(inner) && !skippable(inner) })
}

func looks(a *runbook.Assertion) bool { return a.Probe != nil || len(a.Checks) > 0 }

// shown are the items that a test has come to. What an instance of a step shows,
// the step shows.
func shown(b *backend) []Item {
	all := shownEach(b)
	for i := range all {
		all[i].Step = plainly(all[i].Step)
	}
	return all
}

func shownEach(b *backend) []Item {
	var all []Item
	failed := map[string]bool{}
	came := func(step, status string) {
		failed[step] = failed[step] || status == "failed"
		if what := map[string]string{
			"failed": "call fails", "satisfied": "satisfied", "skipped": "skipped", "done": "run", "rolled_back": "rolled back", "rollback_failed": "rollback fails",
		}[status]; what != "" {
			all = append(all, Item{step, what})
		}
	}
	for _, s := range b.result.Steps {
		came(s.Address, s.Status)
	}
	for _, step := range b.skipped {
		came(step, "skipped")
	}
	for _, e := range b.record.events { // how it ended before it was taken back
		if e.Type == event.StepFinished {
			came(e.Step, e.Status)
		}
	}
	for _, e := range b.record.events {
		switch {
		case e.Type == event.ActionStarted && e.Attempt.Fallback != "":
			all = append(all, Item{e.Step, "fallback " + e.Attempt.Fallback})
		case e.Attempt != nil && e.Attempt.TakesBack, e.Observation != nil && e.Observation.TakesBack: // its status tells
		case e.Type == event.ActionFinished && (e.Attempt.State == schema.FailedClean || e.Attempt.State == schema.FailedPartial):
			all = append(all, Item{e.Step, "action fails"})
		case e.Type == event.Observed && e.Step != "":
			o := e.Observation
			name := o.Kind + " " + o.Name
			switch {
			case o.Kind == "capture" && o.Holds == nil:
				all = append(all, Item{e.Step, "capture errs"})
			case o.Holds == nil:
				all = append(all, Item{e.Step, name + " errs"})
			case !*o.Holds && o.Kind == "precondition":
				all = append(all, Item{e.Step, name + " false"})
			case !*o.Holds && o.Final && failed[e.Step]:
				all = append(all, Item{e.Step, name + " never holds"})
			}
		}
	}
	return all
}
