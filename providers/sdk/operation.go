package sdk

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Probe is a read-only capability. Make one with NewProbe.
type Probe struct {
	schema    schema.OperationSchema
	arguments reflect.Type
	run       run
	byHand    func(schema.Operation, *Call) (schema.ByHand, error)
}

// Action is a mutating capability. Make one with NewAction.
type Action struct {
	schema    schema.OperationSchema
	arguments reflect.Type
	result    reflect.Type
	run       run
	describe  func(schema.Operation, *Call) (Description, error)
	preview   func(context.Context, schema.Operation, *Call) (PreviewResult, error)
	settle    func(context.Context, schema.Operation, *Call) (answer, schema.State)
	byHand    func(schema.Operation, *Call) (schema.ByHand, error)
}

// run calls the author's function with decoded arguments.
type run func(context.Context, schema.Operation, *Call) answer

// answer is what the author's function returned.
type answer struct {
	value  cty.Value // cty.NilVal: no result
	report Result
	err    error
}

// NewProbe makes a probe from a function that looks at the backend and changes
// nothing. An answer of "no" is a Result that is not OK; an error means that it
// could not look. It panics where the tags of A or R are wrong.
func NewProbe[A any, R Reporter](name, doc string, fn func(context.Context, A, *Call) (R, error), opts ...ProbeOption) Probe {
	s, arguments, results := operation[A, R](schema.Probe, name, doc)
	p := Probe{schema: s, arguments: reflect.TypeFor[A](), run: newRun(arguments, results, fn)}
	for _, option := range opts {
		option(&p)
	}
	return p
}

// NewAction makes an action. It needs Describe and exactly one of Idempotent,
// Keyed, Observed and Manual; Observed needs Settle too, and Enforces names
// units of Counts. It panics where they are missing, are for other arguments than
// A, or where the tags of A or R are wrong.
func NewAction[A any, R Reporter](name, doc string, fn func(context.Context, A, *Call) (R, error), opts ...ActionOption) Action {
	s, arguments, results := operation[A, R](schema.Action, name, doc)
	a := Action{
		schema: s, arguments: reflect.TypeFor[A](), result: reflect.TypeFor[R](),
		run: newRun(arguments, results, fn),
	}
	for _, option := range opts {
		option(&a)
	}
	switch {
	case a.describe == nil:
		panic(fmt.Sprintf("sdk: action %s needs Describe", name))
	case a.schema.Settling == "":
		panic(fmt.Sprintf("sdk: action %s needs one of Idempotent, Keyed, Observed and Manual", name))
	case a.schema.Settling == schema.Observed && a.settle == nil:
		panic(fmt.Sprintf("sdk: action %s is Observed and needs Settle", name))
	}
	for _, unit := range a.schema.Enforces {
		if !slices.Contains(a.schema.Counts, unit) {
			panic(fmt.Sprintf("sdk: action %s enforces %s, which its Counts lacks", name, unit))
		}
	}
	a.schema.Previews, a.schema.Settles = a.preview != nil, a.settle != nil
	return a
}

func operation[A any, R Reporter](kind schema.Kind, name, doc string) (schema.OperationSchema, *schema.Struct, *schema.Struct) {
	if name == "" || doc == "" {
		panic(fmt.Sprintf("sdk: %s %q needs a name and a doc", kind, name))
	}
	arguments, err := schema.Arguments(reflect.TypeFor[A]())
	if err != nil {
		panic(fmt.Sprintf("sdk: arguments of %s %s: %v", kind, name, err))
	}
	results, err := schema.Results(reflect.TypeFor[R]())
	if err != nil {
		panic(fmt.Sprintf("sdk: result of %s %s: %v", kind, name, err))
	}
	return schema.OperationSchema{
		Name: name, Doc: doc, Kind: kind,
		Arguments: arguments.Object(), Result: results.Object(),
	}, arguments, results
}

func newRun[A any, R Reporter](arguments, results *schema.Struct, fn func(context.Context, A, *Call) (R, error)) run {
	return func(ctx context.Context, op schema.Operation, call *Call) answer {
		var a A
		if err := arguments.Decode(op.Arguments, &a); err != nil {
			return answer{err: Clean(err)}
		}
		r, err := fn(ctx, a, call)
		return newAnswer(results, r, err)
	}
}

func newAnswer(results *schema.Struct, r Reporter, err error) answer {
	found := answer{report: r.report(), err: err}
	if err != nil && found.report == (Result{}) {
		return found
	}
	value, failed := results.Encode(r)
	switch {
	case failed == nil:
		found.value = value
	case err == nil:
		found.err = Fail("bad_result", "the result cannot be sent: %v", failed)
	}
	return found
}
