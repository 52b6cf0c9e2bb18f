// Package rehearse runs the tests of a runbook: NAME_test.hcl beside NAME.hcl.
// Each test is a plan and an apply, and perhaps a resume, by the engine's own
// code against mocks and on virtual time. Nothing is started and no backend is
// reached; what is not mocked is an error.
package rehearse

import (
	"context"
	"errors"
	"fmt"
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

	named map[string]bool // addresses whose status is expected
	shown []Item
}

// OK tells whether the test passed.
func (r Result) OK() bool { return len(r.Problems) == 0 }

// epoch is when every rehearsal begins.
var epoch = time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)

// Run runs one test. Diagnostics are mistakes in the test or its runbook.
func (f *File) Run(ctx context.Context, t *Test, open Open) (Result, hcl.Diagnostics) {
	rb := f.Runbook
	result := Result{Name: t.Name, File: t.Range.Filename, Line: t.Range.Start.Line, named: map[string]bool{}}
	for address := range t.Expect.Status {
		result.named[plainly(address)] = true
	}
	given := make(map[string]cty.Value, len(f.Variables)+len(t.Variables))
	for _, values := range []map[string]cty.Value{f.Variables, t.Variables} {
		for name, v := range values {
			given[name] = v
		}
	}
	run := eval.Run{ID: "rehearsal", StartedAt: epoch, Operator: "tester"}
	frame, diags := eval.Link(ctx, rb, eval.Sources{Recorded: given}, run)
	if diags.HasErrors() {
		return result, diags
	}
	providers, found := open(ctx, frame, run)
	if diags = append(diags, found...); diags.HasErrors() {
		return result, diags
	}
	mocks, found := f.mocks(ctx, t, eval.New(rb, frame.Variables, run, nil), providers)
	if diags = append(diags, found...); diags.HasErrors() {
		return result, diags
	}
	virtual := clock.NewVirtual(epoch)
	b := &backend{Providers: providers, frame: mocked(frame, mocks), mocks: mocks, clock: virtual, calls: map[string]int{}, changed: map[string]int{}, crashAfter: t.CrashAfter}
	b.record = &record{backend: b}
	b.rehearse(ctx, t, run, &result)
	result.Took = virtual.Now().Sub(epoch)
	result.Events, result.shown = b.record.events, shown(b)
	if result.Problems = b.unmocked; len(result.Problems) == 0 {
		result.Problems = t.Expect.compare(b, &result)
	}
	return result, diags
}

// rehearse does what apply does, and what resume does after a crash.
func (b *backend) rehearse(ctx context.Context, t *Test, run eval.Run, result *Result) {
	var p *plan.Plan
	var err error
	b.clock.Run(func() {
		p, err = plan.Make(ctx, b.frame, plan.Options{Run: run, Backend: b, Schemas: b, Clock: b.clock})
	})
	if err != nil {
		b.fail("the plan could not be made: " + err.Error())
		return
	}
	if stopper := plan.Stopper(p); p.Outcome == plan.Blocked && stopper != nil {
		result.Outcome = apply.Blocked
		b.blocked(p)
		return
	}
	b.calls, b.changed = map[string]int{}, map[string]int{}
	opts := apply.Options{
		Frame: b.frame, Run: run, Backend: b, Schemas: b, Record: b.record, Screen: nobody{}, Clock: b.clock,
		Approved: map[string]apply.Approval{},
		Ask: func(_ context.Context, q apply.Question) (bool, error) {
			if t.Approve[q.Step] || t.Approve[plainly(q.Step)] {
				return true, nil
			}
			return false, errors.New("nobody answers")
		},
	}
	first, cut := context.WithCancel(ctx)
	b.cut = cut
	b.result = apply.Run(first, opts)
	cut()
	if t.CrashAfter != "" {
		if !b.crashed {
			b.fail(fmt.Sprintf("crash_after = %s: the run never came that far", t.CrashAfter))
			return
		}
		b.crashed, b.crashAfter = false, ""
		opts.History = append([]event.Event(nil), b.record.events...)
		b.result = apply.Run(ctx, opts)
	}
	result.Outcome = b.result.Outcome
}

// blocked says what a plan that keeps apply from doing anything came to.
func (b *backend) blocked(p *plan.Plan) {
	b.result.Outcome = apply.Blocked
	for _, s := range p.Steps {
		status := "not_run"
		if s.Decision == string(plan.Block) && s.Row != 1 {
			status = string(plan.Block)
		}
		b.result.Steps = append(b.result.Steps, apply.StepResult{Address: s.Address, Status: status, Reason: s.Reason})
		for _, c := range s.Preconditions {
			if s.Decision == string(plan.Block) && (c.Holds == nil && c.Message != "" || c.Holds != nil && !*c.Holds) {
				b.record.events = append(b.record.events, event.Event{Type: event.Observed, Step: s.Address, Observation: &event.Observation{
					Kind: "precondition", Name: c.Name, Holds: c.Holds, Message: c.Message,
				}})
			}
		}
	}
}

// nobody watches.
type nobody struct{}

func (nobody) Emit(event.Event) error { return nil }
