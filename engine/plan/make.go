package plan

import (
	"context"
	"fmt"
	"sort"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Options is what Make needs beside the runbook.
type Options struct {
	Variables map[string]cty.Value
	Run       eval.Run
	Backend   Backend
	Schemas   Schemas
	Clock     clock.Clock // bounds looks; nil: the machine's
	Offline   bool
	// Locked tells which other run holds what these effects would write; nil or
	// an empty answer: none.
	Locked func([]schema.Effect) string
	// Progress, if set, is told each step before it is looked at.
	Progress func(address string)
	// Only, if set, limits the plan to these steps.
	Only map[string]bool
	// Force names steps that act though their goals hold.
	Force map[string]bool
}

// Make looks at every step once and says what would happen. Mistakes of the
// author that only a look can find make the step blocked; they are not errors
// of Make.
func Make(ctx context.Context, rb *runbook.Runbook, opts Options) (*Plan, error) {
	m := &maker{
		rb:    rb,
		opts:  opts,
		steps: make(map[string]*standing, len(rb.Steps)),
		plan: &Plan{
			FormatVersion: FormatVersion,
			Runbook:       rb.Name,
			Title:         rb.Title,
			File:          rb.File,
			CreatedAt:     opts.Run.StartedAt,
			Operator:      opts.Run.Operator,
			Environment:   opts.Run.Environment,
		},
	}
	m.observer = &Observer{Runbook: rb, Values: m, Schemas: opts.Schemas, Backend: opts.Backend, Clock: opts.Clock, Offline: opts.Offline}
	m.observer.Scope = eval.New(rb, opts.Variables, opts.Run, m)
	m.diagnosis = Diagnose(ctx, m.observer, &m.round)
	for _, step := range Ordered(rb) {
		if opts.Only != nil && !opts.Only[step.Address()] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		if opts.Progress != nil {
			opts.Progress(step.Address())
		}
		m.steps[step.Name] = m.stand(ctx, step)
	}
	m.finish(ctx)
	return m.plan, nil
}

// maker holds one plan while it is made.
type maker struct {
	rb        *runbook.Runbook
	opts      Options
	observer  *Observer
	round     Round // one for the whole plan: it is one look at the systems
	diagnosis *Diagnosis
	steps     map[string]*standing
	plan      *Plan
}

// standing is where a step stands once it has been decided.
type standing struct {
	step    *runbook.Step
	said    Step
	bad     string // row 1 for those that need it; empty: it does not end badly
	halts   string // row 1 for all that comes after it
	pending string // the nearest step that acts or is deferred first, itself included
	value   cty.Value
}

func (m *maker) stand(ctx context.Context, step *runbook.Step) *standing {
	s := &standing{step: step}
	s.said = Step{
		Address:       step.Address(),
		Title:         step.Title,
		OnFailure:     string(step.OnFailure),
		Effects:       []schema.Effect{},
		Preconditions: notLooked(m.observer, step.Preconditions),
		Goals:         notLooked(m.observer, step.Goals),
		Verify:        notLooked(m.observer, step.Verifies),
	}
	for _, e := range step.Edges {
		if e.Kind == runbook.Need {
			s.said.DependsOn = append(s.said.DependsOn, e.To.Address())
		}
	}
	if step.Action != nil {
		s.said.Action = step.Action.Type()
	}
	if step.Probe != nil {
		s.said.Probe = step.Probe.Type()
	}
	facts := Facts{Phase: Planning, Step: step}
	facts.Blocker, facts.Pending = m.before(s)
	look := &looker{maker: m, standing: s}
	decision := Decide(facts)
	for decision.Verdict == Look {
		look.learn(ctx, decision.Want, &facts)
		decision = Decide(facts)
	}
	m.settle(ctx, s, decision, facts, look)
	return s
}

// before reads row 1 and what is pending off the steps this one comes after.
func (m *maker) before(s *standing) (blocker, pending string) {
	for _, e := range s.step.Edges {
		to := m.steps[e.To.Name]
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
			s.halts = to.halts
		}
		if pending == "" {
			pending = to.pending
		}
	}
	return blocker, pending
}

func (m *maker) settle(ctx context.Context, s *standing, d Decision, facts Facts, look *looker) {
	s.said.Decision = string(d.Verdict)
	s.said.Row = d.Row
	s.said.Tentative = d.Tentative
	s.said.Reason = d.Reason
	s.said.Approval = d.Asks
	s.said.Warnings = append(s.said.Warnings, d.Warnings...)
	s.pending = facts.Pending
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
	}
	if d.Verdict == Block {
		s.bad = fmt.Sprintf("%s, which is blocked", s.said.Address)
		if d.Row != 1 {
			s.bad += ": " + d.Reason
		}
		if halting(s.step.OnFailure) && s.halts == "" {
			s.halts = "it comes after " + s.bad
		}
		if s.step.OnFailure == runbook.Ignore {
			s.bad, s.halts = "", ""
		}
	}
	s.value = look.value(d)
}

func halting(p runbook.OnFailure) bool { return p == runbook.Stop || p == runbook.Rollback }

// Step implements eval.Values.
func (m *maker) Step(name string) cty.Value {
	if s := m.steps[name]; s != nil && s.value != cty.NilVal {
		return s.value
	}
	return cty.DynamicVal
}

// Check implements eval.Values.
func (m *maker) Check(name string) cty.Value { return m.diagnosis.Value(name) }

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
	if a = o.resolve(a); a.Probe != nil {
		return a.Probe.Type()
	}
	return ""
}

func (m *maker) finish(ctx context.Context) {
	p := m.plan
	acts, blocks := false, false
	effects := make(map[schema.Effect][]string)
	p.Steps = make([]Step, 0, len(m.rb.Steps))
	for _, step := range m.rb.Steps {
		s := m.steps[step.Name]
		if s == nil {
			continue
		}
		said := s.said
		p.Steps = append(p.Steps, said)
		switch Verdict(said.Decision) {
		case Run, Deferred:
			acts = acts || step.Action != nil
		case Block:
			blocks = blocks || said.Row != 1
		}
		for _, e := range said.Effects {
			effects[e] = append(effects[e], said.Address)
		}
	}
	p.Outcome = NothingToDo
	if acts {
		p.Outcome = Changes
	}
	if stopper := Stopper(p); stopper != nil || blocks && !acts {
		p.Outcome = Blocked
	}
	for e, steps := range effects {
		p.BlastRadius = append(p.BlastRadius, Effect{Effect: e, Steps: steps})
	}
	sort.Slice(p.BlastRadius, func(i, j int) bool {
		a, b := p.BlastRadius[i], p.BlastRadius[j]
		return a.Resource < b.Resource || a.Resource == b.Resource && a.Mode < b.Mode
	})
	p.Diagnosis = m.diagnosis.Said()
	p.Warnings = append(m.diagnosis.warnings(), unordered(m)...)
	p.Outputs = m.outputs(ctx)
	p.Digest = Digest(p)
}

// Stopper is the first step whose block keeps apply from doing anything at
// all, or nil.
func Stopper(p *Plan) *Step {
	for i := range p.Steps {
		s := &p.Steps[i]
		policy := runbook.OnFailure(s.OnFailure)
		if s.Decision == string(Block) && policy != runbook.Continue && policy != runbook.Ignore {
			return s
		}
	}
	return nil
}

func (m *maker) outputs(ctx context.Context) []Output {
	outputs := make([]Output, 0, len(m.rb.Outputs))
	for _, o := range m.rb.Outputs {
		out := Output{Name: o.Name}
		v, diags := m.observer.Scope.Value(ctx, o.Value, cty.DynamicPseudoType, eval.Extra{})
		if !diags.HasErrors() && v.IsWhollyKnown() {
			out.Known = true
			out.Value = Plain(v, o.Sensitive)
		}
		outputs = append(outputs, out)
	}
	return outputs
}

// Plain turns a value into what encoding/json prints, sensitive parts as
// "(sensitive)". An unknown value becomes nil.
func Plain(v cty.Value, sensitive bool) any {
	if sensitive || v.HasMark(redact.Sensitive) {
		return "(sensitive)"
	}
	v, _ = v.Unmark()
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return nil
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString()
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		f := v.AsBigFloat()
		if i, exact := f.Int64(); exact == 0 {
			return i
		}
		n, _ := f.Float64()
		return n
	case t.IsObjectType() || t.IsMapType():
		object := make(map[string]any)
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			object[k.AsString()] = Plain(e, false)
		}
		return object
	}
	list := []any{}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		list = append(list, Plain(e, false))
	}
	return list
}

// unordered warns of actions with conflicting effects that no edge orders. Only
// steps with written dependencies can be unordered.
func unordered(m *maker) []string {
	type actor struct {
		step *runbook.Step
		said *Step
	}
	var actors []actor
	free := false
	for _, step := range m.rb.Steps {
		s := m.steps[step.Name]
		if s == nil || len(s.said.Effects) == 0 {
			continue
		}
		actors = append(actors, actor{step, &s.said})
	}
	for _, step := range m.rb.Steps {
		free = free || step.Index > 0 && !follows(step, m.rb.Steps[step.Index-1])
	}
	if !free || len(actors) > 200 { // all pairs: bounded, and beyond that apply's own exclusion still holds
		return nil
	}
	var warnings []string
	for i, a := range actors {
		for _, b := range actors[i+1:] {
			resource, conflict := Conflict(a.said.Effects, b.said.Effects)
			if conflict && !reaches(b.step, a.step) && !reaches(a.step, b.step) {
				warnings = append(warnings, fmt.Sprintf("%s and %s both touch %s and nothing orders them: they will not overlap, but either may be first", a.said.Address, b.said.Address, resource))
			}
		}
	}
	return warnings
}

func follows(step, earlier *runbook.Step) bool {
	for _, e := range step.Edges {
		if e.To == earlier {
			return true
		}
	}
	return false
}

func reaches(from, to *runbook.Step) bool {
	seen := make(map[*runbook.Step]bool)
	stack := []*runbook.Step{from}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s == to {
			return true
		}
		if seen[s] {
			continue
		}
		seen[s] = true
		for _, e := range s.Edges {
			stack = append(stack, e.To)
		}
	}
	return false
}
