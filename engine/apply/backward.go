package apply

import (
	"context"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Back says what Run would do with TakeBack set. It changes nothing and says
// nothing.
func Back(ctx context.Context, opts Options) plan.Backward {
	opts.TakeBack = true
	r := newRun(ctx, opts)
	defer r.cancelActs()
	r.replay(opts.History)
	r.takeUp(nil, r.root)
	var b plan.Backward
	r.root.each(func(s *state) {
		if s.unknownStill() {
			b.Open = append(b.Open, s.address)
		}
	})
	order, left := r.backOrder(r.root, nil)
	for _, s := range left {
		b.Left = append(b.Left, plan.LeftStep{Address: s.state.address, Why: s.why})
	}
	for _, s := range order {
		if why := r.stuck(s); why != "" {
			b.Left = append(b.Left, plan.LeftStep{Address: s.address, Why: why})
			continue
		}
		b.Steps = append(b.Steps, r.backStep(s))
	}
	return b
}

// stuck is why a rollback that was begun is not done again; empty: it is, or it is
// settled.
func (r *run) stuck(s *state) string {
	if !s.last.TakesBack || s.last.State != schema.FailedPartial || keyed(s.last.Settling) || r.opts.Resolve[s.address] != "" || s.last.Settled == "person" && s.last.Failure.Code == wantedAgain {
		return ""
	}
	return "its rollback failed and may have changed something: it is done again only by `" + s.resolve(ResolveRetry) + "`"
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
	said.Approved = s.approved != nil && len(outgrows(&event.WayBack{Effects: d.Effects, Destructive: d.Destructive, Undeclared: d.Undeclared}, s.approved)) == 0
	return said
}
