// Package sdktest is how a provider is tested. New runs its operations through
// the real encoding, without a process; Start does so in a process of its own.
// Prove holds the whole provider to what every provider promises. No backend is
// started here: tests bring their own.
//
// # Proving a provider
//
// A test binary that starts its provider as a process has to be able to be it:
//
//	func TestMain(m *testing.M) {
//		sdktest.Serve(git.Provider) // first; exits where this process is the provider
//		os.Exit(m.Run())
//	}
//
// The proof is a table: what the backend holds, how it breaks, and a line for
// each probe and each action.
//
//	func TestProof(t *testing.T) {
//		sdktest.Prove(t, sdktest.Proof{
//			Provider: queue.Provider,
//			Config:   map[string]any{"url": server.URL, "token": server.Token},
//			World:    func(t testing.TB) any { return server.Messages(t) }, // without times
//			Broken: []sdktest.Broken{
//				{Name: "dead", Config: map[string]any{"url": refused}, Code: "connection_refused"},
//				{Name: "blackholed", Config: map[string]any{"url": silent, "timeout": "300ms"}, Code: "timeout"},
//				{Name: "wrong token", Config: map[string]any{"token": "no-such-token"}, Code: "authentication_failed"},
//			},
//			Probes: []sdktest.ProbeProof{
//				{Name: "ready", Answers: true}, // of a dead server it answers ok = false
//				{Name: "length", Args: map[string]any{"queue": "jobs"}, Refused: []sdktest.Refused{
//					{Args: map[string]any{"queue": "none"}, Code: "queue_missing"},
//				}},
//			},
//			Actions: []sdktest.ActionProof{{
//				Name: "purge", Args: map[string]any{"queue": "jobs"},
//				Setup:    func(t testing.TB) { server.Fill(t, "jobs", 10) },
//				Class:    schema.Idempotent,
//				Destroys: true,
//			}},
//		})
//	}
//
// What it then proves, each through the process border and against the backend:
//
//   - nothing of the provider is left out, probes and Describe and Preview change
//     nothing, and Describe needs no backend;
//   - what deletes is called destructive, and an action is described as the class
//     that it then is;
//   - what Preview counts is what the action hit; a limit of one less stops an
//     action that enforces it, clean, and a limit that fits does not;
//   - cancelled, it leaves nothing at work in the backend, and what it calls clean
//     has changed nothing;
//   - its process is killed before the work, after it and, where Slow says how,
//     in the middle of it. Idempotent: doing it again comes to what once comes to.
//     Keyed: under its key it is done once, under another again. Observed: Settle
//     tells the one from the other. Manual: nobody claims to know;
//   - each broken backend is a typed failure of its own, with a remedy;
//   - what a person is told to look with, in a shell, says what the probe says, and
//     never that all is well where the backend is broken;
//   - no secret of the configuration is in a result, failure, description, log
//     line, command line of a child, or on standard error.
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
	born     time.Time
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
	h := &Harness{t: t, provider: connect(t, server), schema: p.Schema(), locks: t.TempDir(), born: time.Now(), open: map[string]string{}}
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
		c.op.Key = fmt.Sprintf("key-%d-%d", h.born.UnixNano(), n) // the backend may be another harness's too
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
