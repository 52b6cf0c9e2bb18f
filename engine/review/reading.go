package review

import (
	"context"
	"sync"

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
	blank    *eval.Scope // no variable is known: what it says holds whatever is given
	observer *plan.Observer
	deeds    map[*runbook.Operation]*deed // of every action
	reached  map[*runbook.Step][]bool     // by index: what comes before a step, as far as it was asked for
	used     func() map[string]bool       // the names that anything but their own declaration refers to
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
		blank: eval.New(s.Runbook, nil, eval.Run{}, nil),
		deeds: map[*runbook.Operation]*deed{}, reached: map[*runbook.Step][]bool{},
	}
	r.used = sync.OnceValue(r.findUsed)
	frame := &eval.Frame{Runbook: s.Runbook, Variables: s.Values}
	r.observer = &plan.Observer{
		Frame: frame, Scope: eval.New(s.Runbook, s.Values, eval.Run{}, nil),
		Schemas: s.Schemas, Backend: s.Backend, Offline: true,
	}
	for _, step := range r.rb.Steps {
		for _, op := range step.Actions() {
			r.deeds[op] = r.describe(step, op)
		}
	}
	return r
}

// unsettled is in scope wherever an instance, a result or an error is: none of
// them is known.
func unsettled() eval.Extra {
	return eval.Extra{
		Result: cty.DynamicVal, Self: cty.DynamicVal, Error: cty.DynamicVal,
		EachKey: cty.UnknownVal(cty.String), EachValue: cty.DynamicVal,
	}
}

// mostInstances is how many instances of a step are described.
const mostInstances = 10

// describe asks what an action of a step would do with the values that are known:
// of instances, as far as these are, all that they would.
func (r *reading) describe(step *runbook.Step, op *runbook.Operation) *deed {
	switch {
	case op.Provider == "core": // it has no backend and touches nothing
		return &deed{}
	case step.ForEach == nil:
		return r.describeOne(op, unsettled())
	}
	instances, known, _ := r.observer.Scope.Instances(r.ctx, step.ForEach) // a mistake in it is the plan's to tell
	if !known || len(instances) == 0 {
		x := unsettled()
		x.EachKey = cty.StringVal("each-key")
		return r.describeOne(op, x)
	}
	var all *deed
	for _, instance := range instances[:min(len(instances), mostInstances)] {
		x := unsettled()
		x.EachKey, x.EachValue = cty.StringVal(instance.Key), instance.Value
		one := r.describeOne(op, x)
		if all == nil {
			all = one
			continue
		}
		all.Effects = append(all.Effects, one.Effects...)
		all.Destructive, all.Undeclared, all.undone = all.Destructive || one.Destructive, all.Undeclared || one.Undeclared, all.undone || one.undone
	}
	return all
}

func (r *reading) describeOne(op *runbook.Operation, x eval.Extra) *deed {
	d, arguments, unknown, err := r.observer.Describe(r.ctx, op, x)
	made := &deed{Description: d, arguments: arguments, unknown: unknown, undone: err != nil}
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
