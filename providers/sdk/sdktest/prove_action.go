package sdktest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// action proves one line of the table, each promise in a subtest of its own.
func (p *prover) action(t *testing.T, c ActionProof) {
	op := p.schema.Operation(schema.Action, c.Name)
	if op == nil {
		t.Fatalf("provider %s has no action %q", p.schema.Name, c.Name)
	}
	a := &actor{prover: p, ActionProof: c, op: op}
	t.Run("describe", a.describes)
	if c.Fails != "" {
		t.Run("fail", a.fails)
		return
	}
	t.Run("preview and act", a.previews)
	t.Run("limit", a.limits)
	t.Run("refuse", a.refuses)
	t.Run("cancel", a.cancels)
	switch c.Class {
	case schema.Idempotent:
		t.Run("idempotent", a.idempotent)
	case schema.Keyed:
		t.Run("keyed", a.keyed)
	case schema.Observed:
		t.Run("observed", a.observed)
	case schema.Manual:
		t.Run("manual", a.manual)
	default:
		t.Errorf("%q is no class", c.Class)
	}
}

type actor struct {
	*prover
	ActionProof
	op *schema.OperationSchema
}

// run acts; more options come after the proof's own.
func (a *actor) run(s *session, opts ...Option) schema.Outcome {
	s.t.Helper()
	return s.act(a.Name, a.Args, append(slices.Clone(a.Options), opts...)...)
}

// ready sets the backend up and says what it then holds.
func (a *actor) ready(t *testing.T) any {
	t.Helper()
	setup(t, a.Setup)
	return a.World(t)
}

// succeed checks that the outcome is a success.
func succeed(t *testing.T, o schema.Outcome) {
	t.Helper()
	if o.State != schema.Done {
		t.Fatalf("it is not done: %s", told(o))
	}
	if held := asMap(t, o); held["ok"] != true {
		t.Errorf("it is done and not ok: %v", held["summary"])
	}
}

func (a *actor) describes(t *testing.T) {
	s := a.shared(t)
	before := a.ready(t)
	d := s.describe(a.Name, a.Args, a.Options...)
	switch {
	case d.Failure != nil:
		t.Fatalf("it is described as impossible: %v", d.Failure)
	case d.Settling != a.Class:
		t.Errorf("it is described as %s", d.Settling)
	case d.Destructive != a.Destroys:
		t.Errorf("it is described as destructive: %t", d.Destructive)
	}
	if d.Summary == "" && len(d.Command) == 0 {
		t.Error("it tells a reader neither by a summary nor by a command what it does")
	}
	a.says(t, d)
	unknown := map[string]any{}
	for _, argument := range a.op.Arguments.Attributes {
		unknown[argument.Name] = cty.UnknownVal(argument.Type.WithoutOptionalAttributesDeep())
	}
	vague := s.describe(a.Name, unknown)
	if vague.Failure != nil || vague.Destructive != a.op.MayDestroy {
		t.Errorf("of arguments that are not known it says: destructive %t, %v", vague.Destructive, vague.Failure)
	}
	a.says(t, vague)
	if diff := cmp.Diff(before, a.World(t)); diff != "" {
		t.Errorf("Describe changed something (-before +after):\n%s", diff)
	}
}

// says checks what no description may keep quiet.
func (a *actor) says(t *testing.T, d schema.Description) {
	t.Helper()
	deletes := slices.ContainsFunc(d.Effects, func(e schema.Effect) bool { return e.Mode == schema.Delete })
	if deletes && !d.Destructive {
		t.Errorf("it deletes and is not called destructive: %v", d.Effects)
	}
}

// previews: what was foretold is what was done.
func (a *actor) previews(t *testing.T) {
	s := a.shared(t)
	before := a.ready(t)
	var foretold schema.Description
	if a.op.Previews {
		a.unchanged(t, "Preview", func() { foretold = s.preview(a.Name, a.Args, a.Options...) })
		if foretold.Failure != nil {
			t.Fatalf("the preview failed: %v", foretold.Failure)
		}
	}
	o := a.run(s)
	succeed(t, o)
	if cmp.Equal(before, a.World(t)) != a.Unseen {
		t.Errorf("whether it changed anything that World shows should be %t", !a.Unseen)
	}
	did := a.did(t, o)
	for unit, n := range foretold.Impact {
		if slices.Contains(a.Estimates, unit) {
			continue
		}
		if got, known := did[unit]; !known || got != n {
			t.Errorf("%d %s were foretold, and %v were hit: %d", n, unit, known, got)
		}
	}
}

// did is what the action did by its result.
func (a *actor) did(t *testing.T, o schema.Outcome) schema.Impact {
	t.Helper()
	result := asMap(t, o)
	if a.Did != nil {
		return a.Did(t, result)
	}
	did := schema.Impact{}
	for _, unit := range a.op.Counts {
		if n, ok := result[unit].(int); ok {
			did[unit] = int64(n)
		}
	}
	return did
}

// fails: what is there to fail does, and changes nothing.
func (a *actor) fails(t *testing.T) {
	s := a.shared(t)
	setup(t, a.Setup)
	a.unchanged(t, "the failure", func() {
		if o := a.run(s); o.State != schema.FailedClean || o.Failure.Code != a.Fails {
			t.Errorf("it does not fail with %s: %s", a.Fails, told(o))
		}
	})
}

// limits: of what an action enforces, one less than it would hit stops it.
func (a *actor) limits(t *testing.T) {
	if len(a.op.Enforces) == 0 {
		return
	}
	s := a.shared(t)
	setup(t, a.Setup)
	did := a.did(t, a.run(s))
	for _, unit := range a.op.Enforces {
		n := did[unit]
		if n == 0 {
			t.Errorf("it hits no %s: nothing is proved of its limit", unit)
			continue
		}
		setup(t, a.Setup)
		a.unchanged(t, fmt.Sprintf("a limit of %d %s", n-1, unit), func() { refused(t, a.run(s, Limit(unit, n-1)), "limit_exceeded") })
		succeed(t, a.run(s, Limit(unit, n)))
	}
}

func (a *actor) refuses(t *testing.T) {
	s := a.shared(t)
	for _, r := range a.Refused {
		setup(t, r.Setup, a.Setup)
		a.unchanged(t, r.Code, func() { refused(t, s.act(a.Name, r.Args, a.Options...), r.Code) })
	}
}

// cancels: an end that is called clean is clean, and the backend works on at
// nothing.
func (a *actor) cancels(t *testing.T) {
	s := a.shared(t)
	before := a.ready(t)
	over, end := context.WithCancel(t.Context())
	end()
	o := a.run(s, Context(over))
	a.honest(t, before, o)
	if a.Slow == nil {
		return
	}
	setup(t, a.Slow.Setup, a.Setup)
	before = a.World(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	outcome := make(chan schema.Outcome, 1)
	go func() { outcome <- s.act(a.Name, a.Slow.Args, append(slices.Clone(a.Options), Context(ctx))...) }()
	a.midway(t, outcome)
	cancel()
	o = <-outcome
	if o.State == schema.Done {
		t.Error("it was cancelled in the middle and says that it is done")
	}
	await(t, "the backend stops working", func() bool { return !a.Slow.Working(t) })
	a.honest(t, before, o)
}

// midway waits until the backend is at work.
func (a *actor) midway(t *testing.T, outcome chan schema.Outcome) {
	t.Helper()
	await(t, "it works", func() bool {
		if a.Slow.Working(t) {
			return true
		}
		select {
		case o := <-outcome:
			t.Fatalf("it was over before it was seen at work: %s", told(o))
		default:
		}
		return false
	})
}

// honest: what is called clean has changed nothing.
func (a *actor) honest(t *testing.T, before any, o schema.Outcome) {
	t.Helper()
	if o.State != schema.FailedClean {
		return
	}
	if diff := cmp.Diff(before, a.World(t)); diff != "" {
		t.Errorf("it says %s, and something has changed (-before +after):\n%s", told(o), diff)
	}
}
