package schema

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// Check says what keeps a provider from being used, whatever wrote its schema:
// names that no runbook could write or that are given twice, an operation that is
// neither probe nor action, a result without ok and summary, an action that does
// not say how an unknown outcome is settled, units that it enforces and does not
// count.
func (p *Provider) Check() error {
	if !attributeName.MatchString(p.Name) {
		return fmt.Errorf("the provider's name %q is not lower_snake_case", p.Name)
	}
	if err := p.Config.Check(); err != nil {
		return fmt.Errorf("its configuration: %w", err)
	}
	seen := map[string]bool{}
	for i := range p.Operations {
		op := &p.Operations[i]
		key := string(op.Kind) + " " + op.Name
		if seen[key] {
			return fmt.Errorf("it has two: %s", key)
		}
		seen[key] = true
		if err := op.check(); err != nil {
			return fmt.Errorf("%s %q: %w", op.Kind, op.Name, err)
		}
	}
	return nil
}

func (o *OperationSchema) check() error {
	if !attributeName.MatchString(o.Name) {
		return fmt.Errorf("its name is not lower_snake_case")
	}
	if err := o.Arguments.Check(); err != nil {
		return fmt.Errorf("its arguments: %w", err)
	}
	if err := o.Result.Check(); err != nil {
		return fmt.Errorf("its result: %w", err)
	}
	ok, summary := o.Result.Attribute("ok"), o.Result.Attribute("summary")
	if ok == nil || ok.Type != cty.Bool || summary == nil || summary.Type != cty.String {
		return fmt.Errorf("its result lacks the bool ok or the string summary")
	}
	for _, unit := range o.Counts {
		if !attributeName.MatchString(unit) {
			return fmt.Errorf("it counts %q, which is not lower_snake_case", unit)
		}
	}
	for _, unit := range o.Enforces {
		if !slices.Contains(o.Counts, unit) {
			return fmt.Errorf("it enforces %q and does not count it", unit)
		}
	}
	classes := []Settling{Manual, Observed, Keyed, Idempotent}
	switch {
	case o.Kind != Probe && o.Kind != Action:
		return fmt.Errorf("it is neither probe nor action")
	case o.Kind == Probe && (o.Settling != "" || o.MayDestroy):
		return fmt.Errorf("a probe settles and destroys nothing")
	case o.Kind == Action && !slices.Contains(classes, o.Settling):
		return fmt.Errorf("its class %q is none of %q", o.Settling, classes)
	}
	return nil
}

// Check says which name no runbook could write, or is given twice, in the object
// or in one nested in it.
func (o Object) Check() error {
	seen := map[string]bool{}
	for _, a := range o.Attributes {
		switch {
		case !attributeName.MatchString(a.Name):
			return fmt.Errorf("the name %q is not lower_snake_case", a.Name)
		case seen[a.Name]:
			return fmt.Errorf("it has two: %s", a.Name)
		}
		seen[a.Name] = true
		if err := (Object{Attributes: a.Nested}).Check(); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return nil
}
