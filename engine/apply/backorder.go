package apply

import (
	"cmp"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// untaken is a step that is not taken back, and why.
type untaken struct {
	state *state
	why   string
}

// backOrder lists the steps to take back: the failed ones first, then in reverse
// order of ending; one whose rollback depends on others waits for those, and they
// are not taken back any earlier for that. left are those that have changed
// something and are not taken back. What always steps did after all that is in
// neither, nor one that has begun and goes on after it, nor those that have had
// their turn.
func (r *run) backOrder(f *frame, had []*state) (order []*state, left []untaken) {
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
		case s.step.Action == nil || !s.changed() || s.status == "" || s.status == rolledBack || slices.Contains(had, s):
		case s.lateAt > f.backAt && f.under(s.lateOf):
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
		if a.wellAs(a.ended) != b.wellAs(b.ended) {
			if b.wellAs(b.ended) {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.endedAt, a.endedAt)
	})
	for len(all) > 0 {
		next := slices.IndexFunc(all, func(s *state) bool {
			return len(s.step.Rollback.DependsOn) == 0 || !slices.ContainsFunc(all, s.awaits)
		})
		order = append(order, all[next])
		all = slices.Delete(all, next, next+1)
	}
	return order, left
}

// awaits tells whether the rollback of a step comes after that of another because
// it says so: of the other, of an instance of it, or of a step that it calls.
func (s *state) awaits(other *state) bool {
	return slices.ContainsFunc(s.step.Rollback.DependsOn, func(step *runbook.Step) bool {
		return slices.ContainsFunc(s.frame.steps[step.Index].all(), func(i *state) bool {
			return i == other || i.inner != nil && strings.HasPrefix(other.address, i.address+".")
		})
	})
}

// mutates tells whether an attempt may have changed anything.
func mutates(attempt *event.Attempt) bool {
	return attempt.Undeclared || slices.ContainsFunc(attempt.Effects, func(e schema.Effect) bool { return e.Mode != schema.Read })
}
