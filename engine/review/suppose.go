package review

import (
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Supposed are values to describe actions with where nothing is given: the default
// of a variable; for a text without one, a word that is the same for every runbook
// that includes the variable's file, and else the runbook's own. Other variables
// are left out. The values are never shown.
func Supposed(rb *runbook.Runbook) map[string]cty.Value {
	values := map[string]cty.Value{}
	for name, v := range rb.Variables {
		value := v.Default
		if value == cty.NilVal || v.Sensitive {
			if v.Type == cty.String || v.Type == cty.DynamicPseudoType {
				values[name] = cty.StringVal(word(v.Range.Filename) + "-" + word(name))
			}
			continue
		}
		if v.Defaults != nil && !value.IsNull() {
			value = v.Defaults.Apply(value)
		}
		if converted, err := schema.Convert(value, v.Type); err == nil {
			values[name] = converted
		}
	}
	return values
}

// word is a name that may stand in a URL.
func word(name string) string {
	base, _, _ := strings.Cut(filepath.Base(name), ".")
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r > 'z' {
			return '-'
		}
		return r
	}, base))
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
