package ui

import (
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/plan"
)

func (p *page) diagnosis(checks []plan.Check) {
	if len(checks) == 0 {
		return
	}
	p.heading("Diagnosis")
	for _, check := range checks {
		symbol, c := answer(check.Holds)
		verdict := "not known"
		switch {
		case check.Status == "holds" || check.Holds != nil && *check.Holds:
			verdict = "ruled out"
		case check.Status == "fails" || check.Holds != nil:
			verdict = "found"
		}
		p.marked(2, verdict, p.paint(c, symbol), named(checkAddress(check), check.Message))
	}
}

// checkAddress names a check of a diagnosis, and whose it is where a step calls
// its runbook.
func checkAddress(check plan.Check) string {
	if check.Step != "" {
		return check.Step + ".check." + check.Name
	}
	return "check." + check.Name
}

func (p *page) blastRadius(effects []plan.Effect) {
	if len(effects) == 0 {
		return
	}
	p.heading("What each system would suffer")
	for _, effect := range effects {
		c := plain
		if effect.Mode == "delete" {
			c = red
		}
		p.linef("  %s %s  %s", p.paint(c, pad(string(effect.Mode), labelWidth-1)),
			effect.Resource, p.paint(dim, strings.Join(effect.Steps, ", ")))
	}
}

func (p *page) persons(steps []plan.Step) {
	waiting := slices.DeleteFunc(slices.Clone(steps), func(s plan.Step) bool { return !s.Approval })
	if len(waiting) == 0 {
		return
	}
	p.heading("What wants a person")
	for _, s := range waiting {
		why := "approval"
		if s.Wanted != nil {
			why = s.Wanted.String()
			if s.Destructive {
				why += "; destructive: " + s.Action
			}
		} else if s.Destructive {
			why = "destructive: " + s.Action
		} else if s.Asks {
			why = "asks: " + s.Action
		} else if s.Rollback != nil && s.Rollback.Destructive {
			why = "its rollback is destructive: " + s.Rollback.Action
		}
		if impact := impactText(s.Impact); impact != "" {
			why += ", " + impact
		}
		p.linef("  %s  %s", p.paint(bold, s.Address), why)
	}
}

func (p *page) notices(notices []plan.Notice) {
	if len(notices) == 0 {
		return
	}
	p.heading("Who is told")
	for _, n := range notices {
		p.linef("  %s  %s", p.paint(bold, n.Address), noticeText(n))
	}
}

// noticeText says by what people would be told, and when.
func noticeText(n plan.Notice) string {
	if n.On == nil {
		return n.Action + " after " + duration(n.AfterSeconds) + ", unless it has succeeded"
	}
	on := make([]string, len(n.On))
	for i, word := range n.On {
		on[i] = words(word)
	}
	return n.Action + " on " + strings.Join(on, ", ")
}

func (p *page) outputs(outputs []plan.Output) {
	if len(outputs) == 0 {
		return
	}
	p.heading("Outputs")
	for _, output := range outputs {
		value := "(known once the steps have run)"
		if output.Known {
			value = valueText(output.Value)
		}
		p.linef("  %s = %s", output.Name, value)
	}
}

func (p *page) planWarnings(pl *plan.Plan) {
	warnings := warnings(pl)
	if len(warnings) == 0 {
		return
	}
	p.heading("Warnings")
	for _, warning := range warnings {
		p.item(2, p.paint(yellow, "!"), warning)
	}
}

// warnings are the plan's own and those of its steps.
func warnings(pl *plan.Plan) []string {
	all := slices.Clone(pl.Warnings)
	for _, s := range pl.Steps {
		for _, warning := range s.Warnings {
			all = append(all, s.Address+": "+warning)
		}
	}
	return all
}

func (p *page) heading(text string) {
	p.blank()
	p.linef("%s", p.paint(bold, text))
}
