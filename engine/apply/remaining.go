package apply

import (
	"context"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Remaining is what the steps that have not ended well by the record would
// touch, as far as it is known before any of them begins: for the locks that a
// resume takes at once. It looks at nothing and says nothing. Of what is left
// out here, the locks are taken when its turn comes. The order is any.
func Remaining(ctx context.Context, opts Options) []schema.Effect {
	r := newRun(ctx, opts)
	defer r.cancelActs()
	r.replay(opts.History)
	for _, f := range r.root.all() {
		f.ahead = true
	}
	effects := make(map[schema.Effect]bool)
	r.remaining(r.root, func(found []schema.Effect) {
		for _, e := range found {
			effects[e] = true
		}
	})
	return slices.Collect(maps.Keys(effects))
}

// remaining visits the effects of the steps of a frame and of those below it.
func (r *run) remaining(f *frame, visit func([]schema.Effect)) {
	for _, step := range plan.Ordered(f.rb) { // what has ended is known to those after it
		s := f.steps[step.Index]
		if r.left(s) {
			continue
		}
		r.recall(s)
		if s.step.ForEach == nil {
			r.remains(s, visit)
			continue
		}
		instances, _, _ := f.observer.Scope.Instances(f.looks, s.step.ForEach) // what cannot be told yet has none
		for _, i := range instances {
			instance := f.newState(s.step, s.step.Instance(i.Key), i.Extra())
			s.instances = append(s.instances, instance)
			r.recall(instance)
			r.remains(instance, visit)
		}
	}
}

// remains visits the effects of what one step or instance may still do.
func (r *run) remains(s *state, visit func([]schema.Effect)) {
	if s.status != "" {
		r.remainsBack(s, visit)
		return
	}
	if s.last != nil {
		visit(s.last.Effects)
	}
	f := s.frame
	if f.takenBack() && !s.step.Always {
		return // it does not begin any more
	}
	if s.last == nil && s.step.When != nil && f.observer.When(f.looks, s.step, f.diagnosis, s.extra).Truth == plan.Fails {
		return
	}
	switch {
	case s.step.Call != nil:
		if called := f.called[s.address]; called != nil {
			r.remaining(called, visit)
		}
	case s.step.Action != nil:
		for ; ; s.fallback++ {
			d, _, _, err := f.observer.Describe(s.at(f.looks), s.action(), s.extra)
			if err == nil { // else it is said when its turn comes
				visit(d.Effects)
			}
			if s.fallback == len(s.step.Fallbacks) {
				break
			}
		}
		if back := r.wayBack(f.looks, s); back != nil {
			visit(back.Effects)
		}
	}
}

// remainsBack visits the effects of taking back what a step or instance did, which
// may still come.
func (r *run) remainsBack(s *state, visit func([]schema.Effect)) {
	f := s.frame
	switch {
	case s.status == rolledBack:
	case s.step.Call != nil:
		if called := f.called[s.address]; called != nil {
			r.remaining(called, visit)
		}
	case s.step.Rollback != nil && s.changed():
		s.rolling = true
		if d, _, _, err := f.observer.Describe(s.at(f.looks), s.action(), s.sees()); err == nil {
			visit(d.Effects)
		}
		s.rolling = false
	}
}

// foretold is step.NAME for a frame that only looks ahead: of a step that has
// not ended it is not known, nor of a call, whose outputs are not on record.
func (s *state) foretold() cty.Value {
	if s.step.Call != nil {
		return cty.DynamicVal
	}
	for _, i := range s.all() {
		if i.status == "" {
			return cty.DynamicVal
		}
	}
	return s.value()
}
