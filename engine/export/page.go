package export

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// WritePage writes a runbook as Markdown for people: what it is for, its diagram,
// and of each step what it does, why, its guards, effects and way back, and the
// equivalent commands. It evaluates defaults only and reads no environment, so that
// the page is the same wherever it is made. Nothing is looked at and nothing is
// started.
func WritePage(ctx context.Context, w io.Writer, rb *runbook.Runbook, catalog Catalog) (hcl.Diagnostics, error) {
	r, diags := newReading(ctx, rb, catalog, Inputs{Lenient: true})
	if diags.HasErrors() {
		return diags, nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	p := &page{reading: r, host: strings.ToLower(host)}
	p.head()
	p.diagram()
	p.needs()
	p.diagnosis()
	p.linef("## Steps")
	p.blank()
	for i, step := range plan.Ordered(rb) {
		p.step(i+1, step)
	}
	p.people()
	p.outputs()
	_, err = io.WriteString(w, p.text.String())
	return nil, err
}

// page is Markdown that is being written.
type page struct {
	*reading
	host string // this machine's name, which loopback addresses are told by
	text strings.Builder
}

// raw is text that is Markdown already.
type raw string

// inCode is text between backticks.
func inCode(text string) raw {
	text = tidy(text)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return raw(fence + " " + text + " " + fence)
	}
	return raw(fence + text + fence)
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`, "&", "&amp;",
)

// prose is an author's text as Markdown that says just that.
func prose(text string) raw { return raw(markdownEscapes.Replace(tidy(text))) }

// linef writes a line. Arguments of type string are escaped, so that no text of a
// runbook can become markup.
func (p *page) linef(format string, args ...any) {
	for i, arg := range args {
		if text, dirty := arg.(string); dirty {
			args[i] = prose(text)
		}
	}
	fmt.Fprintf(&p.text, format+"\n", args...)
}

func (p *page) blank() {
	if !strings.HasSuffix(p.text.String(), "\n\n") {
		p.text.WriteByte('\n')
	}
}

// fence writes a text of several lines as it is.
func (p *page) fence(language, indent, text string) {
	marks := "```"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	p.text.WriteString(indent + marks + language + "\n")
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.text.WriteString(strings.TrimRight(indent+line, " ") + "\n")
	}
	p.text.WriteString(indent + marks + "\n")
}

func (p *page) head() {
	rb := p.rb
	p.linef("# %s", titleOf(rb))
	p.blank()
	if rb.Description != "" {
		p.linef("%s", rb.Description)
		p.blank()
	}
	p.linef("| | |")
	p.linef("| --- | --- |")
	p.linef("| runbook | %s, in %s |", inCode(rb.Name), inCode(fileOf(rb)))
	for _, row := range [][2]string{{"owner", rb.Owner}, {"severity", rb.Severity}} {
		if row[1] != "" {
			p.linef("| %s | %s |", row[0], row[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rb.Labels)) {
		p.linef("| %s | %s |", name, rb.Labels[name])
	}
	if rb.Timeout > 0 {
		p.linef("| takes at most | %s |", spell(rb.Timeout))
	}
	p.linef("| where a step fails | %s |", onFailure(rb.OnFailure))
	p.linef("| by hand | `runbook shell %s` writes the same as a script, for the day that runbook cannot run |", raw(plan.Literal(fileOf(rb))))
	p.blank()
}

// fileOf is where a runbook lies, seen from above all that was gone up to.
func fileOf(rb *runbook.Runbook) string {
	file := rb.File
	for strings.HasPrefix(file, "../") {
		file = strings.TrimPrefix(file, "../")
	}
	return file
}

func titleOf(rb *runbook.Runbook) string {
	if rb.Title != "" {
		return rb.Title
	}
	return rb.Name
}

func onFailure(policy runbook.OnFailure) string {
	switch policy {
	case runbook.Continue:
		return "the rest goes on, but for what needs it"
	case runbook.RollBack:
		return "what was done is taken back"
	case runbook.Ignore:
		return "it is noted, and counts as done"
	}
	return "nothing more is begun"
}

// spell is a duration as people say it.
func spell(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = strings.TrimSuffix(text, zero[1:])
		}
	}
	return text
}

func (p *page) diagram() {
	if len(p.rb.Steps) < 2 {
		return
	}
	var b strings.Builder
	_ = Draw(p.rb, nil).WriteMermaid(&b) // into memory
	p.fence("mermaid", "", b.String())
	p.blank()
}

// needs tells what has to be known before anybody begins.
func (p *page) needs() {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(p.rb.Variables)), func(name string) bool { return !p.rb.Variables[name].Reached })
	if len(names) > 0 {
		p.linef("## What it needs to know")
		p.blank()
		p.linef("| variable | value | meaning |")
		p.linef("| --- | --- | --- |")
		for _, name := range names {
			p.variable(p.rb.Variables[name])
		}
		p.blank()
	}
}

func (p *page) variable(v *runbook.Variable) {
	value := raw("has to be given")
	switch {
	case v.Sensitive:
		value = "secret"
	case v.Default != cty.NilVal:
		value = inCode(shorten(redact.Display(v.Default), 80))
	}
	if v.Env != "" {
		value += "; " + inCode("$"+v.Env)
	}
	p.linef("| %s | %s | %s |", inCode(v.Name), value, v.Description)
}

// diagnosis tells what is looked at first, because it decides what is done.
func (p *page) diagnosis() {
	if len(p.rb.Diagnosis) == 0 {
		return
	}
	p.linef("## What decides")
	p.blank()
	p.linef("Looked at together, before anything is done:")
	p.blank()
	for _, name := range p.rb.Diagnosis {
		if check := p.rb.Checks[name]; check != nil {
			p.assertion("", "check."+name, &check.Assertion, eval.Extra{})
		}
	}
	p.blank()
}

// people tells whom it concerns.
func (p *page) people() {
	rb := p.rb
	var lines []string
	say := func(format string, args ...any) {
		before := p.text
		p.text = strings.Builder{}
		p.linef(format, args...)
		lines = append(lines, p.text.String())
		p.text = before
	}
	if rb.Owner != "" {
		say("- **%s** owns this runbook.", rb.Owner)
	}
	for _, step := range rb.Steps {
		if a := step.Approval; a != nil && a.Approvers != nil {
			say("- %s lets %s act.", inCode(sourceOf(rb, a.Approvers)), inCode(step.Address()))
		}
	}
	for _, n := range rb.Notices {
		if n.Action == nil {
			continue
		}
		when := "when it has " + strings.Join(n.On, ", ")
		if n.Kind == "escalation" {
			when = "after " + spell(n.After)
		}
		told := raw(when)
		if n.When != nil {
			told += ", if " + inCode(sourceOf(rb, n.When))
		}
		say("- %s: %s, by %s.", inCode(n.Address()), told, inCode(p.inWords(n.Action)))
	}
	if len(lines) > 0 {
		p.linef("## People and contacts")
		p.blank()
		p.text.WriteString(strings.Join(lines, ""))
		p.blank()
	}
}

func (p *page) outputs() {
	if len(p.rb.Outputs) == 0 {
		return
	}
	p.linef("## What it tells in the end")
	p.blank()
	for _, o := range p.rb.Outputs {
		said := o.Description
		if said == "" {
			said = sourceOf(p.rb, o.Value)
		}
		p.linef("- %s: %s", inCode(o.Name), said)
	}
	p.blank()
}

// stands are the names of what is not known, by what stands for it.
func (p *page) stands(learned []learned) map[string]string {
	run := p.run(0, "")
	stands := map[string]string{run.ID: "RUN_ID", run.Operator: "USER"}
	for _, s := range p.book.secrets {
		stands[s.texts[0]] = s.env
	}
	for _, l := range learned {
		stands[l.stand] = strings.ToUpper(shellName(l.argument))
	}
	return stands
}

// commandLine is how a person would type a command; empty where that would be no
// help.
func (p *page) commandLine(op *runbook.Operation, kind schema.Kind, x eval.Extra) string {
	h, err := p.byHand(op, kind, x)
	if err != nil {
		return ""
	}
	stands := p.stands(h.learned)
	var words []string
	for _, name := range sortedKeys(h.Env) {
		if word := shellWord(h.Env[name], stands); strings.Contains(word, `"$`) {
			words = append(words, name+"="+word)
		}
	}
	for _, word := range h.Command {
		words = append(words, shellWord(word, stands))
	}
	line := strings.Join(words, " ")
	if h.Dir != "" {
		line = "cd " + shellWord(h.Dir, stands) + " && " + line
	}
	if h.Stdin != "" {
		if len(h.Stdin) > shared || strings.Contains(h.Stdin, "\n") {
			return "" // the script has it
		}
		line = "printf %s " + shellWord(h.Stdin, stands) + " | " + line
	}
	return strings.ReplaceAll(strings.ReplaceAll(line, p.rb.Dir+"/", "./"), p.rb.Dir, ".")
}
