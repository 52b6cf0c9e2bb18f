package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/plan"
)

// WritePlan writes a plan for people: the outcome in one line, each step with
// its reason, the causes found and ruled out, what each system would suffer,
// what wants a person, and the warnings.
func WritePlan(w io.Writer, style Style, pl *plan.Plan) error {
	p := &page{style: style}
	p.linef("%s", p.paint(outcomeColor(pl.Outcome), Headline(pl)))
	if tally := tally(pl); tally != "" {
		p.linef("%s", p.paint(dim, tally))
	}
	p.blank()
	for i := range pl.Steps {
		p.step(&pl.Steps[i])
	}
	p.diagnosis(pl.Diagnosis)
	p.blastRadius(pl.BlastRadius)
	p.persons(pl.Steps)
	p.untaken(pl)
	p.notices(pl.Notices)
	p.outputs(pl.Outputs)
	p.planWarnings(pl)
	if text := estimateText(pl.Estimate); text != "" {
		p.blank()
		p.linef("%s", text)
	}
	if pl.Digest != "" {
		p.blank()
		p.linef("%s", p.paint(dim, "digest "+pl.Digest))
	}
	return p.flush(w)
}

// estimateText says how long a plan should take; empty where nobody knows.
func estimateText(e *plan.Estimate) string {
	if e == nil {
		return ""
	}
	text := fmt.Sprintf("Should take %s, in one run of ten longer than %s (from %s)",
		duration(e.P50Seconds), duration(e.P90Seconds), Plural(e.Runs, "earlier run"))
	if len(e.Unseen) > 0 {
		text += "; not counted, never seen to act: " + strings.Join(e.Unseen, ", ")
	}
	return text
}

// Headline is a plan's outcome in one line.
func Headline(pl *plan.Plan) string {
	switch pl.Outcome {
	case plan.NothingToDo:
		return fmt.Sprintf("Nothing to do in %s.", pl.Runbook)
	case plan.Blocked:
		return fmt.Sprintf("Blocked by %s: %s would change nothing.", strings.Join(blockers(pl), ", "), pl.Runbook)
	}
	var parts []string
	if acting := acting(pl); len(acting) > 0 {
		parts = append(parts, Plural(len(acting), "step")+" would act")
	}
	if deferred := addresses(pl, "deferred"); len(deferred) > 0 {
		parts = append(parts, Plural(len(deferred), "step")+" cannot be decided yet")
	}
	return fmt.Sprintf("Changes in %s: %s.", pl.Runbook, strings.Join(parts, ", "))
}

// tally counts the decisions: "1 run, 2 satisfied, 1 skipped". Steps that run
// without doing anything are counted apart.
func tally(pl *plan.Plan) string {
	var parts []string
	for _, decision := range []string{"run", "satisfied", "skipped", "blocked", "deferred"} {
		n := len(addresses(pl, decision))
		if decision == "run" {
			parts = append(parts, idle(pl)...)
			n = len(acting(pl))
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, decision))
		}
	}
	return strings.Join(parts, ", ")
}

// idle counts the steps that run and do nothing: captures, and gates that want an
// approval or a proof.
func idle(pl *plan.Plan) []string {
	counts := map[string]int{}
	for i := range pl.Steps {
		switch s := &pl.Steps[i]; {
		case s.Decision != "run" || s.Action != "" || s.Call != "":
		case s.Probe != "":
			counts["read"]++
		case s.Wanted != nil:
			counts["to approve"]++
		default:
			counts["to verify"]++
		}
	}
	var parts []string
	for _, word := range []string{"read", "to approve", "to verify"} {
		if n := counts[word]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	return parts
}

func addresses(pl *plan.Plan, decision string) []string {
	var found []string
	for i := range pl.Steps {
		if pl.Steps[i].Decision == decision && pl.Steps[i].Call == "" { // a call is its steps
			found = append(found, pl.Steps[i].Address)
		}
	}
	return found
}

// blockers are the blocked steps, those left out that are blocked only because
// of an earlier one.
func blockers(pl *plan.Plan) []string {
	var found []string
	for i := range pl.Steps {
		if s := &pl.Steps[i]; s.Decision == "blocked" && s.Row != 1 && s.From == "" {
			found = append(found, s.Address)
		}
	}
	if len(found) == 0 {
		return addresses(pl, "blocked")
	}
	return found
}

// acting are the steps whose action would be run.
func acting(pl *plan.Plan) []*plan.Step {
	var steps []*plan.Step
	for i := range pl.Steps {
		if step := &pl.Steps[i]; step.Decision == "run" && step.Action != "" {
			steps = append(steps, step)
		}
	}
	return steps
}

// detailIndent is how far a step's details stand in.
const detailIndent = 4

func (p *page) step(s *plan.Step) {
	decision := s.Decision
	if s.Tentative {
		decision += " (tentative)"
	}
	c := decisionColor(s.Decision)
	p.linef("%s %s  %s%s", p.paint(c, decisionSymbol(s.Decision)), p.paint(bold, s.Address),
		p.paint(c, decision), suffix(s.Title))
	if !repeats(s) {
		p.field(detailIndent, "why", s.Reason)
	}
	p.assertions("needs", s, s.Preconditions)
	p.assertions("goal", s, s.Goals)
	if s.Decision == "satisfied" || s.Decision == "skipped" {
		p.field(detailIndent, "value", shorten(s.Value, valueLimit))
		return
	}
	p.operation(s)
	p.assertions("proof", s, s.Verify)
	p.deeds(s)
	p.field(detailIndent, "value", shorten(s.Value, valueLimit))
}

// valueLimit is how much of a captured value a plan shows people; JSON has it
// whole.
const valueLimit = 400

// repeats says whether a step's reason is only what its assertions say, which
// are listed anyway.
func repeats(s *plan.Step) bool {
	if s.Reason == "" {
		return false
	}
	rest := s.Reason
	for _, check := range slices.Concat(s.Preconditions, s.Goals) {
		if check.Message != "" {
			rest = strings.Replace(rest, check.Message, "", 1)
		}
	}
	return strings.Trim(rest, "; ") == ""
}

// operation says what a step's action would do, as far as it is known.
func (p *page) operation(s *plan.Step) {
	p.field(detailIndent, "does", strings.Join(traits(s), ", "))
	for _, effect := range s.Effects {
		p.field(detailIndent, "touches", effect.Resource+" ("+string(effect.Mode)+")")
	}
	p.field(detailIndent, "impact", impactText(s.Impact))
	p.field(detailIndent, "preview", s.Summary)
	label := "such as"
	for _, line := range s.Sample {
		if line != s.Summary {
			p.field(detailIndent, label, line)
			label = ""
		}
	}
	if s.Command != "" {
		// A command is never wrapped: it is there to be copied.
		p.linef("    %s%s", p.paint(dim, pad("command", labelWidth)), p.paint(cyan, "$ "+s.Command))
	}
	if len(s.Unknown) > 0 {
		p.field(detailIndent, "unknown", strings.Join(s.Unknown, ", ")+": known once earlier steps have run")
	}
}

// traits is the operation with what a reader must know of it.
func traits(s *plan.Step) []string {
	if s.Call != "" {
		return []string{"calls " + s.Call}
	}
	if s.Action == "" {
		if s.Probe == "" {
			return nil
		}
		return []string{"reads " + s.Probe}
	}
	parts := []string{s.Action}
	if s.Destructive {
		parts = append(parts, "destructive")
	}
	if s.Undeclared {
		parts = append(parts, "effects not declared: runs alone")
	}
	return parts
}

// assertions lists checks under one label, each with its answer. Those that a
// skipped step never looked at are left out.
func (p *page) assertions(label string, s *plan.Step, checks []plan.Check) {
	for _, check := range checks {
		if s.Decision == "skipped" && check.Holds == nil && check.Message == "" {
			continue
		}
		symbol, c := answer(check.Holds)
		if label == "proof" {
			symbol, c = "·", plain
		}
		p.marked(detailIndent, label, p.paint(c, symbol), named(check.Name, check.Message))
	}
}
