package apply_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// world is a fake backend, for the order of things only: a table of switches
// that the probe fake.get reads and the action fake.set writes.
type world struct {
	t        *testing.T
	mu       sync.Mutex
	values   map[string]string
	calls    []string // fake.set, in the order they began
	acting   int
	most     int // acting at once
	takes    time.Duration
	takesOf  func(name string) time.Duration
	act      func(ctx context.Context, name, value string, attempt int) (schema.Outcome, bool)
	settle   func(name string) schema.Outcome
	observe  func(name string) (schema.Outcome, bool)
	attempts map[string]int
	keys     []string
	settling schema.Settling
	counts   int64    // of rows; below 0: not counted
	enforces []string // what the action says it bounds itself
	limits   map[string]schema.Impact
	hides    map[string]bool // those whose effects are not declared
	clock    clock.Clock

	schema *schema.Provider
	said   traits
}

func newWorld(t *testing.T) *world {
	return &world{t: t, values: map[string]string{}, attempts: map[string]int{}, limits: map[string]schema.Impact{}, settling: schema.Idempotent, clock: clock.Real{}}
}

func attribute(name string, t cty.Type, required bool) schema.Attribute {
	return schema.Attribute{Name: name, Type: t, Doc: "x", Required: required}
}

// Schema implements plan.Schemas.
func (w *world) Schema(context.Context, string) (*schema.Provider, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := (traits{w.settling, w.settle != nil, len(w.enforces) > 0}); w.schema == nil || w.said != now {
		w.schema, w.said = w.makeSchema(), now
	}
	return w.schema, nil
}

// traits are what a test may change of the schema.
type traits struct {
	settling schema.Settling
	settles  bool
	enforces bool
}

// makeSchema is not for each call: a host does not make schemas anew either.
func (w *world) makeSchema() *schema.Provider {
	result := schema.Object{Attributes: []schema.Attribute{
		attribute("ok", cty.Bool, true), attribute("summary", cty.String, true), attribute("value", cty.String, true),
	}}
	return &schema.Provider{Name: "fake", Operations: []schema.OperationSchema{
		{Name: "get", Kind: schema.Probe, Result: result, Arguments: schema.Object{Attributes: []schema.Attribute{attribute("name", cty.String, true)}}},
		{Name: "set", Kind: schema.Action, Result: result, Settling: w.settling, Settles: w.settle != nil, Previews: true, Counts: []string{"rows"}, Enforces: w.enforces, Arguments: schema.Object{Attributes: []schema.Attribute{
			attribute("name", cty.String, true), attribute("value", cty.String, true),
			attribute("destroys", cty.Bool, false), attribute("touches", cty.String, false),
		}}},
	}}
}

func text(v cty.Value, name string) string {
	if v, _ = v.GetAttr(name).Unmark(); !v.IsKnown() || v.IsNull() {
		return ""
	}
	return v.AsString()
}

func answer(ok bool, summary, value string) schema.Outcome {
	return schema.Outcome{State: schema.Done, Result: cty.ObjectVal(map[string]cty.Value{
		"ok": cty.BoolVal(ok), "summary": cty.StringVal(summary), "value": cty.StringVal(value),
	})}
}

func (w *world) Describe(_ context.Context, _ string, op schema.Operation) (schema.Description, error) {
	resource := text(op.Arguments, "touches")
	if resource == "" {
		resource = "fake://host/" + text(op.Arguments, "name")
	}
	destroys := op.Arguments.GetAttr("destroys")
	if w.hides[text(op.Arguments, "name")] {
		return schema.Description{Undeclared: true}, nil
	}
	return schema.Description{
		Effects:     []schema.Effect{{Resource: resource, Mode: schema.Write}},
		Destructive: !destroys.IsNull() && destroys.True(),
		Command:     []string{"set", text(op.Arguments, "name"), text(op.Arguments, "value")},
	}, nil
}

func (w *world) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d, err := w.Describe(ctx, ref, op)
	if w.counts >= 0 {
		d.Impact = schema.Impact{"rows": w.counts}
	}
	return d, err
}

func (w *world) Observe(_ context.Context, _ string, op schema.Operation) (schema.Outcome, error) {
	name := text(op.Arguments, "name")
	if w.observe != nil {
		if o, ok := w.observe(name); ok {
			return o, nil
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	value := w.values[name]
	return answer(value == "on", name+" is "+value, value), nil
}

func (w *world) Act(ctx context.Context, _ string, op schema.Operation, progress func(schema.Progress)) schema.Outcome {
	name, value := text(op.Arguments, "name"), text(op.Arguments, "value")
	w.mu.Lock()
	w.calls = append(w.calls, name)
	w.keys = append(w.keys, op.Key)
	w.limits[name] = op.Limits
	w.attempts[name]++
	attempt := w.attempts[name]
	w.acting++
	w.most = max(w.most, w.acting)
	w.mu.Unlock()
	progress(schema.Progress{Message: "setting " + name})
	takes := w.takes
	if w.takesOf != nil {
		takes = w.takesOf(name)
	}
	if takes > 0 {
		_ = w.clock.Sleep(ctx, takes)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acting--
	if w.act != nil {
		if o, ok := w.act(ctx, name, value, attempt); ok {
			return o
		}
	}
	if ctx.Err() != nil {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "cancelled", Message: "cancelled"}}
	}
	w.values[name] = value
	return answer(true, name+" set to "+value, value)
}

func (w *world) Settle(_ context.Context, _ string, op schema.Operation) schema.Outcome {
	return w.settle(text(op.Arguments, "name"))
}

// memory is a record in memory.
type memory struct {
	events []event.Event
	fails  int // appends until they fail; 0: never
	held   map[string]bool

	unlogged error // what Log answers
}

func (m *memory) Append(events ...event.Event) error {
	if m.fails > 0 {
		if m.fails--; m.fails == 0 {
			m.fails = 1
			return fmt.Errorf("no space left on device")
		}
	}
	m.events = append(m.events, events...)
	return nil
}

func (m *memory) Log(string, string) error              { return m.unlogged }
func (m *memory) Pin(string) (*event.File, error)       { return nil, nil }
func (m *memory) AttemptLock(step string, n int) string { return fmt.Sprintf("%s.%d", step, n) }
func (m *memory) AttemptFree(path string) (bool, error) { return !m.held[path], nil }

// screen keeps what is shown.
type screen struct{ events []event.Event }

func (s *screen) Emit(e event.Event) error {
	s.events = append(s.events, e)
	return nil
}

func load(t *testing.T, source string) *runbook.Runbook {
	t.Helper()
	file := filepath.Join(t.TempDir(), "test.hcl")
	if err := os.WriteFile(file, []byte("runbook \"test\" {\n}\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return rb
}

type trial struct {
	*world
	rb     *runbook.Runbook
	record *memory
	screen *screen
	opts   apply.Options
}

func newTrial(t *testing.T, source string) *trial {
	w := newWorld(t)
	tr := &trial{world: w, rb: load(t, source), record: &memory{held: map[string]bool{}}, screen: &screen{}}
	tr.opts = apply.Options{
		Frame: link(tr.t, tr.rb), Run: eval.Run{ID: "r1", Operator: "tester", StartedAt: time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)},
		Backend: w, Schemas: w, Record: tr.record, Screen: tr.screen, Clock: clock.Real{},
		Approved: map[string][]apply.Approval{},
	}
	return tr
}

func (tr *trial) run() apply.Result { return apply.Run(tr.t.Context(), tr.opts) }

// again is what a second process of the same run would do.
func (tr *trial) again() apply.Result {
	tr.opts.History = slices.Clone(tr.record.events)
	return tr.run()
}

func statuses(r apply.Result) string {
	var words []string
	for _, s := range r.Steps {
		words = append(words, strings.TrimPrefix(s.Address, "step.")+"="+s.Status)
	}
	return r.Outcome + ": " + strings.Join(words, " ")
}

func (tr *trial) expect(r apply.Result, want string) {
	tr.t.Helper()
	if got := statuses(r); got != want {
		tr.t.Errorf("got  %s\nwant %s", got, want)
		for _, s := range r.Steps {
			tr.t.Logf("%s: %s", s.Address, s.Reason)
		}
	}
}

// link joins a runbook to what it calls.
func link(t testing.TB, rb *runbook.Runbook) *eval.Frame {
	t.Helper()
	frame, diags := eval.Link(context.Background(), rb, eval.Sources{}, eval.Run{ID: "r1"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return frame
}
