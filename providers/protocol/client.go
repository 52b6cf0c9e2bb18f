package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zclconf/go-cty/cty"
	"google.golang.org/grpc"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Client calls a provider over the wire. When the context of a call ends, the
// call is dropped and its outcome lost: use Cancel to keep it.
type Client struct{ wire wire.ProviderClient }

var _ Provider = (*Client)(nil)

// ErrNoOutcome means that an action's stream ended without a final word.
var ErrNoOutcome = errors.New("the provider ended the call without an outcome")

// ErrNotSent means that a call could not be put on the wire: the provider was
// asked nothing.
var ErrNotSent = errors.New("the call could not be sent")

// NewClient calls the provider at the other end of conn.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{wire: wire.NewProviderClient(conn)}
}

// Schema implements Provider.
func (c *Client) Schema(ctx context.Context) (*schema.Provider, error) {
	w, err := c.wire.Schema(ctx, &wire.SchemaRequest{})
	if err != nil {
		return nil, err
	}
	return decodeSchema(w)
}

// Configure implements Provider. What the provider refuses is a
// *schema.Failure.
func (c *Client) Configure(ctx context.Context, config cty.Value) error {
	encoded, err := encodeValue(config)
	if err != nil {
		return err
	}
	w, err := c.wire.Configure(ctx, &wire.ConfigureRequest{Config: encoded})
	if err != nil {
		return err
	}
	if f := decodeFailure(w.GetFailure()); f != nil {
		return f
	}
	return nil
}

// Describe implements Provider.
func (c *Client) Describe(ctx context.Context, op schema.Operation) (schema.Description, error) {
	return describe(ctx, op, c.wire.Describe)
}

// Preview implements Provider.
func (c *Client) Preview(ctx context.Context, op schema.Operation) (schema.Description, error) {
	return describe(ctx, op, c.wire.Preview)
}

// Observe implements Provider.
func (c *Client) Observe(ctx context.Context, op schema.Operation) (schema.Outcome, error) {
	return outcome(ctx, op, c.wire.Observe)
}

// Settle implements Provider.
func (c *Client) Settle(ctx context.Context, op schema.Operation) (schema.Outcome, error) {
	return outcome(ctx, op, c.wire.Settle)
}

// Act implements Provider. emit is called one event after another.
func (c *Client) Act(ctx context.Context, op schema.Operation, emit func(Event)) (schema.Outcome, error) {
	encoded, err := encodeOperation(op)
	if err != nil {
		return schema.Outcome{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	stream, err := c.wire.Act(ctx, encoded)
	if err != nil {
		return schema.Outcome{}, err
	}
	for {
		w, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return schema.Outcome{}, ErrNoOutcome
		case err != nil:
			return schema.Outcome{}, err
		case w.GetOutcome() != nil:
			// The stream is read to its end, so that nothing of it is left behind.
			_, _ = stream.Recv()
			return decodeOutcome(w.GetOutcome())
		}
		emit(decodeEvent(w))
	}
}

// Cancel implements Provider.
func (c *Client) Cancel(ctx context.Context, handle string) error {
	_, err := c.wire.Cancel(ctx, &wire.CancelRequest{Handle: handle})
	return err
}

func decodeEvent(w *wire.ActEvent) Event {
	if p := w.GetProgress(); p != nil {
		text, cut := cutLine(p.GetText())
		return Event{Progress: true, Text: text, Done: p.GetDone(), Total: p.GetTotal(), Dropped: p.GetDropped() + cut}
	}
	l := w.GetLog()
	text, cut := cutLine(l.GetText())
	return Event{Text: text, Stream: l.GetStream(), Partial: l.GetPartial(), Dropped: l.GetDropped() + cut}
}

func describe(
	ctx context.Context, op schema.Operation,
	call func(context.Context, *wire.Operation, ...grpc.CallOption) (*wire.Description, error),
) (schema.Description, error) {
	encoded, err := encodeOperation(op)
	if err != nil {
		return schema.Description{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	w, err := call(ctx, encoded)
	if err != nil {
		return schema.Description{}, err
	}
	return decodeDescription(w)
}

func outcome(
	ctx context.Context, op schema.Operation,
	call func(context.Context, *wire.Operation, ...grpc.CallOption) (*wire.Outcome, error),
) (schema.Outcome, error) {
	encoded, err := encodeOperation(op)
	if err != nil {
		return schema.Outcome{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	w, err := call(ctx, encoded)
	if err != nil {
		return schema.Outcome{}, err
	}
	return decodeOutcome(w)
}
