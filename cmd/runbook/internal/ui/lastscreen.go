package ui

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/plan"
)

// WriteRecap writes the last screen of a run: how it ended, what a person needs
// to know of each step that ended badly, what has been done and what has not,
// and the exact commands to go on with. seal closes the run's record; it may be
// empty.
func WriteRecap(w io.Writer, style Style, r *Recap, seal string) error {
	p := &page{style: style}
	p.linef("")
	p.linef("%s", p.paint(r.endColor(), r.headline()))
	if r.message != "" && r.outcome != "interrupted" { // which says no more
		p.paragraph(2, r.message)
	}
	for _, s := range r.steps {
		if endedBadly(s.status) {
			p.badStep(s)
		}
	}
	if r.outcome == "crashed" {
		for _, s := range r.underway() {
			p.cutOff(s)
		}
	}
	for _, s := range r.waiting() {
		p.linef("")
		p.linef("%s  %s%s", p.paint(bold, s.address), p.paint(yellow, "waits for a person"), suffix(s.title))
		p.field(detailIndent, "asks", s.message)
		if a := s.asked; a != nil {
			p.operation(&plan.Step{Action: attemptName(a), Destructive: a.Destructive, Effects: a.Effects, Impact: a.Impact, Command: a.Command})
			if s.question == nil && len(a.Effects) > 0 {
				p.wayBack(a.WayBack, a.TakesBack)
			}
		}
		p.wanted(s.question)
	}
	if r.outcome != "succeeded" {
		p.ledger(r)
	}
	for _, warning := range r.warnings {
		p.item(2, p.paint(yellow, "!"), warning)
	}
	p.runOutputs(r.outputs)
	p.next(r)
	if seal != "" {
		p.linef("")
		p.linef("%s", p.paint(dim, "record sealed: "+seal))
	}
	return p.flush(w)
}

func (r *Recap) headline() string {
	text := fmt.Sprintf("Run %s of %s %s", r.run, r.start.Runbook, r.endWords())
	if r.seconds > 0 {
		text += " after " + duration(r.seconds)
	}
	if r.outcome == "blocked" {
		text += " and changed nothing"
	}
	if r.outcome == "succeeded" {
		return text + ": " + r.tally() + "."
	}
	if bad := r.with("failed", "blocked", "unknown", "interrupted", "rollback_failed"); len(bad) > 0 {
		return text + ": " + strings.Join(bad, ", ") + "."
	}
	return text + "."
}

func (r *Recap) endWords() string {
	switch r.outcome {
	case "", "running":
		return "has not ended"
	case "crashed":
		return "was cut off: its process ended without a word"
	case "blocked":
		return "was blocked"
	case "cancelled":
		return "was cancelled"
	case "waiting":
		return "waits for a person"
	case "interrupted":
		return "was interrupted"
	case "rolled_back":
		if r.start.TakeBack {
			return "was rolled back"
		}
		return "failed and was rolled back"
	}
	return words(r.outcome)
}

func (r *Recap) endColor() color {
	switch {
	case r.outcome == "succeeded", r.outcome == "rolled_back" && r.start.TakeBack:
		return green
	case r.outcome == "failed", r.outcome == "rolled_back":
		return red
	}
	return yellow
}

// tally counts the steps by status.
func (r *Recap) tally() string {
	counts := map[string]int{}
	for _, s := range r.steps {
		counts[s.status]++
	}
	return statusTally(counts)
}

// badStep says all that is known of a step that ended badly.
func (p *page) badStep(s *stepRecap) {
	_, c := statusMark(s.status)
	p.linef("")
	p.linef("%s  %s%s", p.paint(bold, s.address), p.paint(c, words(s.status)), suffix(s.title))
	part, message := s.stage()
	if part != "" {
		p.field(2, "where", part)
	}
	p.field(2, "said", message)
	if !strings.HasPrefix(s.message, message) {
		p.field(2, "why", s.message)
	}
	if s.attempt != nil && s.attempt.State != "" {
		p.field(2, "attempt", fmt.Sprintf("%d of %s: %s", s.attempt.Number, attemptName(s.attempt), stateText(s.attempt.State)))
	}
	for _, o := range s.observations {
		symbol, mark := observedMark(&o)
		p.marked(2, "observed", p.paint(mark, symbol), ObservationText(&o))
	}
	if len(s.log) > 0 {
		p.field(2, "log", fmt.Sprintf("the last %s:", Plural(len(s.log), "line")))
		for _, line := range s.log {
			p.linef("    %s %s", p.paint(dim, "│"), line)
		}
	}
}

// cutOff says how far a step had come when its process ended.
func (p *page) cutOff(s *stepRecap) {
	p.linef("")
	p.linef("%s  %s%s", p.paint(bold, s.address), p.paint(yellow, "cut off"), suffix(s.title))
	if a := s.attempt; a != nil && a.State == "" {
		p.field(2, "attempt", fmt.Sprintf("%d of %s: begun, its end is not on record", a.Number, attemptName(a)))
		if a.Command != "" {
			p.linef("  %s%s", p.paint(dim, pad("command", labelWidth)), p.paint(cyan, "$ "+a.Command))
		}
	}
	for _, o := range s.observations {
		symbol, mark := observedMark(&o)
		p.marked(2, "observed", p.paint(mark, symbol), ObservationText(&o))
	}
}

// ledger says what has been done and what has not.
func (p *page) ledger(r *Recap) {
	rows := []struct {
		label string
		steps []string
	}{
		{"done", r.with("done")},
		{"was so", r.with("satisfied")},
		{"skipped", r.with("skipped")},
		{"undone", r.with("rolled_back")},
		{"failed", r.with("failed", "rollback_failed")},
		{"ignored", r.ignored()},
		{"blocked", r.with("blocked")},
		{"cut short", r.with("interrupted")},
		{"unknown", r.with("unknown")},
		{"waits", r.Waiting()},
		{r.underwayWord(), addressesOf(r.underway())},
		{"not run", r.with("not_run", "")},
	}
	p.linef("")
	for _, row := range rows {
		p.field(2, row.label, strings.Join(row.steps, ", "))
	}
}

// underwayWord says what has become of the steps that have begun and not ended.
func (r *Recap) underwayWord() string {
	if r.outcome == "crashed" {
		return "cut off"
	}
	return "at work"
}

func addressesOf(steps []*stepRecap) []string {
	var found []string
	for _, s := range steps {
		found = append(found, s.address)
	}
	return found
}

func (p *page) runOutputs(outputs map[string]any) {
	if len(outputs) == 0 {
		return
	}
	p.linef("")
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		p.linef("%s = %s", name, valueText(outputs[name]))
	}
}
