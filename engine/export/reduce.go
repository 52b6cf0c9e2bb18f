package export

import (
	"slices"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// order is what the search for needless edges knows of a runbook, by the places
// of its steps.
type order struct {
	steps []*runbook.Step // each after all it comes after
	depth []int           // how many steps its longest way back passes
	next  []int           // how many steps come after it by an edge of their own
}

func orderOf(rb *runbook.Runbook) order {
	o := order{steps: plan.Ordered(rb), depth: make([]int, len(rb.Steps)), next: make([]int, len(rb.Steps))}
	for _, step := range o.steps {
		for _, e := range step.Edges {
			o.depth[step.Index] = max(o.depth[step.Index], o.depth[e.To.Index]+1)
			o.next[e.To.Index]++
		}
	}
	return o
}

// visible lists the edges of a step that a drawing shows, in source order of
// what they lead to: every need and every wait, and of the written order what
// does not follow from another edge.
func (o order) visible(step *runbook.Step) []runbook.Edge {
	edges := slices.Clone(step.Edges)
	slices.SortFunc(edges, func(a, b runbook.Edge) int { return a.To.Index - b.To.Index })
	implied := o.implied(edges)
	return slices.DeleteFunc(edges, func(e runbook.Edge) bool {
		return e.Kind == runbook.Order && implied[e.To]
	})
}

// implied finds those of the steps that edges lead to by the written order which
// come before another of them. It goes no deeper into the past than it must, and
// not at all for a list.
func (o order) implied(edges []runbook.Edge) map[*runbook.Step]bool {
	candidates, shallowest := 0, len(o.steps)
	for _, e := range edges {
		// Nobody else comes after it: it is before none of the others.
		if e.Kind == runbook.Order && len(edges) > 1 && o.next[e.To.Index] > 1 {
			candidates++
			shallowest = min(shallowest, o.depth[e.To.Index])
		}
	}
	if candidates == 0 {
		return nil
	}
	ordered := map[*runbook.Step]bool{}
	var pending []*runbook.Step
	for _, e := range edges {
		ordered[e.To] = e.Kind == runbook.Order
		pending = append(pending, e.To)
	}
	before := map[*runbook.Step]bool{}
	for len(pending) > 0 && candidates > 0 {
		step := pending[0]
		pending = pending[1:]
		for _, e := range step.Edges {
			if before[e.To] || o.depth[e.To.Index] < shallowest {
				continue
			}
			before[e.To] = true
			pending = append(pending, e.To)
			if ordered[e.To] {
				candidates--
			}
		}
	}
	return before
}
