// Package protocol is the wire between engine and providers: gRPC over
// go-plugin, provider.proto, and the encoding of its values. It leaves the
// author's comfort to providers/sdk, and finding, starting and supervising
// processes to engine/host.
package protocol

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Provider is a provider as both ends of the wire see it. Client and the SDK's
// server implement it, so a provider in this process and one in another are
// called alike. Safe for concurrent use. An error means that the call itself
// failed and nothing is known of what it did; what the provider has to say is
// inside Description and Outcome.
type Provider interface {
	Schema(context.Context) (*schema.Provider, error)
	Configure(ctx context.Context, config cty.Value) error
	Describe(context.Context, schema.Operation) (schema.Description, error)
	Preview(context.Context, schema.Operation) (schema.Description, error)
	Observe(context.Context, schema.Operation) (schema.Outcome, error)
	Act(ctx context.Context, op schema.Operation, emit func(Event)) (schema.Outcome, error)
	Settle(context.Context, schema.Operation) (schema.Outcome, error)
	// Cancel asks the call with this handle to stop its work; that call then
	// ends with its own Outcome. A handle that is not in progress is no error.
	Cancel(ctx context.Context, handle string) error
}

// Event is what an action says while it works: a line of log, or progress.
type Event struct {
	Text     string
	Stream   string // stdout, stderr, or empty for the provider's own words
	Partial  bool   // the line goes on in the next Event of its Stream
	Progress bool
	Done     float64
	Total    float64 // 0: not known
	Dropped  int64   // bytes of log dropped right before this event, or of its end
}
