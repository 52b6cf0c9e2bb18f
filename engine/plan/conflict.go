package plan

import (
	"fmt"
	"slices"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// maxActors is how many steps with effects are compared, all pairs of them.
// Beyond that apply's own exclusion still holds.
const maxActors = 200

// unordered warns of actions with conflicting effects that no edge orders. Only
// steps with written dependencies can be unordered.
func unordered(m *maker) []string {
	var actors []*standing
	free := false
	m.root.each(func(s *standing) {
		if len(s.said.Effects) > 0 {
			actors = append(actors, s)
		}
	})
	m.root.all(func(l *level) {
		for i, step := range l.frame.Runbook.Steps {
			free = free || i > 0 && !follows(step, l.frame.Runbook.Steps[i-1])
		}
	})
	if !free || len(actors) > maxActors {
		return nil
	}
	var warnings []string
	for i, a := range actors {
		for _, b := range actors[i+1:] {
			resource, conflict := Conflict(a.said.Effects, b.said.Effects)
			if conflict && !ordered(a, b) {
				warnings = append(warnings, fmt.Sprintf("%s and %s both touch %s and nothing orders them: they will not overlap, but either may be first", a.said.Address, b.said.Address, resource))
			}
		}
	}
	return warnings
}

// ordered tells whether an edge orders two steps, or the steps of one runbook
// that they are the inside of. The instances of one step are not asked about:
// whoever wrote for_each wanted them side by side.
func ordered(a, b *standing) bool {
	outward := func(s *standing) []*standing {
		chain := []*standing{s}
		for s.inside != nil {
			s = s.inside
			chain = append(chain, s)
		}
		slices.Reverse(chain)
		return chain
	}
	as, bs := outward(a), outward(b)
	for i := range min(len(as), len(bs)) {
		if x, y := as[i].step, bs[i].step; x != y {
			return reaches(x, y) || reaches(y, x)
		}
		if as[i] != bs[i] {
			return true
		}
	}
	return true
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

// Conflict tells whether two sets of effects must not overlap, and on what.
func Conflict(a, b []schema.Effect) (string, bool) {
	for _, x := range a {
		for _, y := range b {
			if x.Conflicts(y) {
				return x.Resource, true
			}
		}
	}
	return "", false
}
