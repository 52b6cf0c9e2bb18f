package engine

import (
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// addresses are those of all steps, in source order.
func addresses(rb *runbook.Runbook) []string {
	var all []string
	for _, step := range rb.Steps {
		all = append(all, step.Address())
	}
	return all
}

// target is the named steps with everything before them and every always step;
// nil where none is named.
func target(rb *runbook.Runbook, names []string) (map[string]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	steps := make(map[string]*runbook.Step, len(rb.Steps))
	var pending []*runbook.Step
	for _, step := range rb.Steps {
		steps[step.Address()] = step
		if step.Always {
			pending = append(pending, step)
		}
	}
	for _, name := range names {
		if steps[name] == nil {
			if rb.Has(name) {
				return nil, fmt.Errorf("--target %s: only whole steps of %s can be told apart, not instances, nor steps of what it calls; take %s", name, rb.File, outermost(name))
			}
			return nil, fmt.Errorf("there is no %s in %s; its steps are %s", name, rb.File, strings.Join(addresses(rb), ", "))
		}
		pending = append(pending, steps[name])
	}
	only := make(map[string]bool)
	for len(pending) > 0 {
		step := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if only[step.Address()] {
			continue
		}
		only[step.Address()] = true
		if step.Always {
			continue
		}
		for _, edge := range step.Edges {
			pending = append(pending, edge.To)
		}
	}
	return only, nil
}

// forced refuses steps that are not there, or that a target leaves out: to act on
// one of those would take the target back, and not to would be a lie.
func forced(rb *runbook.Runbook, names []string, only map[string]bool) error {
	if err := declared(rb, names); err != nil {
		return err
	}
	for _, name := range names {
		if only != nil && !only[outermost(name)] {
			return fmt.Errorf("--force %s: --target leaves that step out", name)
		}
	}
	return nil
}

// outermost is the step of the outermost runbook in which an address lies.
func outermost(name string) string {
	at, err := address.Parse(name)
	if err != nil {
		return name
	}
	return "step." + at.Parts()[0].Name
}

// declared refuses names that are no step's: a mistyped one would do nothing.
// The keys of a for_each are not known yet.
func declared(rb *runbook.Runbook, names []string) error {
	for _, name := range names {
		if !rb.Has(name) {
			return fmt.Errorf("there is no %s in %s", name, rb.File)
		}
	}
	return nil
}

func set(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}
