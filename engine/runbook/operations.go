package runbook

import "iter"

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
			if !visit(step.Operation()) {
				return
			}
			for _, assertions := range [][]*Assertion{step.Preconditions, step.Goals, step.Verifies} {
				for _, a := range assertions {
					if !visit(a.Probe) {
						return
					}
				}
			}
		}
	}
}
