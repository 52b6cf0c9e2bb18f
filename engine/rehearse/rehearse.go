// Package rehearse runs the tests of a runbook: NAME_test.hcl beside NAME.hcl.
// Each test is a plan and an apply, and perhaps a resume, by the engine's own
// code against mocks and on virtual time. Nothing is started and no backend is
// reached; what is not mocked is an error.
package rehearse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Providers says what providers take, give and would do, without starting one.
type Providers interface {
	plan.Schemas
	Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error)
	// Asks tells whether a provider's actions that ask people do no more than
	// that, and Ask can be called for them.
	Asks(ref string) bool
	// Ask runs such an action, here and now.
	Ask(ctx context.Context, ref string, op schema.Operation) schema.Outcome
}

// Open evaluates the configuration of a runbook's providers for one test.
type Open func(ctx context.Context, frame *eval.Frame, run eval.Run) (Providers, hcl.Diagnostics)

// Result is how one test went.
type Result struct {
	Name     string
	File     string
	Line     int
	Outcome  string        // of the run: succeeded, blocked, …
	Took     time.Duration // virtual
	Problems []string      // empty: it passed
	Events   []event.Event // what is on record, in order

	Exhaustive bool        // it was repeated for everything that can go wrong, where it passed
	Injections []Injection // how that went

	named map[string]bool // addresses whose status is expected
	shown []Item
}

// OK tells whether the test passed, all its injections too.
func (r Result) OK() bool {
	return len(r.Problems) == 0 && !slices.ContainsFunc(r.Injections, func(i Injection) bool { return !i.OK() })
}

// epoch is when every rehearsal begins.
var epoch = time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)

// Options says how tests are run.
type Options struct {
	// Exhaustive repeats each test that passes once for each single thing that
	// can go wrong in it.
	Exhaustive bool
}

// Run runs one test. Diagnostics are mistakes in the test or its runbook.
func (f *File) Run(ctx context.Context, t *Test, open Open, opts Options) (Result, hcl.Diagnostics) {
	result := Result{Name: t.Name, File: t.Range.Filename, Line: t.Range.Start.Line, named: map[string]bool{}, Exhaustive: opts.Exhaustive}
	for address := range t.Expect.Status {
		result.named[plainly(address)] = true
	}
	r, diags := f.ready(ctx, t, open)
	if diags.HasErrors() {
		return result, diags
	}
	b := r.backend(epoch)
	b.crashAfter = t.CrashAfter
	planned := r.plan(ctx, b)
	if planned {
		r.apply(ctx, b)
	}
	if b.crashAfter != "" && b.panicked == "" && planned {
		b.fail(fmt.Sprintf("crash_after = %s: the run never came that far", t.CrashAfter))
	}
	result.Outcome = b.result.Outcome
	result.Took = b.clock.Now().Sub(epoch)
	result.Events, result.shown = b.record.events, shown(b)
	switch {
	case b.panicked != "":
		result.Problems = b.improper()
	case len(b.unmocked) > 0:
		result.Problems = b.unmocked
	default:
		result.Problems = append(t.Expect.compare(b, &result), r.broken(ctx, b)...)
	}
	if opts.Exhaustive && result.OK() && planned {
		result.Injections = r.exhaust(ctx, b)
	}
	return result, diags
}

// rehearsal is one test made ready to run: what its runs share.
type rehearsal struct {
	test       *Test
	frame      *eval.Frame // its mocked checks look at their mocks
	run        eval.Run
	providers  Providers
	mocks      []*mock
	invariants []*Invariant // the file's, then the test's
}

func (f *File) ready(ctx context.Context, t *Test, open Open) (*rehearsal, hcl.Diagnostics) {
	given := make(map[string]cty.Value, len(f.Variables)+len(t.Variables))
	for _, values := range []map[string]cty.Value{f.Variables, t.Variables} {
		maps.Copy(given, values)
	}
	r := &rehearsal{test: t, run: eval.Run{ID: "rehearsal", StartedAt: epoch, Operator: "tester"}, invariants: slices.Concat(f.Invariants, t.Invariants)}
	frame, diags := eval.Link(ctx, f.Runbook, eval.Sources{Recorded: given}, r.run)
	if diags.HasErrors() {
		return nil, diags
	}
	var found hcl.Diagnostics
	r.providers, found = open(ctx, frame, r.run)
	if diags = append(diags, found...); diags.HasErrors() {
		return nil, diags
	}
	if diags = append(diags, t.unasked(ctx, f.Runbook, r.providers)...); diags.HasErrors() {
		return nil, diags
	}
	r.mocks, found = f.mocks(ctx, t, eval.New(f.Runbook, frame.Variables, r.run, nil), r.providers)
	if diags = append(diags, found...); diags.HasErrors() {
		return nil, diags
	}
	r.frame = mocked(frame, r.mocks)
	return r, diags
}

// backend is the untouched world of one run that begins at the given time.
func (r *rehearsal) backend(begun time.Time) *backend {
	b := &backend{
		Providers: r.providers, frame: r.frame, mocks: r.mocks, clock: clock.NewVirtual(begun), begun: begun,
		calls: map[string]int{}, acted: deeds{}, changed: deeds{}, sites: map[string][]site{}, began: map[string]bool{}, asserted: map[string]bool{},
	}
	b.record = &record{backend: b}
	return b
}

// plan does what plan does, and tells whether apply would do anything.
func (r *rehearsal) plan(ctx context.Context, b *backend) bool {
	defer b.caught()
	var p *plan.Plan
	var err error
	b.clock.Run(func() {
		p, err = plan.Make(ctx, b.frame, plan.Options{Run: r.run, Backend: b, Schemas: b, Clock: b.clock})
	})
	if err != nil {
		b.fail("the plan could not be made: " + err.Error())
		return false
	}
	b.begun = b.clock.Now()
	if stopper := plan.Stopper(p); p.Outcome == plan.Blocked && stopper != nil {
		r.refuse(ctx, b, p)
		return false
	}
	b.calls, b.acted, b.changed = map[string]int{}, deeds{}, deeds{}
	return true
}

// apply does what apply does, and what resume does after a crash.
func (r *rehearsal) apply(ctx context.Context, b *backend) {
	defer b.caught()
	b.applying = true
	opts := r.options(b)
	b.attend(&opts, r.test)
	first, cut := context.WithCancel(ctx)
	b.cut = cut
	b.result = apply.Run(first, opts)
	cut()
	if b.crashed {
		b.crashed, b.crashAfter = false, ""
		opts.History = append([]event.Event(nil), b.record.events...)
		b.attend(&opts, r.test)
		again, cut := context.WithCancel(ctx)
		b.cut = cut
		b.result = apply.Run(again, opts)
		cut()
	}
}

func (r *rehearsal) options(b *backend) apply.Options {
	return apply.Options{
		Frame: b.frame, Run: r.run, Backend: b, Schemas: b, Record: b.record, Screen: nobody{}, Clock: b.clock,
		Approved: map[string][]apply.Approval{},
	}
}

// caught keeps a bug of the engine from ending all tests.
func (b *backend) caught() {
	if bug := recover(); bug != nil {
		if beside, ok := bug.(*clock.Panic); ok {
			bug = beside.Value
		}
		b.panicked = fmt.Sprint(bug)
	}
}

// refuse does what apply does with a plan that keeps it from doing anything.
func (r *rehearsal) refuse(ctx context.Context, b *backend, p *plan.Plan) {
	running, cut := context.WithCancel(ctx)
	defer cut()
	b.cut = cut
	b.result = apply.Refuse(running, r.options(b), p)
	for _, s := range p.Steps {
		for _, c := range s.Preconditions {
			if s.Decision == string(plan.Block) && (c.Holds == nil && c.Message != "" || c.Holds != nil && !*c.Holds) {
				b.record.events = append(b.record.events, event.Event{Type: event.Observed, Step: s.Address, Observation: &event.Observation{
					Kind: "precondition", Name: c.Name, Holds: c.Holds, Message: c.Message,
				}})
			}
		}
		if s.Decision == string(plan.Skipped) {
			b.skipped = append(b.skipped, s.Address)
		}
		if s.Decision == string(plan.Block) && s.Row == 13 {
			b.record.events = append(b.record.events, event.Event{Type: event.Observed, Step: s.Address, Observation: &event.Observation{Kind: "capture", Message: s.Reason}})
		}
	}
}

// nobody watches.
type nobody struct{}

func (nobody) Emit(event.Event) error { return nil }
