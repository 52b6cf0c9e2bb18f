package apply

import (
	"context"

	"github.com/runbook-engine/runbook/engine/plan"
)

// Back says what Run would do with TakeBack set. It changes nothing and says
// nothing.
func Back(ctx context.Context, opts Options) plan.Backward {
	opts.TakeBack = true
	r := newRun(ctx, opts)
	defer r.cancelActs()
	r.replay(opts.History)
	r.recallTree(r.root)
	var b plan.Backward
	r.root.each(func(s *state) {
		if s.status == unknown || s.last != nil && !s.last.TakesBack && s.last.State == "" {
			b.Open = append(b.Open, s.address)
		}
	})
	order, left := backOrder(r.root)
	for _, s := range left {
		b.Left = append(b.Left, plan.LeftStep{Address: s.state.address, Why: s.why})
	}
	for _, s := range order {
		b.Steps = append(b.Steps, r.backStep(s))
	}
	return b
}

// recallTree takes up what the record says of the steps of a frame and of those
// below it.
func (r *run) recallTree(f *frame) {
	for _, step := range plan.Ordered(f.rb) { // what has ended is known to those after it
		s := f.steps[step.Index]
		r.recall(s)
		if step.ForEach != nil {
			instances, _, _ := f.observer.Scope.Instances(f.looks, step.ForEach)
			for _, i := range instances {
				s.instances = append(s.instances, f.newState(step, step.Instance(i.Key), i.Extra()))
			}
		}
		for _, i := range s.instances {
			r.recall(i)
		}
		for _, i := range s.all() {
			if i.inner = f.called[i.address]; i.inner != nil {
				r.recallTree(i.inner)
				i.result = plan.Outputs(r.acts, i.inner.linked, i.inner.observer.Scope, nil)
			}
		}
	}
}

func (r *run) backStep(s *state) plan.BackStep {
	said := plan.BackStep{Address: s.address, Title: s.step.Title, Status: s.status, Action: s.step.Rollback.Action.Type()}
	s.rolling = true
	defer func() { s.rolling = false }()
	ctx := s.at(r.acts)
	d, arguments, unknown, err := s.frame.observer.Describe(ctx, s.action(), s.sees())
	if err == nil && len(unknown) == 0 {
		d, err = s.frame.observer.Preview(ctx, s.action(), arguments, nil, d)
	}
	if err != nil {
		said.Failed = err.Error()
	}
	said.Effects, said.Undeclared, said.Destructive = d.Effects, d.Undeclared, d.Destructive
	said.Impact, said.Sample, said.Summary, said.Command = d.Impact, d.Sample, d.Summary, plan.Shell(d.Command)
	said.Approved = covers(s.approved, d.Effects)
	return said
}
