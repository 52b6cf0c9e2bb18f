package runbook

// Use is one reading of a step's result.
type Use struct {
	Step *Step
	Path []string // below the result, as far as it is written out; empty: all of it
}

// reads adds to uses what a reference reads of a step's result. self is what self
// stands for; nil: nothing.
func (l *loader) reads(uses []Use, r Reference, self *Step) []Use {
	var use Use
	rest := r.Rest
	switch {
	case r.Root == "self" && self != nil:
		use.Step = self
	case r.Root == "step" && r.Attr == "":
		use.Step = l.steps[r.Name]
	case r.Root == "step" && r.Attr == "result":
		use.Step, rest = l.steps[r.Name], rest[1:]
	}
	if use.Step == nil {
		return uses
	}
	for _, t := range rest {
		name, ok := stepName(t)
		if !ok {
			break
		}
		use.Path = append(use.Path, name)
	}
	return append(uses, use)
}
