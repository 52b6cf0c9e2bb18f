package review

import (
	"maps"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Supposed are values to configure providers with where nothing is given: the
// default of a variable, or something that is the same wherever a variable of
// that name is meant. What they are is never shown.
func Supposed(rb *runbook.Runbook, defaults map[string]cty.Value) map[string]cty.Value {
	values := maps.Clone(defaults)
	for name, v := range rb.Variables {
		if _, known := values[name]; known {
			continue
		}
		if v.Type == cty.String || v.Type == cty.DynamicPseudoType {
			values[name] = cty.StringVal("var-" + name)
		}
	}
	return values
}

// Settled is a configuration without anything unknown in it: no resource of a
// provider could be told otherwise.
func Settled(config cty.Value) cty.Value {
	config, _ = config.UnmarkDeep()
	settled, err := cty.Transform(config, func(_ cty.Path, v cty.Value) (cty.Value, error) {
		switch {
		case v.IsKnown():
			return v, nil
		case v.Type() == cty.String:
			return cty.StringVal("unknown"), nil
		case v.Type() == cty.Number:
			return cty.NumberIntVal(1), nil
		case v.Type() == cty.Bool:
			return cty.False, nil
		}
		return cty.NullVal(v.Type()), nil
	})
	if err != nil {
		return config // Transform errs only where the function does
	}
	return settled
}
