package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/graph"
)

// expand visits every reference that refs lead to, through locals too. via is
// the one of refs that led there; a guard anywhere on the way counts.
func (l *loader) expand(refs []Reference, visit func(r, via Reference)) {
	type visited struct {
		local   string
		guarded bool
	}
	type pending struct {
		ref Reference
		via Reference
	}
	if l.visits += len(refs); l.visits > maxVisits {
		return // reported at the end
	}
	seen := map[visited]bool{}
	stack := make([]pending, 0, len(refs))
	for _, r := range slices.Backward(refs) {
		stack = append(stack, pending{r, r})
	}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p.ref.Root != "local" {
			visit(p.ref, p.via)
			continue
		}
		local := l.rb.Locals[p.ref.Name]
		if local == nil || local.Static || seen[visited{p.ref.Name, p.ref.Guarded}] {
			continue
		}
		seen[visited{p.ref.Name, p.ref.Guarded}] = true
		l.visits += len(local.References)
		for _, r := range slices.Backward(local.References) {
			r.Guarded = r.Guarded || p.ref.Guarded
			stack = append(stack, pending{r, p.via})
		}
	}
}

// orderLocals finds the order in which locals are evaluated, which of them are
// static, and cycles among them.
func (l *loader) orderLocals() {
	names := slices.Sorted(maps.Keys(l.rb.Locals))
	number := make(map[string]int, len(names))
	for i, n := range names {
		number[n] = i
	}
	g := graph.New(len(names))
	for i, n := range names {
		for _, r := range l.rb.Locals[n].References {
			if j, ok := number[r.Name]; ok && r.Root == "local" {
				g.Add(i, j)
			}
		}
	}
	for _, cycle := range g.Cycles() {
		var path, edges []string
		for i, n := range cycle {
			from, to := l.rb.Locals[names[n]], names[cycle[(i+1)%len(cycle)]]
			path = append(path, "local."+from.Name)
			at := from.Range
			for _, r := range from.References {
				if r.Root == "local" && r.Name == to {
					at = r.Range
					break
				}
			}
			edges = append(edges, fmt.Sprintf("local.%s uses local.%s at %s", from.Name, to, place(at)))
		}
		l.add(diag.Cycle.At(l.rb.Locals[names[cycle[0]]].Range, "These locals need each other: %s → %s.\n%s.",
			strings.Join(path, " → "), path[0], strings.Join(edges, ",\n")))
	}
	for order, n := range g.Order() {
		local := l.rb.Locals[names[n]]
		local.Order = order
		local.Static = true
		for _, r := range local.References {
			used := l.rb.Locals[r.Name]
			if r.Root == "step" || r.Root == "check" || r.Root == "local" && used != nil && !used.Static {
				local.Static = false
				break
			}
		}
	}
}

// connect gives each step its edges and reports cycles among steps and among
// checks.
func (l *loader) connect() {
	var frontier []*Step
	for i := range l.bodies {
		b := &l.bodies[i]
		e := edgeSet{at: map[*Step]int{}}
		if b.written {
			for _, f := range frontier {
				e.add(Edge{To: f, Kind: Order, Range: b.step.Range})
			}
			frontier = frontier[:0:0]
		}
		frontier = append(frontier, b.step)
		for _, d := range b.depends {
			to, ok := l.steps[d.name]
			if !ok && !l.diags.Full() {
				l.add(unknownName(d.at, "step", "step", d.name, l.steps))
			}
			if !ok {
				continue
			}
			e.add(Edge{To: to, Kind: Need, Range: d.at})
		}
		l.referenceEdges(b, &e)
		b.step.Edges = e.edges
		if l.boundEdges(b.step) {
			break
		}
	}
	for _, o := range l.rb.Outputs {
		l.expand(References(o.Value), func(r, _ Reference) { o.Uses = l.reads(o.Uses, r, nil) })
	}
	l.stepCycles()
	l.orderRollbacks()
	l.checkCycles()
	l.boundVisits()
}

// referenceEdges adds the edges that a step's references make, and applies the
// rules about results and statuses that need all of them.
func (l *loader) referenceEdges(b *stepBody, e *edgeSet) {
	var when, rest []Reference
	for _, u := range b.uses {
		if u.when {
			when = append(when, u.ref)
		} else {
			rest = append(rest, u.ref)
		}
	}
	reads := map[string]bool{}
	checks := map[string]bool{}
	l.expand(when, func(r, _ Reference) {
		switch {
		case r.Root == "step" && r.Attr == "status":
			reads[r.Name] = true
		case r.Root == "check":
			checks[r.Name] = true
		}
	})
	b.step.WhenChecks = slices.Sorted(maps.Keys(checks))
	for _, refs := range [][]Reference{when, rest} {
		l.expand(refs, func(r, via Reference) {
			b.step.Uses = l.reads(b.step.Uses, r, b.step)
			to := l.steps[r.Name]
			if r.Root != "step" || to == nil || to == b.step {
				return
			}
			kind := Need
			if r.Attr == "status" || reads[r.Name] {
				kind = Wait
			}
			e.add(Edge{To: to, Kind: kind, Range: via.Range})
		})
		l.checkNull(refs, reads)
	}
}

// edgeSet keeps the strongest edge to each step.
type edgeSet struct {
	edges []Edge
	at    map[*Step]int
}

func (e *edgeSet) add(edge Edge) {
	if i, ok := e.at[edge.To]; ok {
		if edge.Kind > e.edges[i].Kind {
			e.edges[i] = edge
		}
		return
	}
	e.at[edge.To] = len(e.edges)
	e.edges = append(e.edges, edge)
}

func (l *loader) stepCycles() {
	g := graph.New(len(l.rb.Steps))
	for i, s := range l.rb.Steps {
		for _, e := range s.Edges {
			g.Add(i, e.To.Index)
		}
	}
	for _, cycle := range g.Cycles() {
		var path, edges []string
		subject := l.rb.Steps[cycle[0]].Range
		said, written := false, false
		for i, n := range cycle {
			from, to := l.rb.Steps[n], l.rb.Steps[cycle[(i+1)%len(cycle)]]
			path = append(path, from.Address())
			edge := from.edgeTo(to)
			if edge.Kind != Order && !said {
				subject, said = edge.Range, true
			}
			written = written || edge.Kind == Order
			edges = append(edges, fmt.Sprintf("%s %s %s at %s", from.Address(), edge.Kind.verb(), to.Address(), place(edge.Range)))
		}
		d := diag.Cycle.At(subject, "These steps wait for each other: %s → %s.\n%s.",
			strings.Join(path, " → "), path[0], strings.Join(edges, ",\n"))
		if written {
			d.Detail += "\nA step without depends_on comes after every step written above it: move one of them, or give it depends_on."
		}
		l.add(d)
	}
}

func (s *Step) edgeTo(to *Step) Edge {
	for _, e := range s.Edges {
		if e.To == to {
			return e
		}
	}
	return Edge{}
}

func (k EdgeKind) verb() string {
	switch k {
	case Need:
		return "needs"
	case Wait:
		return "reads the status of"
	}
	return "is written after"
}

// checkCycles reports unknown checks in check = and checks =, and checks that
// are made of each other.
func (l *loader) checkCycles() {
	names := slices.Sorted(maps.Keys(l.rb.Checks))
	for _, use := range l.checkUses {
		switch c := l.rb.Checks[use.Name]; {
		case c == nil:
			if !l.rb.incomplete && !l.diags.Full() {
				l.add(unknownName(use.Range, "check", "check", use.Name, l.rb.Checks))
			}
		case c.ForEach == nil && use.Key != nil:
			l.add(diag.Suggest(diag.InvalidReference.At(use.Range, "check.%s has no for_each, so it has no instances.", use.Name), "check."+use.Name))
		case c.ForEach != nil && use.Key == nil && !use.all:
			l.add(diag.InvalidReference.At(use.Range, "check.%s has a for_each: write check.%s[\"KEY\"] for one of them, or checks = [check.%s] for all.", use.Name, use.Name, use.Name))
		}
	}
	number := make(map[string]int, len(names))
	for i, n := range names {
		number[n] = i
	}
	g := graph.New(len(names))
	for i, n := range names {
		for _, c := range l.rb.Checks[n].Checks {
			if j, ok := number[c.Name]; ok {
				g.Add(i, j)
			}
		}
	}
	l.boundLooks(g, names)
	for _, cycle := range g.Cycles() {
		var path, edges []string
		for i, n := range cycle {
			path = append(path, "check."+names[n])
			edges = append(edges, fmt.Sprintf("check.%s at %s is made of check.%s", names[n], place(l.rb.Checks[names[n]].Range), names[cycle[(i+1)%len(cycle)]]))
		}
		l.add(diag.Cycle.At(l.rb.Checks[names[cycle[0]]].Range, "These checks are made of each other: %s → %s.\n%s.",
			strings.Join(path, " → "), path[0], strings.Join(edges, ",\n")))
	}
}
