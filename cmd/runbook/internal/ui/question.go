package ui

import (
	"io"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Question is what a person is shown before a step that wants their word.
type Question struct {
	Step        string
	Title       string
	Action      string
	Fallback    string         // label of the fallback that it is of
	TakesBack   bool           // it is of the step's rollback
	WayBack     *event.WayBack // how it would be taken back; nil: not at all
	Reason      string
	Destructive bool
	Effects     []schema.Effect
	Impact      schema.Impact
	Sample      []string
	Summary     string
	Command     string

	Answers schema.Object // what to fill in, where an action asks
	Problem string        // why the last answer is not taken
}

// WriteQuestion writes what would be hit, the measured number, and the command.
func WriteQuestion(w io.Writer, style Style, q Question) error {
	p := &page{style: style}
	p.linef("")
	p.linef("%s  %s%s", p.paint(bold, q.Step), p.paint(yellow, "wants a person"), suffix(q.Title))
	p.field(detailIndent, "why", q.Reason)
	if q.Problem != "" {
		p.marked(detailIndent, "not taken", p.paint(red, "✗"), q.Problem)
	}
	p.operation(&plan.Step{
		Action: attemptName(&event.Attempt{Action: q.Action, Fallback: q.Fallback, TakesBack: q.TakesBack}), Destructive: q.Destructive, Effects: q.Effects, Impact: q.Impact,
		Sample: q.Sample, Summary: q.Summary, Command: q.Command,
	})
	if len(q.Answers.Attributes) == 0 && len(q.Effects) > 0 {
		p.wayBack(q.WayBack, q.TakesBack)
	}
	return p.flush(w)
}

// Prompt asks for one value: "run_id (string; run to go back to):".
func Prompt(wanted schema.Attribute) string {
	text := wanted.Name + " (" + typeText(wanted.Type)
	if !wanted.Required {
		text += ", may be left empty"
	}
	if wanted.Doc != "" {
		text += "; " + oneLine(wanted.Doc)
	}
	return text + "):"
}

// wanted lists what a question wants filled in.
func (p *page) wanted(q *event.Question) {
	if q == nil {
		return
	}
	for _, a := range q.Answers {
		p.field(detailIndent, "wants", strings.TrimSuffix(Prompt(a), ":"))
	}
}

// approval is the command that lets a waiting step go on.
func (s *stepRecap) approval(run string) command {
	c := command{ApproveCommand(run, s.address), "let it go on"}
	if s.question == nil {
		return c
	}
	for _, a := range s.question.Answers {
		if a.Sensitive {
			return command{"runbook resume " + Quote(run), "answer " + s.address + " at a terminal: " + a.Name + " is sensitive"}
		}
		c.text += " --answer " + a.Name + "=" + strings.ToUpper(a.Name)
	}
	c.what = "answer it"
	return c
}
