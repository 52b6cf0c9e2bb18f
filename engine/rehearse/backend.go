package rehearse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
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
	acted      deeds          // how often an action was begun, by step
	changed    deeds          // how often it has changed the world
	unmocked   []string
	crashAfter string
	crashed    bool
	panicked   string   // what the engine said then; empty: it did not
	skipped    []string // steps that a plan which keeps apply from anything would skip
	result     apply.Result

	asserted map[string]bool // places of assertions that were looked at
	looks    int             // at assertions

	begun        time.Time // when the plan was made, and apply begins
	applying     bool
	fault        *Fault            // what goes wrong while it applies; nil: nothing
	began        map[string]bool   // where a step has begun to act
	sites        map[string][]site // by step, as it came to them
	stepsReached []string          // the keys of sites, in that order
}

// maxLooks is how many looks one run may take: more than a day of one every two
// seconds. On virtual time a hundred years would pass, look by look.
const maxLooks = 45_000

func (b *backend) fail(problem string) {
	if !slices.Contains(b.unmocked, problem) {
		b.unmocked = append(b.unmocked, problem)
	}
}

// place is for whom a backend is called: a step's address where it is no
// assertion's.
func place(ctx context.Context) string {
	places := plan.Places(ctx)
	if len(places) == 0 {
		return ""
	}
	return places[0]
}

// doer is at which of its places a step acts: as a fallback, as its rollback, or
// itself.
func doer(ctx context.Context) string {
	places := plan.Places(ctx)
	if len(places) == 0 {
		return ""
	}
	return places[len(places)-1]
}

// deed is what a site is at which a step acts: "action", "fallback label" or
// "rollback".
func deed(step, at string) string {
	if at == step {
		return "action"
	}
	return strings.Replace(strings.TrimPrefix(at, step+"."), ".", " ", 1)
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

// Foretell implements plan.Foreteller: it notes what is looked at, and what goes
// wrong is told instead.
func (b *backend) Foretell(ctx context.Context, a *runbook.Assertion) (plan.Answer, bool) {
	if !b.applying {
		return plan.Answer{}, false
	}
	if b.looks++; b.looks > maxLooks {
		b.fail(fmt.Sprintf("the rehearsal takes more than %d looks, and was cut short at %s: an assertion looks every so often for as long as its within and hold_for say", maxLooks, place(ctx)))
		b.cut()
	}
	for _, at := range plan.Places(ctx) {
		if a.Kind == "check" && !strings.HasPrefix(at, checkProvider+".") {
			continue // in a called runbook; its own name is the next place
		}
		if !b.asserted[at] { // the parts of an assertion come later, under its place
			b.asserted[at] = true
			b.reach(siteOf(at, a))
		}
		switch {
		case b.goesWrong(at, Errs):
			return plan.Answer{Truth: plan.Errs, Reason: b.fault.failure().Message}, true
		case b.goesWrong(at, NeverHolds) && (a.Kind != "goal" || b.began[b.fault.Step]):
			return plan.Answer{Truth: plan.Fails, Reason: b.fault.failure().Message}, true
		}
	}
	return plan.Answer{}, false
}

// Apart implements the wish of plan.Round: looks that different mocks answer are
// not shared.
func (b *backend) Apart(ctx context.Context, op *runbook.Operation) string {
	return fmt.Sprintf("%p %s", b.find(ctx, op.Type(), schema.Probe), instance(place(ctx)))
}

// find is the mock that answers a call: a test's own before its file's, of these
// the one for the narrowest place.
func (b *backend) find(ctx context.Context, operation string, kind schema.Kind) *mock {
	var best *mock
	for _, m := range b.mocks {
		if m.operation == operation && m.says[kind] != nil && m.covers(plan.Places(ctx)) && (best == nil || m.own == best.own && len(m.at) > len(best.at)) {
			best = m // a test's own come first
		}
	}
	return best
}

// answer is what the mock of a call says now; false: there is none, which is a
// problem of the test.
func (b *backend) answer(ctx context.Context, operation string, kind schema.Kind) (answer, bool) {
	m := b.find(ctx, operation, kind)
	if m == nil {
		where := "the runbook"
		if places := plan.Places(ctx); len(places) > 0 {
			where = places[0]
		}
		b.fail(fmt.Sprintf("%s uses %s, which is not mocked. Write: mock %q { returns = { … } }", where, operation, operation))
		return answer{}, false
	}
	return m.says[kind].now(func(next after) bool {
		again := kind == schema.Action && next.action == operation
		return b.changed.seen(next.action, place(ctx), next.at) > 0 || again && b.acted.seen(operation, place(ctx), next.at) > 1
	}), true
}

// Preview implements plan.Backend: what the provider describes, with the mock's
// counts.
func (b *backend) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d, err := b.Describe(ctx, ref, op)
	if err != nil || d.Failure != nil {
		return d, err
	}
	operation := operationOf(ref, op)
	if b.talks(ctx, ref, op) {
		return d, nil
	}
	if spec := b.action(ctx, ref, op); spec != nil && spec.Previews {
		step, at := place(ctx), doer(ctx)
		subject := "preview"
		if at != step {
			subject += " of its " + deed(step, at)
		}
		b.reach(site{step: step, at: at, subject: subject})
		if b.goesWrong(at, PreviewFails) {
			return d, b.fault.failure()
		}
	}
	if a, ok := b.answer(ctx, operation, schema.Action); ok {
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
	a, ok := b.answer(ctx, operation, schema.Probe)
	if !ok {
		return schema.Outcome{State: schema.FailedClean, Failure: notMocked}, nil
	}
	if at := place(ctx); !b.asserted[at] {
		b.reach(site{step: at, at: at, subject: "capture"})
		if b.goesWrong(at, Errs) {
			return schema.Outcome{State: schema.FailedClean, Failure: b.fault.failure()}, nil
		}
	}
	if op.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = clock.WithTimeout(ctx, b.clock, op.Timeout, nil)
		defer cancel()
	}
	if err := b.clock.Sleep(ctx, a.takes); err != nil {
		return schema.Outcome{}, err
	}
	if a.fails != "" {
		return schema.Outcome{State: schema.FailedClean, Failure: failure(a.fails)}, nil
	}
	return schema.Outcome{State: schema.Done, Result: a.returns}, nil
}

// operationOf is an operation as people write it, whichever configuration of
// its provider it uses, in whichever frame.
func operationOf(ref string, op schema.Operation) string {
	if end := strings.IndexAny(ref, ".@"); end >= 0 {
		ref = ref[:end]
	}
	return ref + "." + op.Name
}
