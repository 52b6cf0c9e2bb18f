package review

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// reading is one runbook while it is held against the rules.
type reading struct {
	ctx      context.Context // of the one call of Lint
	rb       *runbook.Runbook
	schemas  plan.Schemas
	observer *plan.Observer
	deeds    map[*runbook.Operation]*deed // of every action
}

// deed is what an action would do.
type deed struct {
	schema.Description
	arguments cty.Value
	unknown   []string // arguments whose values are not known
	undone    bool     // nothing can be said of it
}

// mutates tells whether an action changes something, as far as is known.
func (d *deed) mutates() bool {
	for _, e := range d.Effects {
		if e.Mode != schema.Read {
			return true
		}
	}
	return d.Undeclared || d.undone
}

func newReading(ctx context.Context, s Subject) *reading {
	r := &reading{
		ctx: ctx, rb: s.Runbook, schemas: s.Schemas,
		deeds: map[*runbook.Operation]*deed{},
	}
	frame := &eval.Frame{Runbook: s.Runbook, Variables: s.Defaults}
	r.observer = &plan.Observer{
		Frame: frame, Scope: eval.New(s.Runbook, s.Defaults, eval.Run{}, nil),
		Schemas: s.Schemas, Backend: s.Backend, Offline: true,
	}
	for _, step := range r.rb.Steps {
		for _, op := range step.Actions() {
			r.deeds[op] = r.describe(op)
		}
	}
	return r
}

// Defaults are the values that variables have where nobody gives them one.
// Others are left out.
func Defaults(rb *runbook.Runbook) map[string]cty.Value {
	values := map[string]cty.Value{}
	for name, v := range rb.Variables {
		if v.Default == cty.NilVal || v.Sensitive {
			continue
		}
		value := v.Default
		if v.Defaults != nil && !value.IsNull() {
			value = v.Defaults.Apply(value)
		}
		if converted, err := schema.Convert(value, v.Type); err == nil {
			values[name] = converted
		}
	}
	return values
}

// unsettled is in scope wherever an instance, a result or an error is: none of
// them is known.
func unsettled() eval.Extra {
	return eval.Extra{
		Result: cty.DynamicVal, Self: cty.DynamicVal, Error: cty.DynamicVal,
		EachKey: cty.UnknownVal(cty.String), EachValue: cty.DynamicVal,
	}
}

// describe asks what an action would do with the values that are known.
func (r *reading) describe(op *runbook.Operation) *deed {
	d, arguments, unknown, err := r.observer.Describe(r.ctx, op, unsettled())
	made := &deed{Description: d, arguments: arguments, unknown: unknown}
	if err != nil {
		made.undone = op.Provider != "core"
	}
	if spec := r.spec(op, schema.Action); spec != nil && made.Settling == "" {
		made.Settling = spec.Settling
	}
	return made
}

// spec is what a provider says of an operation; nil: it does not know it.
func (r *reading) spec(op *runbook.Operation, kind schema.Kind) *schema.OperationSchema {
	provider, err := r.schemas.Schema(r.ctx, op.Provider)
	if err != nil {
		return nil
	}
	return provider.Operation(kind, op.Name)
}

// deed is what a step's action would do; nil: it has none.
func (r *reading) deed(step *runbook.Step) *deed {
	if step.Action == nil {
		return nil
	}
	return r.deeds[step.Action]
}

// mutates tells whether a step's action changes something.
func (r *reading) mutates(step *runbook.Step) bool {
	d := r.deed(step)
	return d != nil && d.mutates()
}
