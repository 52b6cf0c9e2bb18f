// Package sdktest runs a provider's operations through the real encoding,
// without a process. It starts no backend: tests bring their own.
package sdktest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Harness is a configured provider. Safe for concurrent use.
type Harness struct {
	t        testing.TB
	provider protocol.Provider
	schema   *schema.Provider
	locks    string
	calls    atomic.Int64

	mu   sync.Mutex
	logs []string
	open map[string]string // by stream, a line of which only parts have come
}

// New configures the provider and closes it when the test ends. Values of
// config and of all arguments are plain Go values: strings, numbers, booleans,
// durations, times, slices, string maps, nil, or cty values.
func New(t testing.TB, p *sdk.Provider, config map[string]any) *Harness {
	t.Helper()
	h, err := Try(t, p, config)
	if err != nil {
		t.Fatalf("configure %s: %v", p.Name, err)
	}
	return h
}

// Try is New for configurations that the provider may refuse.
func Try(t testing.TB, p *sdk.Provider, config map[string]any) (*Harness, error) {
	t.Helper()
	server := sdk.NewServer(p)
	server.Stderr = t.Output()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close %s: %v", p.Name, err)
		}
	})
	h := &Harness{t: t, provider: connect(t, server), schema: p.Schema(), locks: t.TempDir(), open: map[string]string{}}
	value, unknown := h.arguments("the configuration", h.schema.Config, config)
	if len(unknown) > 0 {
		t.Fatalf("the configuration of %s has unknown values: %v", p.Name, unknown)
	}
	return h, h.provider.Configure(t.Context(), value)
}

// Option sets what a runbook's step or the engine would set.
type Option func(*call)

type call struct {
	ctx context.Context
	op  schema.Operation
}

// Key sets the idempotency key.
func Key(key string) Option { return func(c *call) { c.op.Key = key } }

// Limit bounds a unit.
func Limit(unit string, n int64) Option {
	return func(c *call) {
		if c.op.Limits == nil {
			c.op.Limits = schema.Impact{}
		}
		c.op.Limits[unit] = n
	}
}

// Deadline sets the operation's deadline.
func Deadline(at time.Time) Option { return func(c *call) { c.op.Deadline = at } }

// Answers answers an action's question.
func Answers(v cty.Value) Option { return func(c *call) { c.op.Answers = v } }

// AttemptLock replaces the attempt lock's path.
func AttemptLock(path string) Option { return func(c *call) { c.op.AttemptLock = path } }

// Context cancels the operation as the engine would, when ctx ends.
func Context(ctx context.Context) Option { return func(c *call) { c.ctx = ctx } }

// Probe observes.
func (h *Harness) Probe(name string, args map[string]any, opts ...Option) schema.Outcome {
	h.t.Helper()
	c, stop := h.call(schema.Probe, name, args, opts)
	defer stop()
	return h.outcome(h.provider.Observe(h.t.Context(), c.op))
}

// Act runs an action.
func (h *Harness) Act(name string, args map[string]any, opts ...Option) schema.Outcome {
	h.t.Helper()
	c, stop := h.call(schema.Action, name, args, opts)
	defer stop()
	return h.outcome(h.provider.Act(h.t.Context(), c.op, h.log))
}

// Settle asks what an earlier attempt did.
func (h *Harness) Settle(name string, args map[string]any, opts ...Option) schema.Outcome {
	h.t.Helper()
	c, stop := h.call(schema.Action, name, args, opts)
	defer stop()
	return h.outcome(h.provider.Settle(h.t.Context(), c.op))
}

// Describe tells what an action would do. Arguments may be unknown cty values.
func (h *Harness) Describe(name string, args map[string]any, opts ...Option) schema.Description {
	h.t.Helper()
	c, stop := h.call(schema.Action, name, args, opts)
	defer stop()
	return h.description(name)(h.provider.Describe(h.t.Context(), c.op))
}

// Preview tells what an action would do and counts.
func (h *Harness) Preview(name string, args map[string]any, opts ...Option) schema.Description {
	h.t.Helper()
	c, stop := h.call(schema.Action, name, args, opts)
	defer stop()
	return h.description(name)(h.provider.Preview(h.t.Context(), c.op))
}

// Logs is every line logged so far, progress included.
func (h *Harness) Logs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.logs...)
}

func (h *Harness) log(e protocol.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := h.open[e.Stream] + e.Text
	delete(h.open, e.Stream)
	if e.Partial {
		h.open[e.Stream] = text
		return
	}
	h.logs = append(h.logs, text)
}

func (h *Harness) call(kind schema.Kind, name string, args map[string]any, opts []Option) (*call, func() bool) {
	h.t.Helper()
	op := h.schema.Operation(kind, name)
	if op == nil {
		h.t.Fatalf("provider %s has no %s %q", h.schema.Name, kind, name)
	}
	n := h.calls.Add(1)
	c := &call{ctx: context.Background(), op: schema.Operation{
		Name: name, Kind: kind, Handle: fmt.Sprintf("call-%d", n),
	}}
	if kind == schema.Action {
		c.op.Key = fmt.Sprintf("key-%d", n)
		c.op.AttemptLock = filepath.Join(h.locks, fmt.Sprintf("attempt-%d.lock", n))
	}
	c.op.Arguments, c.op.Unknown = h.arguments(name, op.Arguments, args)
	for _, option := range opts {
		option(c)
	}
	return c, context.AfterFunc(c.ctx, func() { _ = h.provider.Cancel(context.Background(), c.op.Handle) })
}

func (h *Harness) outcome(o schema.Outcome, err error) schema.Outcome {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// description also checks what a schema promises of every description.
func (h *Harness) description(name string) func(schema.Description, error) schema.Description {
	return func(d schema.Description, err error) schema.Description {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
		op := h.schema.Operation(schema.Action, name)
		if d.Destructive && !op.MayDestroy {
			h.t.Errorf("%s is described as destructive but lacks sdk.MayDestroy", name)
		}
		for unit := range d.Impact {
			if !slices.Contains(op.Counts, unit) {
				h.t.Errorf("%s counts %s but lacks sdk.Counts(%q)", name, unit, unit)
			}
		}
		return d
	}
}
