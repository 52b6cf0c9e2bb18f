package plan

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Options is what Make needs beside the frames.
type Options struct {
	Run     eval.Run
	Backend Backend
	Schemas Schemas
	Clock   clock.Clock // bounds looks; nil: the machine's
	Offline bool
	// Locked tells which other run holds what these effects would write; nil or
	// an empty answer: none.
	Locked func([]schema.Effect) string
	// Refused is why apply would not begin now; empty: it would.
	Refused string
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
func Make(ctx context.Context, frame *eval.Frame, opts Options) (*Plan, error) {
	rb := frame.Runbook
	m := &maker{
		opts: opts,
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
	m.root = m.newLevel(frame, nil)
	m.diagnose(ctx)
	var leftOut []string
	for _, step := range Ordered(rb) {
		if opts.Only != nil && !opts.Only[step.Address()] {
			leftOut = append(leftOut, step.Address())
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		m.root.steps[step.Name] = m.root.stand(ctx, step)
	}
	if len(leftOut) > 0 {
		m.plan.Warnings = append(m.plan.Warnings, "not all of the runbook, because of --target: "+strings.Join(leftOut, ", ")+" left out")
	}
	m.finish(ctx)
	return m.plan, nil
}

// maker holds one plan while it is made.
type maker struct {
	opts  Options
	round Round // one for the whole plan: it is one look at the systems
	root  *level
	plan  *Plan

	instances int // of all steps with a for_each
}

// diagnose looks at the checks that expressions read, of all frames together.
func (m *maker) diagnose(ctx context.Context) {
	levels := []*level{m.root}
	for i := 0; i < len(levels); i++ {
		levels = append(levels, levels[i].calls...)
	}
	clock.Together(m.root.observer.clock(), len(levels), func(i int) {
		levels[i].diagnosis = Diagnose(ctx, levels[i].observer, &m.round)
	})
}

// forced tells whether a step is to act though its goals hold.
func (m *maker) forced(s *standing) bool {
	return m.opts.Force[s.said.Address] || m.opts.Force[s.frame.Under(s.step.Address())]
}

func (m *maker) finish(ctx context.Context) {
	p := m.plan
	acts, blocks := false, false
	effects := make(map[schema.Effect][]string)
	p.Steps = make([]Step, 0, len(m.root.frame.Runbook.Steps))
	m.root.each(func(s *standing) {
		said := s.said
		p.Steps = append(p.Steps, said)
		switch Verdict(said.Decision) {
		case Run, Deferred:
			acts = acts || s.step.Action != nil
		case Block:
			blocks = blocks || said.Row != 1
		}
		said.touches(func(by string, touched []schema.Effect) {
			for _, e := range touched {
				effects[e] = append(effects[e], by)
			}
		})
	})
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
	m.root.all(func(l *level) {
		p.Diagnosis = append(p.Diagnosis, l.diagnosis.Said()...)
		p.Warnings = append(p.Warnings, l.diagnosis.warnings()...)
	})
	p.Warnings = append(p.Warnings, unordered(m)...)
	m.notices(ctx)
	if m.opts.Refused != "" {
		p.Warnings = append(p.Warnings, "apply would be refused now: "+m.opts.Refused)
	}
	p.Outputs = m.root.outputs(ctx)
	p.Digest = Digest(p)
}

// Stopper is the first step whose block keeps apply from doing anything at
// all, or nil. A block in a called runbook does so only where each runbook up to
// the outermost would stop for it.
func Stopper(p *Plan) *Step {
	stops := make(map[string]bool, len(p.Steps))
	for i := range p.Steps { // callers come before what they call
		s := &p.Steps[i]
		policy := runbook.OnFailure(s.OnFailure)
		stops[s.Address] = policy != runbook.Continue && policy != runbook.Ignore && (s.Caller == "" || stops[s.Caller])
		if s.Decision == string(Block) && s.From == "" && stops[s.Address] {
			return s
		}
	}
	return nil
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
