package sdk

import (
	"context"
	"fmt"
	"reflect"

	"github.com/runbook-engine/runbook/providers/schema"
)

// ActionOption completes an action.
type ActionOption func(*Action)

// How an unknown outcome may be settled. Each action has exactly one.
var (
	// Idempotent: doing it again is harmless.
	Idempotent = settling(schema.Idempotent)
	// Keyed: the backend refuses a second attempt under the same Call.Key.
	Keyed = settling(schema.Keyed)
	// Observed: Settle can tell what an attempt did.
	Observed = settling(schema.Observed)
	// Manual: only a person knows.
	Manual = settling(schema.Manual)
	// MayDestroy: some arguments make the action destructive; Describe says
	// which.
	MayDestroy ActionOption = func(a *Action) { a.schema.MayDestroy = true }
	// Asks: the action may end with Ask, so that a plan can say that it wants a
	// person.
	Asks ActionOption = func(a *Action) { a.schema.Asks = true }
)

func settling(class schema.Settling) ActionOption {
	return func(a *Action) {
		if a.schema.Settling != "" {
			panic(fmt.Sprintf("sdk: action %s is both %s and %s", a.schema.Name, a.schema.Settling, class))
		}
		a.schema.Settling = class
	}
}

// Counts names the units that a step's limit may name: what Preview counts, and
// what the action Enforces.
func Counts(units ...string) ActionOption {
	return func(a *Action) { a.schema.Counts = append(a.schema.Counts, units...) }
}

// Enforces names those of the units in Counts of which the action itself never
// hits more than Call.Limit says: it counts as it goes, and takes back, or never
// begins, what would be more. A limit on such a unit holds where Preview cannot
// count it, too; on any other, a preview without the count blocks the step.
func Enforces(units ...string) ActionOption {
	return func(a *Action) { a.schema.Enforces = append(a.schema.Enforces, units...) }
}

// Description is what an action would do, told from its arguments alone.
type Description struct {
	Effects     []schema.Effect
	Undeclared  bool // the effects are not known: the action runs alone
	Destructive bool
	Settling    schema.Settling // empty: the action's own
	Command     []string        // equivalent argv, secrets as $NAME
	Summary     string
	Failure     *schema.Failure // the arguments can never work
}

// Describe says what the action would do. It is pure: no I/O. Arguments that
// are not known yet are zero; Call.Unknown tells them from given ones, and the
// effect is then the containing resource.
func Describe[A any](fn func(A, *Call) Description) ActionOption {
	return func(a *Action) {
		arguments := a.sameArguments("Describe", reflect.TypeFor[A]())
		a.describe = func(op schema.Operation, call *Call) (Description, error) {
			var decoded A
			if err := arguments.Decode(op.Arguments, &decoded, op.Unknown...); err != nil {
				return Description{}, err
			}
			return fn(decoded, call), nil
		}
	}
}

// PreviewResult is what a look at the backend adds to Description.
type PreviewResult struct {
	Impact      schema.Impact
	Sample      []string
	Summary     string          // empty: Describe's
	Effects     []schema.Effect // nil: Describe's
	Destructive *bool           // nil: Describe's
}

// Preview counts what the action would hit. It reads and never changes
// anything.
func Preview[A any](fn func(context.Context, A, *Call) (PreviewResult, error)) ActionOption {
	return func(a *Action) {
		arguments := a.sameArguments("Preview", reflect.TypeFor[A]())
		a.preview = func(ctx context.Context, op schema.Operation, call *Call) (PreviewResult, error) {
			var decoded A
			if err := arguments.Decode(op.Arguments, &decoded); err != nil {
				return PreviewResult{}, err
			}
			return fn(ctx, decoded, call)
		}
	}
}

// Settle finds out what an earlier attempt with these arguments and this key
// did: schema.Done with its result, FailedClean, FailedPartial, Running, or
// Unknown. With an error and no state it is Unknown.
func Settle[A any, R Reporter](fn func(context.Context, A, *Call) (R, schema.State, error)) ActionOption {
	return func(a *Action) {
		arguments := a.sameArguments("Settle", reflect.TypeFor[A]())
		if got := reflect.TypeFor[R](); got != a.result {
			panic(fmt.Sprintf("sdk: action %s answers %s, its Settle %s", a.schema.Name, a.result, got))
		}
		results, err := schema.Results(a.result)
		if err != nil {
			panic(fmt.Sprintf("sdk: result of action %s: %v", a.schema.Name, err))
		}
		a.settle = func(ctx context.Context, op schema.Operation, call *Call) (answer, schema.State) {
			var decoded A
			if err := arguments.Decode(op.Arguments, &decoded); err != nil {
				return answer{err: err}, schema.Unknown
			}
			r, state, err := fn(ctx, decoded, call)
			return newAnswer(results, r, err), state
		}
	}
}

func (a *Action) sameArguments(option string, t reflect.Type) *schema.Struct {
	if t != a.arguments {
		panic(fmt.Sprintf("sdk: action %s takes %s, its %s %s", a.schema.Name, a.arguments, option, t))
	}
	arguments, err := schema.Arguments(t)
	if err != nil {
		panic(fmt.Sprintf("sdk: arguments of action %s: %v", a.schema.Name, err))
	}
	return arguments
}
