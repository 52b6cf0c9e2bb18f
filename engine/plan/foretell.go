package plan

import (
	"context"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Foreteller is a Backend that may know what an assertion answers without a look
// at it: a rehearsal's, where something is to go wrong.
type Foreteller interface {
	// Foretell is asked before each look; false: there has to be one. Places
	// tells which assertion it is.
	Foretell(ctx context.Context, a *runbook.Assertion) (Answer, bool)
}

func (o *Observer) foretold(ctx context.Context, a *runbook.Assertion) (Answer, bool) {
	f, ok := o.Backend.(Foreteller)
	if !ok {
		return Answer{}, false
	}
	return f.Foretell(ctx, a)
}
