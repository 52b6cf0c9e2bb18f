package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Describe says what an action would do, from its arguments alone. Arguments
// may be unknown. A bundled provider answers without a process.
func (h *Host) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	in, err := h.instance(ref)
	if err != nil {
		return schema.Description{}, err
	}
	op = h.withoutUnknown(op)
	op, err = h.inward(op)
	if err != nil {
		return schema.Description{}, err
	}
	if _, ok := h.opts.Catalog.Schema(in.provider); ok {
		d, err := h.opts.Catalog.Describe(ctx, h.opts.Dir, in.provider, in.config, op)
		return h.scrubDescription(d), h.scrubbed(err)
	}
	r, release, err := in.begin(ctx)
	if err != nil {
		return schema.Description{}, err
	}
	defer release()
	ctx, op, cancel := timed(ctx, op)
	defer cancel()
	d, err := r.provider.Describe(ctx, op)
	if err != nil {
		return schema.Description{}, h.lost(r, op.Name, err)
	}
	return h.scrubDescription(d), nil
}

// Preview reads the backend and counts what an action would hit.
func (h *Host) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	r, release, op, err := h.begin(ctx, ref, op)
	if err != nil {
		return schema.Description{}, err
	}
	defer release()
	ctx, op, cancel := timed(ctx, op)
	defer cancel()
	d, err := r.provider.Preview(ctx, op)
	if err == nil && d.Failure != nil {
		err = over(ctx)
	}
	if err != nil {
		return schema.Description{}, h.lost(r, op.Name, err)
	}
	return h.scrubDescription(d), nil
}

// Observe runs a probe. An error, which is a *schema.Failure, means that the
// probe gave no answer at all: its process died, or time was up.
func (h *Host) Observe(ctx context.Context, ref string, op schema.Operation) (schema.Outcome, error) {
	r, release, op, err := h.begin(ctx, ref, op)
	if err != nil {
		return schema.Outcome{}, err
	}
	defer release()
	ctx, op, cancel := timed(ctx, op)
	defer cancel()
	o, err := r.provider.Observe(ctx, op)
	if err == nil && o.State != schema.Done {
		err = over(ctx) // what the provider makes of that differs
	}
	if err != nil {
		return schema.Outcome{}, h.lost(r, op.Name, err)
	}
	return h.outward(ctx, r.name, op, h.proper(r.name, op, o, observeEnds)), nil
}

// Settle asks what an earlier attempt did. Without an answer it is Unknown.
func (h *Host) Settle(ctx context.Context, ref string, op schema.Operation) schema.Outcome {
	r, release, op, err := h.begin(ctx, ref, op)
	if err != nil {
		return schema.Outcome{State: schema.Unknown, Failure: failureOf(err)}
	}
	defer release()
	ctx, op, cancel := timed(ctx, op)
	defer cancel()
	o, err := r.provider.Settle(ctx, op)
	if err != nil {
		return schema.Outcome{State: schema.Unknown, Failure: failureOf(h.lost(r, op.Name, err))}
	}
	return h.outward(ctx, r.name, op, h.proper(r.name, op, o, settleEnds))
}

// begin takes an operation in at the door and waits for its provider.
func (h *Host) begin(ctx context.Context, ref string, op schema.Operation) (*running, func(), schema.Operation, error) {
	in, err := h.instance(ref)
	if err != nil {
		return nil, nil, op, err
	}
	op, err = h.inward(op)
	if err != nil {
		return nil, nil, op, err
	}
	op.Handle = h.handle()
	r, release, err := in.begin(ctx)
	if err != nil {
		return nil, nil, op, err
	}
	ended := h.tellCall(r, op)
	return r, func() { ended(); release() }, op, nil
}

// timed starts the time that an operation has, now that its provider is asked.
func timed(ctx context.Context, op schema.Operation) (context.Context, schema.Operation, context.CancelFunc) {
	if op.Timeout == 0 {
		return ctx, op, func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, op.Timeout)
	op.Timeout = 0
	op.Deadline, _ = ctx.Deadline()
	return ctx, op, cancel
}

// over is why a call had to end; nil: it had not. A provider may find out that its
// time is up a moment before ctx does.
func over(ctx context.Context) error {
	if at, ok := ctx.Deadline(); ok && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// lost explains a call that got no answer.
func (h *Host) lost(r *running, operation string, err error) error {
	failure := &schema.Failure{Code: "provider_call", Message: fmt.Sprintf("%s.%s: %v", r.name, operation, err)}
	if answer, ok := status.FromError(err); ok {
		failure.Message = fmt.Sprintf("%s.%s: %s", r.name, operation, answer.Message())
	}
	switch code := status.Code(err); {
	case code == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded):
		failure.Code = "timeout"
		failure.Message = fmt.Sprintf("%s.%s did not answer in time", r.name, operation)
		return h.scrubbed(&CallError{failure, context.DeadlineExceeded})
	case code == codes.Canceled || errors.Is(err, context.Canceled):
		failure.Code = "cancelled"
		failure.Message = fmt.Sprintf("%s.%s was cancelled", r.name, operation)
		return h.scrubbed(&CallError{failure, context.Canceled})
	case code == codes.Unavailable && r.process != nil:
		failure.Code = "provider_lost"
		failure.Message = fmt.Sprintf("the connection to provider %s broke during %s", r.name, operation)
		if how := r.process.ended(); how != "" {
			failure.Code = "provider_died"
			failure.Message = fmt.Sprintf("provider %s died (%s) during %s%s", r.name, how, operation, quote(r.stderr.text()))
		}
	}
	return h.scrubbed(&CallError{failure, nil})
}

// failureOf is the typed failure within err.
func failureOf(err error) *schema.Failure {
	var f *schema.Failure
	if errors.As(err, &f) {
		return f
	}
	return &schema.Failure{Code: "provider_call", Message: err.Error()}
}
