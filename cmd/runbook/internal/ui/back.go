package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// deeds says what a step would do where something goes wrong.
func (p *page) deeds(s *plan.Step) {
	for i := range s.Fallbacks {
		f := &s.Fallbacks[i]
		p.field(detailIndent, "fallback", f.Label+": "+deedText(f))
		p.deed(f)
	}
	if s.Rollback != nil {
		p.field(detailIndent, "way back", deedText(s.Rollback))
		p.deed(s.Rollback)
	}
	if s.NoReturn && s.Decision != "satisfied" && s.Decision != "skipped" {
		p.field(detailIndent, "no return", "once it has begun, nothing that ended before it is taken back")
	}
}

func (p *page) deed(d *plan.Deed) {
	if d.Command != "" {
		p.linef("    %s%s", p.paint(dim, pad("", labelWidth)), p.paint(cyan, "$ "+d.Command))
	}
}

// deedText is what a fallback or a rollback does, in one line.
func deedText(d *plan.Deed) string {
	text := strings.Join(traits(&plan.Step{Action: d.Action, Destructive: d.Destructive, Undeclared: d.Undeclared}), ", ")
	if len(d.Unknown) > 0 {
		text += ", with " + strings.Join(d.Unknown, ", ") + " known then"
	}
	return text
}

// untaken says what no rollback takes back, of a plan in which something may be.
func (p *page) untaken(pl *plan.Plan) {
	lines := untaken(pl)
	if len(lines) == 0 {
		return
	}
	p.heading("What no rollback takes back")
	for _, line := range lines {
		p.item(2, "·", line)
	}
}

// untaken are the steps that may change something for good: those without a
// rollback, and what lies before a point of no return. It is empty where nothing
// is ever taken back.
func untaken(pl *plan.Plan) []string {
	if !slices.ContainsFunc(pl.Steps, func(s plan.Step) bool { return s.Rollback != nil || s.OnFailure == "rollback" && s.Action != "" }) {
		return nil
	}
	var lines []string
	for i := range pl.Steps {
		s := &pl.Steps[i]
		may := s.Action != "" && (s.Decision == "run" || s.Decision == "deferred" || s.Tentative)
		mutates := s.Undeclared || slices.ContainsFunc(s.Effects, func(e schema.Effect) bool { return e.Mode != schema.Read })
		if may && mutates && s.Rollback == nil {
			lines = append(lines, s.Address+": it has no rollback")
		}
		if may && s.NoReturn {
			lines = append(lines, "whatever has ended before "+s.Address+" begins: it is the point of no return")
		}
	}
	return lines
}

// wayBack says in a question how the step would be taken back.
func (p *page) wayBack(back *event.WayBack, takesBack bool) {
	switch {
	case takesBack:
		return
	case back == nil:
		p.field(detailIndent, "way back", "none")
		return
	}
	d := &plan.Deed{Action: back.Action, Destructive: back.Destructive, Command: back.Command}
	p.field(detailIndent, "way back", deedText(d))
	p.deed(d)
	for _, effect := range back.Effects {
		p.field(detailIndent, "", effect.Resource+" ("+string(effect.Mode)+")")
	}
}

// WriteBackward writes what taking back a run would do.
func WriteBackward(w io.Writer, style Style, b plan.Backward) error {
	p := &page{style: style}
	p.linef("%s", p.paint(bold, BackwardHeadline(b)))
	if len(b.Open)+len(b.Steps) > 0 {
		p.blank()
	}
	for _, open := range b.Open {
		p.linef("%s %s  %s", p.paint(yellow, "?"), p.paint(bold, open), p.paint(yellow, "how it ended is not known: that is settled first, or nothing is taken back"))
	}
	for i := range b.Steps {
		s := &b.Steps[i]
		p.linef("%s %s  %s%s", p.paint(cyan, "◂"), p.paint(bold, s.Address), p.paint(cyan, "take back"), suffix(s.Title))
		p.field(detailIndent, "it ended", words(s.Status))
		p.operation(&plan.Step{
			Action: s.Action, Destructive: s.Destructive, Undeclared: s.Undeclared, Effects: s.Effects, Impact: s.Impact,
			Sample: s.Sample, Summary: s.Summary, Command: s.Command,
		})
		if s.Failed != "" {
			p.marked(detailIndent, "preview", p.paint(red, "✗"), s.Failed)
		}
		if s.Destructive && !s.Approved {
			p.field(detailIndent, "asks", "it is destructive: a person has to see what it hits")
		}
	}
	if len(b.Left) > 0 {
		p.heading("What stays")
		for _, s := range b.Left {
			p.item(2, "·", s.Address+": "+s.Why)
		}
	}
	return p.flush(w)
}

// BackwardHeadline says it in one line.
func BackwardHeadline(b plan.Backward) string {
	switch {
	case len(b.Steps) > 0:
	case len(b.Open) > 0:
		return "No step would be taken back yet."
	default:
		return "No step would be taken back."
	}
	return fmt.Sprintf("%s would be taken back, in this order.", Plural(len(b.Steps), "step"))
}
