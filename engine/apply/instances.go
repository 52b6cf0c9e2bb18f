package apply

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// liveEach takes a step with a for_each through its instances. It ends with the
// worst of them, and has no status while one waits for a person.
func (r *run) liveEach(t *task, s *state) {
	if len(s.instances) > 0 {
		r.liveTakenUp(t, s)
		return
	}
	r.recall(s)
	if s.status != "" {
		return // it had no instances in an earlier process
	}
	if s.frame.kept {
		r.keepEach(t, s)
		return
	}
	blocker := r.before(s)
	instances, gone, ok := r.instances(t, s, blocker)
	if !ok {
		return
	}
	for _, i := range instances {
		instance := s.frame.newState(s.step, s.step.Instance(i.Key), i.Extra())
		instance.order = s.order
		s.instances = append(s.instances, instance)
	}
	live := s.instances
	s.instances = append(slices.Clip(s.instances), gone...)
	width := len(live)
	if s.step.MaxParallel > 0 {
		width = min(width, s.step.MaxParallel)
	}
	next, left := 0, width
	r.busy(s.frame, width-1) // they are at work in its stead
	t.each(width, func(t *task, _ int) {
		for next < len(live) {
			i := live[next]
			next++
			if r.roll(t, s, i); i.status == "" {
				break // it keeps its place while it waits for a person
			}
		}
		if left--; left > 0 {
			r.busy(s.frame, -1)
		}
	})
	for _, i := range gone {
		r.lost(i)
	}
	statuses := make([]string, len(s.instances))
	for n, i := range s.instances {
		if i.status == "" {
			return
		}
		statuses[n], s.halts = i.status, either(s.halts, i.halts)
	}
	s.status = plan.Worst(statuses)
}

// keepEach takes up the instances of a step that is part of a call which has
// ended: they are those on record, whatever the for_each would say now.
func (r *run) keepEach(t *task, s *state) {
	var statuses []string
	var known []eval.Instance // of which what is taken back may need the values
	if t.aside(func() { known, _, _ = s.frame.observer.Scope.Instances(r.acts, s.step.ForEach) }) != nil {
		return
	}
	for _, key := range r.keys[s.address] {
		instance := eval.Instance{Key: key, Value: cty.NullVal(cty.DynamicPseudoType)}
		if n := slices.IndexFunc(known, func(i eval.Instance) bool { return i.Key == key }); n >= 0 {
			instance = known[n]
		}
		i := s.frame.newState(s.step, s.step.Instance(key), instance.Extra())
		i.order = s.order
		r.recall(i)
		s.instances, statuses = append(s.instances, i), append(statuses, i.status)
	}
	s.status = plan.Worst(statuses)
}

// roll takes one instance to its end. One that ends badly ends the roll.
func (r *run) roll(t *task, s, i *state) {
	r.recall(i)
	if s.rollEnd != "" && i.status == "" && i.last == nil {
		r.end(i, notRun, 1, s.rollEnd)
		r.keepOut(i)
		return
	}
	r.liveOne(t, i)
	if s.step.MaxParallel > 0 && i.status != "" && !i.well() {
		s.rollEnd = either(s.rollEnd, "the roll ended with "+i.address+", which ended "+i.status)
	}
}

// instances evaluates the for_each; ok is false where the step has ended with
// it. gone are instances on record that it does not have any more, and of which
// nobody knows what they did.
func (r *run) instances(t *task, s *state, blocker string) (instances []eval.Instance, gone []*state, ok bool) {
	begun := len(r.keys[s.address]) > 0 // how those on record ended may stand
	if blocker != "" && !s.step.Always && !begun {
		r.end(s, notRun, 1, blocker)
		return nil, nil, false
	}
	known, reason := true, ""
	if err := t.aside(func() {
		found, all, diags := s.frame.observer.Scope.Instances(r.context(s), s.step.ForEach)
		if instances, known = found, all; diags.HasErrors() {
			reason = "`for_each` cannot be evaluated: " + plan.Explain(diags)
		}
	}); err != nil {
		r.end(s, interrupted, 2, err.Error())
		return nil, nil, false
	}
	if reason == "" && !known {
		reason = "`for_each` needs a value that is not known"
	}
	gone = r.gone(s, instances)
	switch {
	case reason != "" && len(gone) == 0:
		r.end(s, blocked, 2, reason)
		return nil, nil, false
	case len(instances) == 0 && len(gone) == 0:
		r.end(s, skipped, 4, "its `for_each` is empty")
		return nil, nil, false
	}
	return instances, gone, true
}

// gone lists the instances with an open attempt on record that are none any more.
func (r *run) gone(s *state, instances []eval.Instance) []*state {
	var gone []*state
	for _, key := range r.begun[s.address] {
		if slices.ContainsFunc(instances, func(i eval.Instance) bool { return i.Key == key }) {
			continue
		}
		i := s.frame.newState(s.step, s.step.Instance(key), eval.Instance{Key: key, Value: cty.NullVal(cty.DynamicPseudoType)}.Extra())
		i.order = s.order
		switch r.recall(i); {
		case i.unclear():
			gone = append(gone, i)
		case i.status != "":
			i.extra.EachValue = cty.DynamicVal
			s.former = append(s.former, i)
		}
	}
	return gone
}

// lost settles an attempt of an instance that is none any more: without its
// value there is nothing to look at, so only a person can.
func (r *run) lost(i *state) {
	i.open = "its attempt has no known end, and the for_each does not have its key any more"
	word := r.opts.Resolve[i.address]
	delete(r.opts.Resolve, i.address)
	r.say(event.Event{Type: event.StepStarted, Step: i.address, Title: i.step.Title})
	switch word {
	case ResolveDone:
		i.open = ""
		r.end(i, done, 23, "said to be done by "+r.opts.Run.Operator)
	case ResolveFail:
		i.open = ""
		r.end(i, failed, 23, "said to have failed by "+r.opts.Run.Operator)
	default:
		r.end(i, unknown, 23, i.open+"; "+r.settleHint(i))
	}
}
