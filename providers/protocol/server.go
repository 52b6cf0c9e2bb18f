package protocol

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

// server puts a Provider on the wire.
type server struct {
	wire.UnimplementedProviderServer
	provider Provider
}

func (s *server) Schema(ctx context.Context, _ *wire.SchemaRequest) (*wire.SchemaResponse, error) {
	p, err := s.provider.Schema(ctx)
	if err != nil {
		return nil, err
	}
	return encodeSchema(p)
}

func (s *server) Configure(ctx context.Context, w *wire.ConfigureRequest) (*wire.ConfigureResponse, error) {
	config, err := decodeUnmarked(w.GetConfig())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	err = s.provider.Configure(ctx, config)
	var failure *schema.Failure
	switch {
	case err == nil:
		return &wire.ConfigureResponse{}, nil
	case errors.As(err, &failure):
		return &wire.ConfigureResponse{Failure: encodeFailure(failure)}, nil
	}
	return nil, err
}

func (s *server) Describe(ctx context.Context, w *wire.Operation) (*wire.Description, error) {
	return s.describe(ctx, w, s.provider.Describe)
}

func (s *server) Preview(ctx context.Context, w *wire.Operation) (*wire.Description, error) {
	return s.describe(ctx, w, s.provider.Preview)
}

func (s *server) describe(
	ctx context.Context, w *wire.Operation,
	call func(context.Context, schema.Operation) (schema.Description, error),
) (*wire.Description, error) {
	op, err := decodeOperation(w)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	d, err := call(ctx, op)
	if err == nil && d.Failure != nil {
		err = overtaken(ctx)
	}
	if err != nil {
		return nil, err
	}
	return encodeDescription(d), nil
}

func (s *server) Observe(ctx context.Context, w *wire.Operation) (*wire.Outcome, error) {
	return s.outcome(ctx, w, s.provider.Observe)
}

func (s *server) Settle(ctx context.Context, w *wire.Operation) (*wire.Outcome, error) {
	return s.outcome(ctx, w, s.provider.Settle)
}

func (s *server) outcome(
	ctx context.Context, w *wire.Operation,
	call func(context.Context, schema.Operation) (schema.Outcome, error),
) (*wire.Outcome, error) {
	op, err := decodeOperation(w)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	o, err := call(ctx, op)
	if err == nil && o.State != schema.Done {
		err = overtaken(ctx)
	}
	if err != nil {
		return nil, err
	}
	return encodeOutcome(o), nil
}

// overtaken says that time was up, which the engine also finds out by itself,
// but perhaps a moment later than the provider's failure arrives.
func overtaken(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return status.FromContextError(ctx.Err()).Err()
}

func (s *server) Act(w *wire.Operation, stream grpc.ServerStreamingServer[wire.ActEvent]) error {
	op, err := decodeOperation(w)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	queue := newEventQueue()
	sent := make(chan error, 1)
	go func() { sent <- queue.drain(stream.Send) }()
	ctx, release := outlast(stream.Context())
	defer release()
	o, err := s.provider.Act(ctx, op, queue.add)
	queue.close()
	if failed := <-sent; failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	return stream.Send(&wire.ActEvent{Event: &wire.ActEvent_Outcome{Outcome: encodeOutcome(o)}})
}

// lossGrace is how long an action goes on once its connection is lost.
const lossGrace = time.Second

// outlast is a context that ends a moment after parent. A lost connection
// mostly means that the engine is gone: the liveness pipe then ends the process
// with all that it has started, which a cancel at the same time would scatter.
func outlast(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		select {
		case <-time.After(lossGrace):
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { stop(); cancel() }
}

func (s *server) Cancel(ctx context.Context, w *wire.CancelRequest) (*wire.CancelResponse, error) {
	return &wire.CancelResponse{}, s.provider.Cancel(ctx, w.GetHandle())
}
