package ui

import (
	"io"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Question is what a person is shown before a step that wants their word.
type Question struct {
	Step        string
	Title       string
	Action      string
	Reason      string
	Destructive bool
	Effects     []schema.Effect
	Impact      schema.Impact
	Sample      []string
	Summary     string
	Command     string
}

// WriteQuestion writes what would be hit, the measured number, and the command.
func WriteQuestion(w io.Writer, style Style, q Question) error {
	p := &page{style: style}
	p.linef("")
	p.linef("%s  %s%s", p.paint(bold, q.Step), p.paint(yellow, "wants a person"), suffix(q.Title))
	p.field(detailIndent, "why", q.Reason)
	p.operation(&plan.Step{
		Action: q.Action, Destructive: q.Destructive, Effects: q.Effects, Impact: q.Impact,
		Sample: q.Sample, Summary: q.Summary, Command: q.Command,
	})
	return p.flush(w)
}
