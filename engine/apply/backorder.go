package apply

import (
	"cmp"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// untaken is a step that is not taken back, and why.
type untaken struct {
	state *state
	why   string
}

// backOrder lists the steps to take back: the failed ones first, then in reverse
// order of ending, each after those that its rollback depends on. left are those
// that have changed something and are not taken back.
func (r *run) backOrder(f *frame) (order []*state, left []untaken) {
	crossed, point := int64(0), ""
	for _, step := range r.noReturn {
		for _, s := range step.all() {
			if s.changed() && s.intentAt > crossed {
				crossed, point = s.intentAt, s.address
			}
		}
	}
	var all []*state
	f.each(func(s *state) {
		switch {
		case s.status == rolledBack || s.step.Action == nil || !s.changed():
		case s.step.Rollback == nil:
			if s.mutated || mutates(s.last) {
				left = append(left, untaken{s, "it has no rollback"})
			}
		case s.endedAt < crossed:
			left = append(left, untaken{s, point + " is a point of no return, and has begun"})
		default:
			all = append(all, s)
		}
	})
	slices.SortStableFunc(all, func(a, b *state) int {
		if a.well() != b.well() {
			if b.well() {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.endedAt, a.endedAt)
	})
	waiting := make(map[*state]bool, len(all))
	for _, s := range all {
		waiting[s] = true
	}
	var take func(*state)
	take = func(s *state) {
		if !waiting[s] {
			return
		}
		delete(waiting, s)
		for _, step := range s.step.Rollback.DependsOn {
			for _, i := range s.frame.steps[step.Index].all() {
				if i.inner != nil {
					for _, x := range all {
						if strings.HasPrefix(x.address, i.address+".") {
							take(x)
						}
					}
				}
				take(i)
			}
		}
		order = append(order, s)
	}
	for _, s := range all {
		take(s)
	}
	return order, left
}

// mutates tells whether an attempt may have changed anything.
func mutates(attempt *event.Attempt) bool {
	return attempt.Undeclared || slices.ContainsFunc(attempt.Effects, func(e schema.Effect) bool { return e.Mode != schema.Read })
}
