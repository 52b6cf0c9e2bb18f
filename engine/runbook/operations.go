package runbook

import (
	"iter"
	"slices"

	"github.com/runbook-engine/runbook/engine/address"
)

// Operations yields every provider configuration in use, by reference, with one
// operation that uses it; each once, in no particular order.
func (rb *Runbook) Operations() iter.Seq2[string, *Operation] {
	return func(yield func(string, *Operation) bool) {
		seen := make(map[string]bool)
		visit := func(op *Operation) bool {
			if op == nil || seen[op.Ref] {
				return true
			}
			seen[op.Ref] = true
			return yield(op.Ref, op)
		}
		for _, check := range rb.Checks {
			if !visit(check.Probe) {
				return
			}
		}
		for _, step := range rb.Steps {
			for _, op := range append(step.Actions(), step.Probe) {
				if !visit(op) {
					return
				}
			}
			for _, a := range step.Assertions() {
				if !visit(a.Probe) {
					return
				}
			}
		}
		for _, n := range rb.Notices {
			if !visit(n.Action) {
				return
			}
		}
	}
}

// Tree is this runbook and all that its steps call, each file once, callers
// before what they call.
func (rb *Runbook) Tree() []*Runbook {
	all := []*Runbook{rb}
	seen := map[*Runbook]bool{rb: true}
	for i := 0; i < len(all); i++ {
		for _, s := range all[i].Steps {
			if s.Call != nil && s.Call.Runbook != nil && !seen[s.Call.Runbook] {
				seen[s.Call.Runbook] = true
				all = append(all, s.Call.Runbook)
			}
		}
	}
	return all
}

// Has tells whether an address can be that of a step of this runbook or of what
// it calls. The keys of a for_each are not looked at: they are not known.
func (rb *Runbook) Has(text string) bool {
	at, err := address.Parse(text)
	if err != nil {
		return false
	}
	for i, part := range at.Parts() {
		if rb == nil {
			return false
		}
		n := slices.IndexFunc(rb.Steps, func(s *Step) bool { return s.Name == part.Name })
		if n < 0 {
			return false
		}
		step := rb.Steps[n]
		last := i == len(at.Parts())-1
		switch {
		case step.ForEach == nil && part.Which != address.Plain,
			step.ForEach != nil && part.Which == address.Plain && !last:
			return false
		}
		rb = nil
		if step.Call != nil {
			rb = step.Call.Runbook
		}
	}
	return true
}
