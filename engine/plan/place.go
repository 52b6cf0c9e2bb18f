package plan

import (
	"context"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// placeKey is the context key of a call's place.
type placeKey struct{}

// At says in a context for whom a backend is called: the address of a step, of
// one of its assertions, or of a check. Each call adds a name for the same place.
func At(ctx context.Context, place string) context.Context {
	return context.WithValue(ctx, placeKey{}, append(Places(ctx), place))
}

// Places are the names of the place that a backend is called for, the outermost
// first: step.x.goal.fresh, then check.features, which the goal looks with.
func Places(ctx context.Context) []string {
	places, _ := ctx.Value(placeKey{}).([]string)
	return places[:len(places):len(places)]
}

// at names the place of an assertion, and the checks that it looks with.
func (o *Observer) at(ctx context.Context, a *runbook.Assertion) context.Context {
	if a.Place != "" && len(Places(ctx)) == 0 {
		ctx = At(ctx, a.Place)
	}
	for !a.All && len(a.Checks) == 1 {
		check := o.Runbook.Checks[a.Checks[0]]
		if check == nil {
			break
		}
		ctx = At(ctx, check.Place)
		a = &check.Assertion
	}
	return ctx
}
