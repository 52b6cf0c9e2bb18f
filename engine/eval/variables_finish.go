package eval

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// finish converts, validates and marks.
func (g *gatherer) finish() (map[string]cty.Value, hcl.Diagnostics) {
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(g.rb.Variables)) {
		v := g.rb.Variables[name]
		from, ok := g.given[name]
		if found, ok := g.src.shared[name]; ok {
			values[name] = found
			continue
		}
		switch {
		case g.bad[name] || !v.Reached:
			continue
		case !ok:
			g.add(diag.MissingVariable.At(v.Range, "The variable %q has no value. Give it by %s.", name, strings.Join(g.ways(v, !v.Sensitive), ", or ")))
			continue
		}
		if value, ok := g.convert(v, from); ok {
			if v.Sensitive {
				value = redact.Mark(value)
			}
			values[name] = value
		}
	}
	if !g.diags.Taken().HasErrors() {
		g.validate(values)
	}
	return values, g.diags.Diagnostics()
}

func (g *gatherer) convert(v *runbook.Variable, from given) (cty.Value, bool) {
	value := from.value
	if value.IsNull() && !v.Nullable {
		if v.Default == cty.NilVal {
			g.add(g.problem(v, from, "it is null, and the variable says nullable = false"))
			return cty.NilVal, false
		}
		value = v.Default
	}
	if v.Defaults != nil && !value.IsNull() {
		value = v.Defaults.Apply(value)
	}
	converted, err := schema.Convert(value, v.Type)
	if err != nil {
		g.add(g.problem(v, from, fmt.Sprintf("a %s is needed: %s", v.Type.FriendlyNameForConstraint(), err)))
		return cty.NilVal, false
	}
	return converted, true
}

func (g *gatherer) problem(v *runbook.Variable, from given, what string) *hcl.Diagnostic {
	at := v.Range
	if from.at != nil {
		at = *from.at
	}
	d := diag.InvalidVariable.At(at, "The value of %q from %s does not fit: %s.", v.Name, from.from, what)
	if from.discreet || v.Sensitive {
		diag.WithholdSource(d)
	}
	return d
}

// validate evaluates every validation of every variable that has a value.
func (g *gatherer) validate(values map[string]cty.Value) {
	scope := New(g.rb, values, Run{Environment: g.src.Environment}, nil)
	ctx := context.Background()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, val := range g.rb.Variables[name].Validations {
			truth, diags := scope.Condition(ctx, val.Condition, Extra{})
			if diags.HasErrors() {
				g.diags.Add(diags...)
				continue
			}
			if truth == True {
				continue
			}
			message, diags := scope.Text(ctx, val.Message, Extra{})
			g.diags.Add(diags...)
			d := diag.InvalidVariable.At(val.Condition.Range(), "%s This is the value from %s.", sentence(message), g.given[name].from)
			d.Expression = val.Condition
			e := scope.evaluation(ctx, Extra{})
			d.EvalContext, _ = e.context(e.compile(val.Condition))
			g.add(d)
		}
	}
}

// sentence ends a message with a full stop.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
