package plan

import (
	"context"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// level is one frame of a plan while it is made.
type level struct {
	*maker
	frame     *eval.Frame
	inside    *standing // the call whose steps these are; nil: the outermost
	calls     []*level  // of frame.Calls, in order
	called    map[string]*level
	observer  *Observer
	diagnosis *Diagnosis
	steps     map[string]*node
	kept      bool // out: the call whose steps these are does not come to calling
}

// newLevel makes the level of a frame and of all that it calls.
func (m *maker) newLevel(frame *eval.Frame, inside *standing) *level {
	l := &level{maker: m, frame: frame, inside: inside, called: make(map[string]*level), steps: make(map[string]*node, len(frame.Runbook.Steps))}
	l.observer = &Observer{Frame: frame, Values: l, Schemas: m.opts.Schemas, Backend: m.opts.Backend, Clock: m.opts.Clock, Offline: m.opts.Offline}
	l.observer.Scope = eval.New(frame.Runbook, frame.Variables, m.opts.Run, l)
	for _, called := range frame.Called() {
		inner := m.newLevel(called, nil)
		l.calls = append(l.calls, inner)
		l.called[called.Address] = inner
	}
	return l
}

// node is what has been decided of a step: of itself, or of its instances.
type node struct {
	step      *runbook.Step
	instances []*standing
	known     bool   // which instances there are is known
	bad       string // row 1 for those that need it; empty: it does not end badly
	halts     string // row 1 for all that comes after it
	pending   string // the nearest step that acts or is deferred first, itself included
}

// standing is where a step, or one instance of it, stands once it is decided.
type standing struct {
	*level
	step    *runbook.Step
	key     string     // of the instance; meant where extra has one
	extra   eval.Extra // what its expressions see of the instance
	said    Step
	bad     string
	halts   string
	pending string
	value   cty.Value
}

// each visits what has been decided, in source order, callers before what they
// call.
func (l *level) each(visit func(*standing)) {
	for _, step := range l.frame.Runbook.Steps {
		n := l.steps[step.Name]
		if n == nil {
			continue // not part of this plan
		}
		for _, s := range n.instances {
			visit(s)
			if inner := l.called[s.said.Address]; step.Call != nil && inner != nil {
				inner.each(visit)
			}
		}
	}
}

// all visits this level and those below it.
func (l *level) all(visit func(*level)) {
	visit(l)
	for _, inner := range l.calls {
		inner.all(visit)
	}
}

// maxInstances bounds those of all steps together.
const maxInstances = 10_000

// stand decides a step.
func (l *level) stand(ctx context.Context, step *runbook.Step) *node {
	n := &node{step: step, known: true}
	blocker, pending := l.before(n)
	if step.ForEach == nil {
		n.add(l.standOne(ctx, n, l.newStanding(step, step.Address()), blocker, pending))
		return n
	}
	alone := func(address string, d Decision, x eval.Extra) *node {
		s := l.newStanding(step, address)
		s.extra = x
		l.settle(ctx, s, d, Facts{Pending: pending}, &looker{level: l, standing: s})
		n.add(s)
		return n
	}
	if blocker != "" && !step.Always {
		return alone(step.Address(), Decision{Row: 1, Verdict: Block, Reason: blocker}, eval.Extra{})
	}
	instances, known, diags := l.observer.Scope.Instances(ctx, step.ForEach)
	switch {
	case diags.HasErrors():
		return alone(step.Address(), Decision{Row: 2, Verdict: Block, Reason: "`for_each` cannot be evaluated: " + Explain(diags)}, eval.Extra{})
	case !known:
		n.known = false
		return alone(step.Unknown(), Decision{Row: 2, Verdict: Deferred, Reason: "which instances there are is known once earlier steps have run"},
			eval.Extra{EachKey: cty.UnknownVal(cty.String), EachValue: cty.DynamicVal})
	case len(instances) == 0:
		return alone(step.Address(), Decision{Row: 4, Verdict: Skipped, Reason: "its `for_each` is empty"}, eval.Extra{})
	}
	if l.instances += len(instances); l.instances > maxInstances {
		return alone(step.Address(), Decision{Row: 2, Verdict: Block, Reason: fmt.Sprintf("with its %d instances the plan has more than %d: let one instance work on many elements", len(instances), maxInstances)}, eval.Extra{})
	}
	for _, i := range instances {
		s := l.newStanding(step, step.Instance(i.Key))
		s.key, s.extra = i.Key, i.Extra()
		n.add(l.standOne(ctx, n, s, blocker, pending))
	}
	return n
}

func (n *node) add(s *standing) {
	n.instances = append(n.instances, s)
	n.bad, n.halts, n.pending = either(n.bad, s.bad), either(n.halts, s.halts), either(n.pending, s.pending)
}

func (l *level) newStanding(step *runbook.Step, address string) *standing {
	s := &standing{level: l, step: step}
	s.said = Step{
		Address:       l.frame.Under(address),
		Title:         step.Title,
		OnFailure:     string(step.OnFailure),
		NoReturn:      step.NoReturn,
		Effects:       []schema.Effect{},
		Preconditions: notLooked(l.observer, step.Preconditions),
		Goals:         notLooked(l.observer, step.Goals),
		Verify:        notLooked(l.observer, step.Verifies),
	}
	if l.inside != nil {
		s.said.Caller = l.inside.said.Address
	}
	for _, e := range step.Edges {
		if e.Kind == runbook.Need {
			s.said.DependsOn = append(s.said.DependsOn, l.frame.Under(e.To.Address()))
		}
	}
	switch {
	case step.Action != nil:
		s.said.Action = step.Action.Type()
	case step.Probe != nil:
		s.said.Probe = step.Probe.Type()
	case step.Call != nil:
		s.said.Call = step.Call.File
	}
	return s
}

// standOne walks the table for a step or one instance.
func (l *level) standOne(ctx context.Context, n *node, s *standing, blocker, pending string) *standing {
	if l.opts.Progress != nil {
		l.opts.Progress(s.said.Address)
	}
	s.halts = n.halts
	facts := Facts{Phase: Planning, Step: s.step, Blocker: blocker, Pending: pending}
	look := &looker{level: l, standing: s}
	decision := Decide(facts)
	for decision.Verdict == Look {
		look.learn(ctx, decision.Want, &facts)
		decision = Decide(facts)
	}
	if s.step.Call != nil {
		decision = l.standCall(ctx, s, decision, pending)
	}
	l.settle(ctx, s, decision, facts, look)
	return s
}

// before reads row 1 and what is pending off the steps that a step comes after,
// and what is pending off the call that it is the inside of.
func (l *level) before(n *node) (blocker, pending string) {
	for _, e := range n.step.Edges {
		to := l.steps[e.To.Name]
		if to == nil {
			continue // not part of this plan
		}
		switch {
		case to.bad != "" && e.Kind == runbook.Need:
			blocker = either(blocker, "it needs "+to.bad)
		case to.halts != "" && (e.Kind != runbook.Need || to.bad == ""):
			blocker = either(blocker, to.halts)
		}
		if to.halts != "" {
			n.halts = to.halts
		}
		pending = either(pending, to.pending)
	}
	if l.inside != nil {
		pending = either(pending, l.inside.pending)
	}
	return blocker, pending
}

func (l *level) settle(ctx context.Context, s *standing, d Decision, facts Facts, look *looker) {
	s.said.Decision = string(d.Verdict)
	s.said.Row = d.Row
	s.said.Tentative = d.Tentative
	s.said.Reason = d.Reason
	s.said.Approval = d.Asks
	s.said.Warnings = append(s.said.Warnings, d.Warnings...)
	s.pending = either(facts.Pending, s.pending)
	acts := s.step.Action != nil && d.Verdict == Run
	// Whether it acts is only known once earlier steps have run: what it would
	// touch then is part of the plan, and locked with the rest.
	may := s.step.Action != nil && (d.Verdict == Deferred || d.Verdict == Satisfied && d.Tentative)
	if acts || may || d.Verdict == Deferred {
		s.pending = s.said.Address
	}
	switch {
	case may:
		look.learnArguments(ctx, &s.said)
	case !acts:
		tell(&s.said, schema.Description{})
		s.said.Fallbacks, s.said.Rollback = nil, nil
	case d.Tentative && hitsNothing(s.said.Impact):
		// Of the world before earlier steps have acted; a count of 0 would say that
		// it stays so.
		s.said.Impact = schema.Impact{}
	}
	// What a step before it does to those after it is not this step's to ignore.
	own := d.Row != 1
	if d.Verdict == Block && !(own && s.step.OnFailure == runbook.Ignore) {
		s.bad = s.said.Address + ", which is blocked"
		if halting(s.step.OnFailure) && s.halts == "" {
			s.halts = "it comes after " + s.bad
		}
	}
	s.value = look.value(ctx, d)
}

func halting(p runbook.OnFailure) bool { return p == runbook.Stop || p == runbook.RollBack }

// Step implements eval.Values.
func (l *level) Step(name string) cty.Value {
	n := l.steps[name]
	switch {
	case n == nil || !n.known:
		return cty.DynamicVal
	case n.step.ForEach == nil:
		return n.instances[0].value
	}
	object := make(map[string]cty.Value, len(n.instances))
	for _, s := range n.instances {
		if s.extra.EachKey != cty.NilVal {
			object[s.key] = s.value
		}
	}
	return cty.ObjectVal(object)
}

// Status implements eval.Values.
func (l *level) Status(name string) cty.Value {
	n := l.steps[name]
	if n == nil || !n.known {
		return cty.UnknownVal(cty.String)
	}
	statuses := make([]string, len(n.instances))
	for i, s := range n.instances {
		v := s.value.GetAttr("status")
		if !v.IsKnown() {
			return v
		}
		statuses[i] = v.AsString()
	}
	return cty.StringVal(Worst(statuses))
}

// Check implements eval.Values.
func (l *level) Check(name string) cty.Value { return l.diagnosis.Value(name) }

// notLooked lists assertions that nobody has looked at yet.
func notLooked(o *Observer, assertions []*runbook.Assertion) []Check {
	checks := make([]Check, len(assertions))
	for i, a := range assertions {
		checks[i] = Check{Name: a.Name, Probe: probeOf(o, a)}
	}
	return checks
}

// probeOf names what an assertion asks in the end; empty where it is no one
// probe.
func probeOf(o *Observer, a *runbook.Assertion) string {
	if a = o.follow(a); a.Probe != nil {
		return a.Probe.Type()
	}
	return ""
}

// value is step.NAME as later steps may read it while planning: known only
// where running cannot change it.
func (l *looker) value(ctx context.Context, d Decision) cty.Value {
	step := l.standing.step
	object := map[string]cty.Value{
		"status":      cty.UnknownVal(cty.String),
		"started_at":  cty.UnknownVal(cty.String),
		"finished_at": cty.UnknownVal(cty.String),
		"result":      cty.DynamicVal,
		"goal":        cty.DynamicVal,
		"verify":      cty.DynamicVal,
	}
	certain := !d.Tentative
	switch {
	case d.Verdict == Run && step.Probe != nil && certain:
		object["result"] = l.captured
	case (d.Verdict == Satisfied || d.Verdict == Skipped || d.Verdict == Block) && certain:
		object["status"] = cty.StringVal(string(d.Verdict))
		object["result"] = cty.NullVal(cty.DynamicPseudoType)
		object["verify"] = cty.EmptyObjectVal
		object["goal"] = Sightings(step.Goals, l.goals)
		if inner := l.called[l.standing.said.Address]; step.Call != nil && d.Verdict == Satisfied && inner.begun() {
			object["result"] = Outputs(ctx, inner.frame, inner.observer.Scope, nil)
		}
	}
	return cty.ObjectVal(object)
}

func hitsNothing(counted schema.Impact) bool {
	for _, n := range counted {
		if n > 0 {
			return false
		}
	}
	return true
}
