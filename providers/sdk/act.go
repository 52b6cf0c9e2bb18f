package sdk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Observe runs a probe.
func (s *Server) Observe(ctx context.Context, op schema.Operation) (o schema.Outcome, err error) {
	return s.observe(ctx, op, nil)
}

func (s *Server) observe(ctx context.Context, op schema.Operation, emit func(protocol.Event)) (o schema.Outcome, err error) {
	probe := s.probes[op.Name]
	if probe == nil {
		return o, fmt.Errorf("provider %s has no probe %q", s.schema.Name, op.Name)
	}
	defer s.recovered(op.Name, func(f *schema.Failure) {
		o = schema.Outcome{State: schema.FailedClean, Failure: f}
	})
	call := s.call(op, emit)
	defer s.ended(call)
	ctx, cancel := s.begin(ctx, op)
	defer cancel()
	o = probe.run(ctx, op, call).outcome(schema.FailedClean)
	if o.State != schema.Done {
		o.State, o.Question = schema.FailedClean, nil // a probe never changes anything
	}
	return o, nil
}

// Act runs an action under its attempt lock.
func (s *Server) Act(ctx context.Context, op schema.Operation, emit func(protocol.Event)) (o schema.Outcome, err error) {
	action, err := s.action(op)
	if err != nil {
		return answer{err: Clean(Fail("no_such_action", "%v", err))}.outcome(schema.FailedClean), nil
	}
	defer s.recovered(op.Name, func(f *schema.Failure) {
		o = schema.Outcome{State: schema.Unknown, Failure: f}
	})
	call := s.call(op, emit)
	defer s.ended(call)
	if op.AttemptLock != "" {
		if call.lock, err = lockAttempt(op.AttemptLock); err != nil {
			return answer{err: Clean(err)}.outcome(schema.FailedClean), nil
		}
		// Closing is not unlocking: children that inherited the file keep it.
		defer func() { _ = call.lock.Close() }()
	}
	ctx, cancel := s.begin(ctx, op)
	defer cancel()
	found := action.run(ctx, op, call)
	if found.err == nil && !found.report.OK {
		found.err = Fail("not_ok", "%s", found.report.Summary)
	}
	return found.outcome(schema.FailedPartial), nil
}

// Settle asks the action what an earlier attempt did.
func (s *Server) Settle(ctx context.Context, op schema.Operation) (o schema.Outcome, err error) {
	action, err := s.action(op)
	if err != nil {
		return o, err
	}
	if action.settle == nil {
		return schema.Outcome{State: schema.Unknown}, nil
	}
	defer s.recovered(op.Name, func(f *schema.Failure) {
		o = schema.Outcome{State: schema.Unknown, Failure: f}
	})
	call := s.call(op, nil)
	defer s.ended(call)
	ctx, cancel := s.begin(ctx, op)
	defer cancel()
	found, state := action.settle(ctx, op, call)
	if state == "" {
		state = schema.Unknown
	}
	o = schema.Outcome{State: state, Result: found.value}
	if found.err != nil {
		o.Failure = failureOf(found.err)
	}
	return o, nil
}

// lockAttempt takes the lock that tells a working attempt from an ended one.
func lockAttempt(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, Fail("attempt_lock", "take the attempt's lock: %v", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, Fail("attempt_running", "an earlier process of this attempt is still at work")
	}
	return nil, Fail("attempt_lock", "take the attempt's lock %s: %v", path, err)
}
