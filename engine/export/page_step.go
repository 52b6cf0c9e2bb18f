package export

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// step writes all that a reader wants to know of one step.
func (p *page) step(number int, step *runbook.Step) {
	x := eval.Extra{}
	if step.ForEach != nil {
		x = eval.Extra{EachKey: cty.UnknownVal(cty.String), EachValue: cty.DynamicVal}
	}
	title := step.Title
	if title == "" {
		title = step.Name
	}
	p.linef("### %d. %s", number, title)
	p.blank()
	p.linef("%s%s", inCode(step.Address()), raw(p.place(step)))
	p.blank()
	if step.Description != "" {
		p.linef("%s", step.Description)
		p.blank()
	}
	p.before(step, x)
	p.does(step, x)
	for _, a := range step.Goals {
		p.assertion("**Done when** ", a.Name, a, x)
	}
	for _, a := range step.Verifies {
		p.assertion("**Proven by** ", a.Name, a, x)
	}
	p.after(step, x)
	p.blank()
}

// place tells where in the order a step is, where that is not the written one.
func (p *page) place(step *runbook.Step) string {
	var said []string
	var needs []string
	for _, e := range step.Edges {
		if e.Kind == runbook.Need {
			needs = append(needs, string(inCode(e.To.Address())))
		}
	}
	if len(needs) > 0 {
		said = append(said, "needs "+strings.Join(needs, ", "))
	}
	if step.Always {
		said = append(said, "runs always, also after a failure")
	}
	if step.ForEach != nil {
		each := "once for each of " + string(inCode(sourceOf(p.rb, step.ForEach)))
		if step.MaxParallel > 0 {
			each += fmt.Sprintf(", %d at once", step.MaxParallel)
		}
		said = append(said, each)
	}
	if len(said) == 0 {
		return ""
	}
	return "; " + strings.Join(said, "; ")
}

// before writes what must be so before the step acts, and who is asked.
func (p *page) before(step *runbook.Step, x eval.Extra) {
	if step.When != nil {
		p.linef("- **Only when** %s", inCode(sourceOf(p.rb, step.When)))
	}
	for _, a := range step.Preconditions {
		label := "**Not unless** "
		if a.Otherwise == "skip" {
			label = "**Skipped unless** "
		}
		p.assertion(label, a.Name, a, x)
	}
	if a := step.Approval; a != nil {
		asks := "a person"
		if a.Count > 1 {
			asks = fmt.Sprintf("%d people", a.Count)
		}
		line := raw("**Asks** " + asks)
		if a.Approvers != nil {
			line += " of " + inCode(sourceOf(p.rb, a.Approvers))
		}
		if a.When != nil {
			line += " when " + inCode(sourceOf(p.rb, a.When))
		}
		if a.Message != nil {
			line += ": " + inCode(sourceOf(p.rb, a.Message))
		}
		p.linef("- %s", line)
	}
	if step.Limit != nil {
		p.linef("- **Hits no more than** %s", inCode(sourceOf(p.rb, step.Limit)))
	}
}

// does writes what the step does.
func (p *page) does(step *runbook.Step, x eval.Extra) {
	switch {
	case step.Action != nil:
		p.action("**Does** ", step.Action, x)
	case step.Probe != nil:
		p.linef("- **Reads** %s", inCode(p.inWords(step.Probe)))
		p.command(step.Probe, schema.Probe, x)
	case step.Call != nil:
		p.linef("- **Carries out** another runbook, %s", inCode(step.Call.File))
	case step.Approval == nil && len(step.Verifies) == 0:
		p.linef("- Changes nothing: it only looks.")
	}
}

// after writes what becomes of the step where something goes wrong.
func (p *page) after(step *runbook.Step, x eval.Extra) {
	if step.Timeout > 0 {
		p.linef("- **Takes at most** %s", spell(step.Timeout))
	}
	if r := step.Retry; r != nil {
		p.linef("- **Tried** up to %s times, %s apart", raw(fmt.Sprint(r.Attempts)), spell(r.Delay))
	}
	for _, f := range step.Fallbacks {
		p.action("**If that fails**, "+string(inCode(f.Label))+": ", f.Action, x)
	}
	if step.OnFailure != p.rb.OnFailure {
		p.linef("- **Where it fails**: %s", onFailure(step.OnFailure))
	}
	if step.NoReturn {
		p.linef("- **No way back**: nothing before this step is taken back once it has begun")
	}
	if back := step.Rollback; back != nil {
		x.Self = cty.DynamicVal
		p.action("**Way back** ", back.Action, x)
		for _, a := range back.Verifies {
			p.assertion("**Taken back when** ", a.Name, a, x)
		}
	} else if step.Action != nil && !step.NoReturn && p.changes(step.Action, x) {
		p.linef("- **Way back**: none")
	}
}

// changes says whether an action may change something that could be taken back.
func (p *page) changes(op *runbook.Operation, x eval.Extra) bool {
	d, err := p.describe(op, x)
	if err != nil || d.Undeclared {
		return true
	}
	for _, e := range d.Effects {
		if e.Mode != schema.Read {
			return true
		}
	}
	return false
}

// action writes what an action does, what it touches, and its command.
func (p *page) action(label string, op *runbook.Operation, x eval.Extra) {
	line := raw(label) + inCode(p.inWords(op))
	if provider, ok := p.catalog.Schema(op.Provider); ok {
		if spec := provider.Operation(schema.Action, op.Name); spec != nil {
			first, _, _ := strings.Cut(spec.Doc, ". ")
			line += ": " + prose(strings.TrimSuffix(first, ".")+".")
		}
	}
	p.linef("- %s", line)
	d, err := p.describe(op, x)
	_, _, learned, _ := p.asked(op, schema.Action, x) // where that fails, so does describe
	switch {
	case err != nil:
	case d.Undeclared:
		p.linef("  - touches what nobody has declared: it runs alone")
	default:
		var touched []string
		for _, e := range d.Effects {
			touched = append(touched, string(inCode(p.resource(e.Resource, learned)))+" ("+string(e.Mode)+")")
		}
		if len(touched) > 0 {
			p.linef("  - touches %s", raw(strings.Join(touched, ", ")))
		}
	}
	if err == nil && d.Destructive {
		p.linef("  - **destructive**: a person sees what it hits, and says yes first")
	}
	p.command(op, schema.Action, x)
}

// resource is what an effect names, with the names of what is not known, and
// nothing of the machine that the page is made on.
func (p *page) resource(text string, learned []learned) string {
	stands := p.stands(learned)
	for _, stand := range longestFirst(stands) {
		text = strings.ReplaceAll(text, stand, "$"+stands[stand])
	}
	if p.host != "" {
		text = strings.ReplaceAll(text, "://"+p.host, "://localhost")
	}
	return strings.ReplaceAll(text, p.rb.Dir, ".")
}

// command writes the equivalent command of an operation, where there is one.
func (p *page) command(op *runbook.Operation, kind schema.Kind, x eval.Extra) {
	if line := p.commandLine(op, kind, x); line != "" {
		p.blank()
		p.fence("sh", "  ", line)
		p.blank()
	}
}

// assertion writes one look: what is asked, what must be so, and how.
func (p *page) assertion(label, name string, a *runbook.Assertion, x eval.Extra) {
	q, err := p.asks(a, x)
	if err != nil {
		q.Assertion = *a
	}
	line := raw("- "+label) + inCode(name)
	if told := p.told(a); told != "" {
		line += ": " + prose(told)
	}
	var parts []string
	for _, use := range q.Checks {
		parts = append(parts, string(inCode("check."+use.Name)))
	}
	if q.Probe != nil {
		parts = append(parts, string(inCode(p.inWords(q.Probe))))
	}
	if q.Assert != nil {
		parts = append(parts, string(inCode(sourceOf(p.rb, q.Assert))))
	}
	if q.Within != nil {
		parts = append(parts, "within "+spell(*q.Within))
	}
	if q.HoldFor != nil {
		parts = append(parts, "for "+spell(*q.HoldFor))
	}
	p.linef("%s (%s)", line, raw(strings.Join(parts, "; ")))
	if q.Message != nil {
		p.linef("  - else: %s", inCode(sourceOf(p.rb, q.Message)))
	}
	if q.Probe != nil {
		p.command(q.Probe, schema.Probe, q.probe)
	}
}

// WriteIndex writes the list of the runbooks of a folder, each with a link.
func WriteIndex(runbooks []*runbook.Runbook, link func(*runbook.Runbook) string) string {
	p := &page{}
	p.linef("# Runbooks")
	p.blank()
	p.linef("| runbook | when to use | owner | severity | steps |")
	p.linef("| --- | --- | --- | --- | --- |")
	for _, rb := range runbooks {
		p.linef("| [%s](%s) | %s | %s | %s | %s |", titleOf(rb), raw(link(rb)), rb.Description, rb.Owner, rb.Severity, raw(fmt.Sprint(len(plan.Ordered(rb)))))
	}
	p.blank()
	return p.text.String()
}
