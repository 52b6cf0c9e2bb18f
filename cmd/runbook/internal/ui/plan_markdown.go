package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/runbook-engine/runbook/engine/plan"
)

// WritePlanMarkdown writes a plan as Markdown, for a pull request or a ticket.
func WritePlanMarkdown(w io.Writer, pl *plan.Plan) error {
	m := &markdown{}
	m.linef("## %s", Headline(pl))
	m.linef("")
	if pl.Title != "" {
		m.linef("%s (`%s`)", pl.Title, code(pl.File))
		m.linef("")
	}
	m.linef("| | step | decision | why |")
	m.linef("| --- | --- | --- | --- |")
	for i := range pl.Steps {
		s := &pl.Steps[i]
		decision := s.Decision
		if s.Tentative {
			decision += ", tentative"
		}
		m.linef("| %s | `%s` | %s | %s |", decisionSymbol(s.Decision),
			codeText(strings.ReplaceAll(string(code(s.Address)), "|", `\|`)), decision, s.Reason)
	}
	for i := range pl.Steps {
		if s := &pl.Steps[i]; s.Decision != "satisfied" && s.Decision != "skipped" {
			m.step(s)
		}
	}
	m.tail(pl)
	_, err := io.WriteString(w, m.text.String())
	return err
}

// markdown collects lines; arguments of type string are escaped, so that text
// from a backend stays text.
type markdown struct {
	text strings.Builder
}

// codeText is text fit to stand inside backticks.
type codeText string

func code(text string) codeText {
	return codeText(strings.ReplaceAll(oneLine(text), "`", "'"))
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`,
)

func (m *markdown) linef(format string, args ...any) {
	for i, arg := range args {
		if text, dirty := arg.(string); dirty {
			args[i] = markdownEscapes.Replace(oneLine(text))
		}
	}
	fmt.Fprintf(&m.text, format+"\n", args...)
}

func (m *markdown) step(s *plan.Step) {
	m.linef("")
	m.linef("### `%s`", code(s.Address))
	m.linef("")
	if s.Title != "" {
		m.linef("%s", s.Title)
		m.linef("")
	}
	if traits := traits(s); len(traits) > 0 {
		m.linef("- does: %s", strings.Join(traits, ", "))
	}
	for _, effect := range s.Effects {
		m.linef("- touches: `%s` (%s)", code(effect.Resource), string(effect.Mode))
	}
	if impact := impactText(s.Impact); impact != "" {
		m.linef("- impact: %s", impact)
	}
	if s.Summary != "" {
		m.linef("- preview: %s", s.Summary)
	}
	if len(s.Unknown) > 0 {
		m.linef("- known once earlier steps have run: %s", strings.Join(s.Unknown, ", "))
	}
	m.checks("needs", s.Preconditions)
	m.checks("goal", s.Goals)
	for _, check := range s.Verify {
		m.linef("- proof: %s", named(check.Name, check.Message))
	}
	for i := range s.Fallbacks {
		m.linef("- fallback: %s: %s", s.Fallbacks[i].Label, deedText(&s.Fallbacks[i]))
	}
	if s.Rollback != nil {
		m.linef("- way back: %s", deedText(s.Rollback))
	}
	if s.NoReturn {
		m.linef("- point of no return: once it has begun, nothing that ended before it is taken back")
	}
	if s.Value != "" {
		m.linef("- value: %s", s.Value)
	}
	if s.Command != "" {
		m.linef("")
		m.linef("```sh")
		m.linef("%s", styled(strings.ReplaceAll(clean(s.Command), "```", "'''")))
		m.linef("```")
	}
}

func (m *markdown) checks(label string, checks []plan.Check) {
	for _, check := range checks {
		symbol, _ := answer(check.Holds)
		m.linef("- %s: %s %s", label, symbol, named(check.Name, check.Message))
	}
}

func (m *markdown) tail(pl *plan.Plan) {
	if len(pl.Diagnosis) > 0 {
		m.linef("\n### Diagnosis\n")
		for _, check := range pl.Diagnosis {
			symbol, _ := answer(check.Holds)
			m.linef("- %s %s", symbol, named(checkAddress(check), check.Message))
		}
	}
	if len(pl.BlastRadius) > 0 {
		m.linef("\n### What each system would suffer\n")
		for _, effect := range pl.BlastRadius {
			m.linef("- `%s`: %s (%s)", code(effect.Resource), string(effect.Mode), strings.Join(effect.Steps, ", "))
		}
	}
	if lines := untaken(pl); len(lines) > 0 {
		m.linef("\n### What no rollback takes back\n")
		for _, line := range lines {
			m.linef("- %s", line)
		}
	}
	if len(pl.Notices) > 0 {
		m.linef("\n### Who is told\n")
		for _, n := range pl.Notices {
			m.linef("- `%s`: %s", code(n.Address), noticeText(n))
		}
	}
	if text := estimateText(pl.Estimate); text != "" {
		m.linef("\n%s.", text)
	}
	if warnings := warnings(pl); len(warnings) > 0 {
		m.linef("\n### Warnings\n")
		for _, warning := range warnings {
			m.linef("- %s", warning)
		}
	}
	m.linef("\nDigest: `%s`", code(pl.Digest))
}
