package plan

import "context"

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
