package rehearse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// backend answers from mocks. It is used by one fiber of a virtual clock at a
// time: no locks.
type backend struct {
	Providers
	frame  *eval.Frame
	mocks  []*mock
	clock  *clock.Virtual
	record *record
	cut    context.CancelFunc

	calls      map[string]int // operation → how often it was called
	changed    map[string]int // action → how often it has changed the world
	unmocked   []string
	crashAfter string
	crashed    bool
	result     apply.Result
}

func (b *backend) fail(problem string) {
	if !slices.Contains(b.unmocked, problem) {
		b.unmocked = append(b.unmocked, problem)
	}
}

// checkProvider is the provider that mocked checks look with.
const checkProvider = "check"

// Schema implements plan.Schemas.
func (b *backend) Schema(ctx context.Context, provider string) (*schema.Provider, error) {
	if provider != checkProvider {
		return b.Providers.Schema(ctx, provider)
	}
	p := &schema.Provider{Name: checkProvider}
	for _, rb := range b.frame.Runbook.Tree() {
		for name := range rb.Checks {
			p.Operations = append(p.Operations, schema.OperationSchema{Name: name, Kind: schema.Probe})
		}
	}
	return p, nil
}

// Apart implements the wish of plan.Round: looks that different mocks answer are
// not shared.
func (b *backend) Apart(ctx context.Context, op *runbook.Operation) string {
	return fmt.Sprintf("%p", b.find(ctx, op.Type()))
}

// find is the mock that answers a call: a test's own before its file's, of these
// the one for the narrowest place.
func (b *backend) find(ctx context.Context, operation string) *mock {
	var best *mock
	for _, m := range b.mocks {
		if m.operation == operation && m.covers(plan.Places(ctx)) && (best == nil || m.own == best.own && len(m.at) > len(best.at)) {
			best = m // a test's own come first
		}
	}
	return best
}

// answer is what the mock of a call says now; false: there is none, which is a
// problem of the test.
func (b *backend) answer(ctx context.Context, operation string) (answer, bool) {
	m := b.find(ctx, operation)
	if m == nil {
		where := "the runbook"
		if places := plan.Places(ctx); len(places) > 0 {
			where = places[0]
		}
		b.fail(fmt.Sprintf("%s uses %s, which is not mocked. Write: mock %q { returns = { … } }", where, operation, operation))
		return answer{}, false
	}
	return m.now(func(action string) bool {
		return b.changed[action] > 0 || action == operation && b.calls[operation] > 1
	}), true
}

// Preview implements plan.Backend: what the provider describes, with the mock's
// counts.
func (b *backend) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d, err := b.Describe(ctx, ref, op)
	if err != nil || d.Failure != nil {
		return d, err
	}
	if a, ok := b.answer(ctx, operationOf(ref, op)); ok {
		d.Impact = a.impact
	}
	return d, nil
}

var notMocked = &schema.Failure{Code: "not_mocked", Message: "it is not mocked"}

// Observe implements plan.Backend.
func (b *backend) Observe(ctx context.Context, ref string, op schema.Operation) (schema.Outcome, error) {
	if b.crashed {
		return schema.Outcome{}, errors.New("the engine is gone")
	}
	operation := operationOf(ref, op)
	b.calls[operation]++
	a, ok := b.answer(ctx, operation)
	if !ok {
		return schema.Outcome{State: schema.FailedClean, Failure: notMocked}, nil
	}
	if err := b.clock.Sleep(ctx, a.takes); err != nil {
		return schema.Outcome{}, err
	}
	if a.fails != "" {
		return schema.Outcome{State: schema.FailedClean, Failure: failure(a.fails)}, nil
	}
	return schema.Outcome{State: schema.Done, Result: a.returns}, nil
}

// Act implements apply.Backend.
func (b *backend) Act(ctx context.Context, ref string, op schema.Operation, _ func(schema.Progress)) schema.Outcome {
	operation := operationOf(ref, op)
	b.calls[operation]++
	a, ok := b.answer(ctx, operation)
	switch {
	case !ok:
		return schema.Outcome{State: schema.FailedClean, Failure: notMocked}
	case b.clock.Sleep(ctx, a.takes) != nil:
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Code: "cancelled", Message: operation + " was cancelled in mid-action"}}
	case a.clean:
		return schema.Outcome{State: schema.FailedClean, Failure: failure(a.fails)}
	case a.fails != "":
		return schema.Outcome{State: schema.FailedPartial, Failure: failure(a.fails)}
	}
	b.changed[operation]++
	if places := plan.Places(ctx); b.crashAfter != "" && len(places) > 0 && places[0] == b.crashAfter {
		b.crash()
		a.unknown = true
	}
	if a.unknown {
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Code: "unknown", Message: "nobody heard how " + operation + " ended"}}
	}
	return schema.Outcome{State: schema.Done, Result: a.returns}
}

// Settle implements apply.Backend: a mock knows nothing that a goal does not.
func (b *backend) Settle(context.Context, string, schema.Operation) schema.Outcome {
	return schema.Outcome{State: schema.Unknown}
}

// crash ends the engine: nothing is recorded any more, nothing goes on.
func (b *backend) crash() {
	b.crashed = true
	b.cut()
}

var code = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// failure is what fails = "code or message" means.
func failure(said string) *schema.Failure {
	if code.MatchString(said) {
		return &schema.Failure{Code: said, Message: said}
	}
	return &schema.Failure{Code: "mocked", Message: said}
}

// record keeps a run in memory, until the engine crashes.
type record struct {
	backend *backend
	events  []event.Event
}

var errGone = errors.New("the engine is gone")

// Append implements apply.Record.
func (r *record) Append(events ...event.Event) error {
	for _, e := range events {
		if r.backend.crashed {
			return errGone
		}
		r.events = append(r.events, e)
		if r.backend.crashAfter != "" && e.Type == event.StepFinished && e.Step == r.backend.crashAfter {
			r.backend.crash()
		}
	}
	return nil
}

// Log implements apply.Record.
func (r *record) Log(string, string) error { return nil }

// Pin implements apply.Record.
func (r *record) Pin(string) (*event.LogFile, error) { return nil, nil }

// AttemptLock implements apply.Record.
func (r *record) AttemptLock(step string, attempt int) string {
	return fmt.Sprintf("%s.%d", step, attempt)
}

// AttemptFree implements apply.Record: a crash leaves no orphans.
func (r *record) AttemptFree(string) (bool, error) { return true, nil }

// operationOf is an operation as people write it, whichever configuration of
// its provider it uses, in whichever frame.
func operationOf(ref string, op schema.Operation) string {
	if end := strings.IndexAny(ref, ".@"); end >= 0 {
		ref = ref[:end]
	}
	return ref + "." + op.Name
}

// mocked are the frames with their mocked checks looking at their mocks.
func mocked(frame *eval.Frame, mocks []*mock) *eval.Frame {
	return frame.With(func(rb *runbook.Runbook) *runbook.Runbook {
		changed := *rb
		changed.Checks = maps.Clone(rb.Checks)
		for _, m := range mocks {
			name, ok := strings.CutPrefix(m.operation, checkProvider+".")
			if !ok || rb.Checks[name] == nil {
				continue
			}
			check := *rb.Checks[name]
			check.Probe = &runbook.Operation{Provider: checkProvider, Name: name, Ref: checkProvider, Body: emptyBody(), Range: check.Range}
			check.Checks, check.All, check.Assert, check.Message = nil, false, nil, nil
			changed.Checks[name] = &check
		}
		return &changed
	})
}

// object makes a result, with null for what is not given.
func object(types schema.Object, given map[string]cty.Value) cty.Value {
	values := map[string]cty.Value{"ok": cty.True, "summary": cty.StringVal("(mock)")}
	for _, a := range types.Attributes {
		if _, set := values[a.Name]; !set {
			values[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
		}
	}
	for name, v := range given {
		values[name] = v
	}
	return cty.ObjectVal(values)
}
