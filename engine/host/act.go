package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Act runs an action and always comes back with a state. When ctx ends the
// provider is told to cancel; its outcome still counts if it comes within ten
// seconds, after which the provider is killed with all that it has started for
// the attempt, and the outcome is Unknown. What runs in this process cannot be
// killed: it keeps its turn and its attempt's lock until it ends.
// progress, which may be nil, is called one line after another and not after
// Act has returned.
func (h *Host) Act(ctx context.Context, ref string, op schema.Operation, progress func(schema.Progress)) schema.Outcome {
	r, release, op, err := h.begin(ctx, ref, op)
	if err != nil {
		return schema.Outcome{State: schema.FailedClean, Failure: failureOf(err)}
	}
	if !op.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, op.Deadline)
		defer cancel()
	}
	out := newRelay(h, progress)
	defer out.close()
	answers := make(chan result, 1)
	go func() {
		var a result
		a.caught = clock.Caught(func() { a.outcome, a.err = r.provider.Act(context.WithoutCancel(ctx), op, out.event) })
		release()
		answers <- a
	}()
	select {
	case a := <-answers:
		return h.answer(ctx, r, op, a)
	case <-ctx.Done():
		return h.cancel(ctx, r, op, answers)
	}
}

// result is what came back from a provider's Act.
type result struct {
	outcome schema.Outcome
	err     error
	caught  *clock.Panic
}

// cancel stops a call and waits for its last word.
func (h *Host) cancel(ctx context.Context, r *running, op schema.Operation, answers <-chan result) schema.Outcome {
	patience := time.NewTimer(h.grace)
	defer patience.Stop()
	asking, done := context.WithTimeout(context.WithoutCancel(ctx), h.grace)
	asked := clock.Beside(func() { _ = r.provider.Cancel(asking, op.Handle) }) // what it cannot stop is killed
	defer asked()
	defer done()
	select {
	case a := <-answers:
		return h.answer(ctx, r, op, a)
	case <-patience.C:
	}
	failure := &schema.Failure{
		Code:    "provider_killed",
		Message: fmt.Sprintf("%s.%s did not end within %v of being cancelled (%v)", r.name, op.Name, h.grace, context.Cause(ctx)),
	}
	if r.process == nil {
		failure.Code = "not_ended"
		failure.Message += " and is still at work in this program, which alone can end it"
	} else {
		r.kill()
		killWorkers(r.process.cmd.Process.Pid, op.AttemptLock)
		<-answers // the connection broke with the process
		failure.Message += "; its provider was killed" + quote(r.stderr.text())
	}
	return schema.Outcome{State: schema.Unknown, Failure: failureOf(h.scrubbed(failure))}
}

// answer is the outcome of an Act that returned.
func (h *Host) answer(ctx context.Context, r *running, op schema.Operation, a result) schema.Outcome {
	switch {
	case a.caught != nil:
		panic(a.caught)
	case a.err == nil:
		ctx = context.WithoutCancel(ctx)
		return h.outward(ctx, r.name, op, h.proper(r.name, op, a.outcome, h.ends(ctx, r.name, op)))
	case errors.Is(a.err, protocol.ErrNotSent):
		return schema.Outcome{State: schema.FailedClean, Failure: failureOf(h.lost(r, op.Name, a.err))}
	}
	return schema.Outcome{State: schema.Unknown, Failure: failureOf(h.lost(r, op.Name, a.err))}
}
