package runbook

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/graph"
)

// decodeFallback decodes one of a step's fallbacks.
func (l *loader) decodeFallback(s *Step, block *hclsyntax.Block) {
	label, ok := l.label(block, "label")
	l.checkWords(block.Body, fallbackBlock)
	f := &Fallback{Label: label, Range: block.DefRange()}
	f.Action = l.ownAction(block)
	for _, other := range s.Fallbacks {
		if ok && other.Label == label {
			l.add(diag.Duplicate.At(f.Range, "The step already has a fallback %q at %s.", label, place(other.Range)))
			return
		}
	}
	s.Fallbacks = append(s.Fallbacks, f)
}

// decodeRollback decodes a step's rollback, of which there is at most one.
func (l *loader) decodeRollback(s *Step, block *hclsyntax.Block) {
	l.noLabel(block)
	l.checkWords(block.Body, rollbackBlock)
	if s.Rollback != nil {
		l.add(diag.Duplicate.At(block.DefRange(), "The step already has a rollback at %s.", place(s.Rollback.Range)))
		return
	}
	back := &Rollback{Range: block.DefRange()}
	back.Action = l.ownAction(block)
	for _, b := range block.Body.Blocks {
		if b.Type != "verify" {
			continue
		}
		v, ok := l.decodeAssertion(b)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(back.Verifies, func(other *Assertion) bool { return other.Name == v.Name }); i >= 0 {
			l.add(diag.Duplicate.At(b.DefRange(), "The rollback already has a verify %q at %s.", v.Name, place(back.Verifies[i].Range)))
			continue
		}
		v.Place = s.Address() + ".rollback.verify." + v.Name
		back.Verifies = append(back.Verifies, v)
	}
	if attr := block.Body.Attributes["depends_on"]; attr != nil {
		l.rollbacks = append(l.rollbacks, pendingRollback{step: s, depends: l.dependsOn(attr.Expr)})
	}
	s.Rollback = back
}

// ownAction is the one action of a fallback or rollback; nil where it has none,
// which is reported.
func (l *loader) ownAction(block *hclsyntax.Block) *Operation {
	var found *Operation
	for _, b := range block.Body.Blocks {
		if b.Type != "action" {
			continue
		}
		op := l.decodeOperation(b)
		if found != nil {
			l.add(diag.Conflict.At(b.DefRange(), "The %s already has %s at %s. It does one thing.", block.Type, found.Type(), place(found.Range)))
			continue
		}
		found = op
	}
	if found == nil {
		l.add(diag.MissingBlock.At(block.DefRange(), "A %s needs an action: what it does.", block.Type))
	}
	return found
}

// pendingRollback is the depends_on of a rollback, until all steps are known.
type pendingRollback struct {
	step    *Step
	depends []dependency
}

// orderRollbacks finds the steps that rollbacks come after, and reports cycles
// among them.
func (l *loader) orderRollbacks() {
	g := graph.New(len(l.rb.Steps))
	for _, p := range l.rollbacks {
		for _, d := range p.depends {
			switch to := l.steps[d.name]; {
			case to == nil:
				l.add(unknownName(d.at, "step", "step", d.name, l.steps))
			case to == p.step:
				l.add(diag.InvalidReference.At(d.at, "A rollback cannot come after itself."))
			case to.Rollback == nil && to.Call == nil:
				l.add(diag.InvalidReference.At(d.at, "step.%s has no rollback that this one could come after.", d.name))
			default:
				p.step.Rollback.DependsOn = append(p.step.Rollback.DependsOn, to)
				if l.steps[p.step.Name] == p.step { // else a second of its name
					g.Add(p.step.Index, to.Index)
				}
			}
		}
	}
	for _, cycle := range g.Cycles() {
		var path, edges []string
		for i, n := range cycle {
			from, to := l.rb.Steps[n], l.rb.Steps[cycle[(i+1)%len(cycle)]]
			path = append(path, from.Address())
			edges = append(edges, fmt.Sprintf("the rollback of %s at %s comes after that of %s", from.Address(), place(from.Rollback.Range), to.Address()))
		}
		l.add(diag.Cycle.At(l.rb.Steps[cycle[0]].Rollback.Range, "These rollbacks wait for each other: %s → %s.\n%s.",
			strings.Join(path, " → "), path[0], strings.Join(edges, ",\n")))
	}
}
