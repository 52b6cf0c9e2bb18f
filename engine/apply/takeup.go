package apply

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
)

// resumeBack goes on with taking back what a frame's steps did, which an earlier
// process or a person has decided: all steps are where the record left them, what
// is open is settled, and then it is done.
func (r *run) resumeBack(t *task, f *frame) {
	r.takeUp(t, f)
	f.backward = backUnderWay
	r.settleOpen(t, f)
	f.backward = r.takeBack(t, f)
}

// takeUp brings the steps of a frame, and of those below it, to where the record
// left them, the instances of a for_each as they are on record. Without a task it
// runs by itself, outside of a loop.
func (r *run) takeUp(t *task, f *frame) {
	for _, step := range plan.Ordered(f.rb) { // what has ended is known to those after it
		s := f.steps[step.Index]
		r.recall(s)
		if step.ForEach != nil && len(r.keys[s.address]) > 0 {
			r.takeUpEach(s)
		}
		for _, i := range s.all() {
			r.recapture(t, i)
			called := f.called[i.address]
			if called == nil || i.status == "" && !r.calls[i.address] {
				continue // it has not begun
			}
			i.inner, called.backward = called, backOver // with the frame around it
			r.takeUp(t, called)
			i.result = plan.Outputs(r.acts, called.linked, called.observer.Scope, nil)
		}
	}
}

// takeUpEach takes up the instances of a step: those that it has, and those on
// record that it has not any more, whose value nobody knows.
func (r *run) takeUpEach(s *state) {
	instances, _, _ := s.frame.observer.Scope.Instances(r.acts, s.step.ForEach)
	for _, key := range r.keys[s.address] {
		if !slices.ContainsFunc(instances, func(i eval.Instance) bool { return i.Key == key }) {
			instances = append(instances, eval.Instance{Key: key, Value: cty.DynamicVal})
		}
	}
	for _, i := range instances {
		instance := s.frame.newState(s.step, s.step.Instance(i.Key), i.Extra())
		instance.order = s.order
		r.recall(instance)
		s.instances = append(s.instances, instance)
	}
}

// liveTakenUp takes the instances that takeUp has made to their ends.
func (r *run) liveTakenUp(t *task, s *state) {
	statuses := make([]string, len(s.instances))
	for n, i := range s.instances {
		if i.status == "" {
			r.liveOne(t, i)
		}
		if i.status == "" {
			return
		}
		statuses[n], s.halts = i.status, either(s.halts, i.halts)
	}
	s.status = plan.Worst(statuses)
}

// recapture looks again at a capture whose value is sensitive, so not on record:
// what is taken back may need it.
func (r *run) recapture(t *task, s *state) {
	if s.step.Probe == nil || s.status != done || s.result != cty.NilVal {
		return
	}
	look := func() {
		s.result = s.frame.observer.Probe(plan.At(r.acts, s.address), new(plan.Round), s.step.Probe, s.extra, captureTimeout(s)).Result
	}
	if t == nil {
		look()
		return
	}
	_ = t.call(look) // a record that cannot be written stops all that follows
}

// settleOpen goes on with the steps of which nobody knows how they ended, or that
// have not been proved. What has only failed has failed; nothing begins again.
func (r *run) settleOpen(t *task, f *frame) {
	var open []*state
	f.each(func(s *state) {
		if s.status == "" && s.last != nil && !s.last.TakesBack {
			open = append(open, s)
		}
	})
	for _, s := range open {
		switch ended := r.goOn(t, s); {
		case ended || s.status != "":
		case s.step.Always:
			s.takenUp = true
		default:
			r.end(s, notRun, 1, s.frame.halted())
		}
	}
}

// unknownStill tells whether nobody knows what a step's last attempt did, how it was
// taken back left aside.
func (s *state) unknownStill() bool {
	if s.last == nil || s.last.TakesBack {
		return false
	}
	return s.status == unknown || s.status == "" && s.unclear()
}
