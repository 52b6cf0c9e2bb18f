package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Server answers for a provider in this process: the wire, the engine's catalog
// and sdktest all call it. It implements protocol.Provider and is safe for
// concurrent use. A panic of the author's code becomes a Failure.
type Server struct {
	// Stderr gets the stack of a panic; nil: nobody does.
	Stderr io.Writer
	// Dir is the runbook's folder, from which relative paths start; empty: the
	// working directory.
	Dir string

	provider *Provider
	schema   *schema.Provider
	probes   map[string]*Probe
	actions  map[string]*Action
	groups   groups

	mu      sync.Mutex
	cancels map[string]context.CancelFunc // by handle
	early   []string                      // handles cancelled before their call came, oldest first
}

var _ protocol.Provider = (*Server)(nil)

// NewServer panics where the provider is not complete; see Provider.Schema.
func NewServer(p *Provider) *Server {
	s := &Server{
		provider: p, schema: p.Schema(),
		probes: map[string]*Probe{}, actions: map[string]*Action{},
		cancels: map[string]context.CancelFunc{},
	}
	for i := range p.Probes {
		s.probes[p.Probes[i].schema.Name] = &p.Probes[i]
	}
	for i := range p.Actions {
		s.actions[p.Actions[i].schema.Name] = &p.Actions[i]
	}
	return s
}

// Schema is the provider's schema; it never fails.
func (s *Server) Schema(context.Context) (*schema.Provider, error) { return s.schema, nil }

// Configure hands the author the configuration. An error is a *schema.Failure.
func (s *Server) Configure(ctx context.Context, config cty.Value) (err error) {
	defer s.recovered("Configure", func(f *schema.Failure) { err = f })
	if s.provider.Configure.call == nil {
		return nil
	}
	if err := s.provider.Configure.call(s.folder(ctx), config); err != nil {
		return failureOf(err)
	}
	return nil
}

// Close ends what calls have left running and closes the provider.
func (s *Server) Close() error {
	s.groups.kill()
	if s.provider.Close == nil {
		return nil
	}
	return s.provider.Close()
}

// Describe tells what an action would do.
func (s *Server) Describe(_ context.Context, op schema.Operation) (d schema.Description, err error) {
	action, err := s.action(op)
	if err != nil {
		return d, err
	}
	defer s.recovered(op.Name, func(f *schema.Failure) { d = schema.Description{Failure: f} })
	said, err := action.describe(op, s.call(op, nil))
	if err != nil {
		return schema.Description{Failure: failureOf(err)}, nil
	}
	if said.Settling == "" {
		said.Settling = action.schema.Settling
	}
	return schema.Description{
		Effects: said.Effects, Undeclared: said.Undeclared, Destructive: said.Destructive,
		Settling: said.Settling, Command: said.Command, Summary: said.Summary, Failure: said.Failure,
	}, nil
}

// Preview tells what an action would do and counts what it would hit.
func (s *Server) Preview(ctx context.Context, op schema.Operation) (d schema.Description, err error) {
	d, err = s.Describe(ctx, op)
	if err != nil || d.Failure != nil {
		return d, err
	}
	action := s.actions[op.Name]
	if action.preview == nil {
		return d, nil
	}
	defer s.recovered(op.Name, func(f *schema.Failure) { d.Failure = f })
	call := s.call(op, nil)
	defer s.ended(call)
	ctx, cancel := s.begin(ctx, op)
	defer cancel()
	seen, err := action.preview(ctx, op, call)
	if err != nil {
		d.Failure = failureOf(err)
		return d, nil
	}
	d.Impact, d.Sample = seen.Impact, seen.Sample
	if seen.Summary != "" {
		d.Summary = seen.Summary
	}
	if seen.Effects != nil {
		d.Effects, d.Undeclared = seen.Effects, false
	}
	if seen.Destructive != nil {
		d.Destructive = *seen.Destructive
	}
	return d, nil
}

func (s *Server) action(op schema.Operation) (*Action, error) {
	if action := s.actions[op.Name]; action != nil {
		return action, nil
	}
	return nil, fmt.Errorf("provider %s has no action %q", s.schema.Name, op.Name)
}

func (s *Server) call(op schema.Operation, emit func(protocol.Event)) *Call {
	return &Call{op: op, groups: &s.groups, emit: emit}
}

// ended forgets a call: what its commands have left behind on purpose, such as
// a daemon, is no longer ours to kill.
func (s *Server) ended(c *Call) {
	c.end()
	s.groups.forget(c)
}

// begin makes the context of a call: Cancel and the deadline end it.
func (s *Server) begin(ctx context.Context, op schema.Operation) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(s.folder(ctx))
	stop := func() { cancel(context.Canceled) }
	if !op.Deadline.IsZero() {
		var release context.CancelFunc
		ctx, release = context.WithDeadline(ctx, op.Deadline)
		inner := stop
		stop = func() { release(); inner() }
	}
	if op.Handle == "" {
		return ctx, stop
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels[op.Handle] = func() { cancel(errCancelled) }
	if i := slices.Index(s.early, op.Handle); i >= 0 {
		s.early = slices.Delete(s.early, i, i+1)
		cancel(errCancelled)
	}
	return ctx, func() {
		s.mu.Lock()
		delete(s.cancels, op.Handle)
		s.mu.Unlock()
		stop()
	}
}

var errCancelled = errors.New("cancelled by the engine")

// maxEarly bounds the handles that are remembered as cancelled before their
// call came; most of them are calls that ended just before.
const maxEarly = 100

// Cancel ends the context of the call with this handle. It may overtake the
// call itself, which then begins cancelled; handles are never used twice.
func (s *Server) Cancel(_ context.Context, handle string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.cancels[handle]; cancel != nil {
		cancel()
		return nil
	}
	s.early = append(s.early, handle)
	s.early = s.early[max(0, len(s.early)-maxEarly):]
	return nil
}

// recovered is deferred around the author's code.
func (s *Server) recovered(where string, report func(*schema.Failure)) {
	reason := recover()
	if reason == nil {
		return
	}
	if s.Stderr != nil {
		_, _ = fmt.Fprintf(s.Stderr, "panic in %s: %v\n%s", where, reason, debug.Stack())
	}
	report(Fail("provider_panic", "provider %s panicked in %s: %v", s.schema.Name, where, reason))
}
