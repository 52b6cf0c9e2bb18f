package export

import (
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/plan"
)

// verdict is what a plan says of a step, all its instances together.
type verdict struct {
	decision string // the weightiest; gives the colour
	lines    []string
	reason   string
}

// decisions lists plan's words, the weightiest first.
func decisions() []plan.Verdict {
	return []plan.Verdict{plan.Block, plan.Run, plan.Deferred, plan.Satisfied, plan.Skipped}
}

// symbol is the sign of a decision, the same as in a plan's text: colour is
// never the only one.
func symbol(decision string) string {
	switch plan.Verdict(decision) {
	case plan.Run:
		return "▸"
	case plan.Satisfied:
		return "✓"
	case plan.Block:
		return "✗"
	case plan.Deferred:
		return "…"
	}
	return "-"
}

// fill and stroke are the colours of a decision; those of no decision are
// neutral. Black text on every fill has a contrast of at least 12 to 1.
func fill(decision string) string {
	switch plan.Verdict(decision) {
	case plan.Run:
		return "#cfe8ff"
	case plan.Satisfied:
		return "#d5f2d5"
	case plan.Block:
		return "#ffd6d6"
	case plan.Deferred:
		return "#fff0bf"
	}
	return "#f4f4f4"
}

func stroke(decision string) string {
	switch plan.Verdict(decision) {
	case plan.Run:
		return "#0a5ea8"
	case plan.Satisfied:
		return "#1f7a1f"
	case plan.Block:
		return "#b00020"
	case plan.Deferred:
		return "#8a6100"
	}
	return "#555555"
}

// verdictsOf gathers a plan's decisions by the outermost step's name: instances
// and the steps of a called runbook count to the step that is drawn.
func verdictsOf(p *plan.Plan) map[string]verdict {
	if p == nil {
		return nil
	}
	steps := map[string][]plan.Step{}
	for _, step := range p.Steps {
		at, err := address.Parse(step.Address)
		if err != nil {
			continue // nothing that is drawn
		}
		name := at.Parts()[0].Name
		if step.Call != "" && step.From != "" {
			continue // the steps that it calls tell
		}
		steps[name] = append(steps[name], step)
	}
	verdicts := make(map[string]verdict, len(steps))
	for name, of := range steps {
		verdicts[name] = verdictOf(of)
	}
	return verdicts
}

func verdictOf(steps []plan.Step) verdict {
	var v verdict
	count := map[string]int{}
	var tentative, destructive, approval bool
	for _, step := range steps {
		count[step.Decision]++
		tentative = tentative || step.Tentative
		destructive = destructive || step.Destructive
		approval = approval || step.Approval
	}
	var said []string
	for _, d := range decisions() {
		word := string(d)
		if count[word] == 0 {
			continue
		}
		if v.decision == "" {
			v.decision = word
		}
		text := symbol(word) + " " + word
		if len(steps) > 1 {
			text += fmt.Sprintf(" %d×", count[word])
		}
		said = append(said, text)
	}
	if tentative {
		said = append(said, "tentative")
	}
	v.lines = append(v.lines, strings.Join(said, ", "))
	if destructive {
		v.lines = append(v.lines, "! destructive")
	}
	if approval {
		v.lines = append(v.lines, "? asks a person")
	}
	if len(steps) == 1 {
		v.reason = steps[0].Reason
	}
	return v
}
