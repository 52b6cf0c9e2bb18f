// Package export turns a loaded runbook into other people's formats: drawings of
// its steps and what each comes after, as DOT, Mermaid or SVG, coloured by decision
// where there is a plan; pages in Markdown for people; and break-glass scripts in
// bash. It looks at no system
// and starts nothing.
package export

import (
	"fmt"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Drawing is what there is to draw of a runbook. The same runbook and plan give
// the same drawing, byte for byte. It is not changed after Draw and may be
// shared.
type Drawing struct {
	name    string // of the runbook
	title   string // what stands above the drawing
	planned bool
	nodes   []node // source order
	edges   []edge // by the step that comes after, in source order
	order   []int  // places in nodes: each after all it comes after, else as in the source
}

// node is a step.
type node struct {
	name     string
	kind     kind
	lines    []string // of its label; the first is the step's name
	decision string   // plan's word; empty: no plan, or not in it
	tooltip  string   // why it was decided so
}

// kind says what a step does; it gives the shape.
type kind int

// The kinds of step.
const (
	action kind = iota
	capture
	gate
	call
)

// kinds lists every kind, as the legend does.
func kinds() []kind { return []kind{action, capture, call, gate} }

// meaning is the kind in the legend's words.
func (k kind) meaning() string {
	switch k {
	case action:
		return "action: changes something"
	case capture:
		return "capture: reads a value"
	case call:
		return "call: runs another runbook"
	default:
		return "gate: only looks"
	}
}

// edge says that a step comes after another; both are places in Drawing.nodes.
type edge struct {
	from, to int // from ends before to begins
	kind     runbook.EdgeKind
}

// edgeKinds lists every kind of edge, strongest first, as the legend does.
func edgeKinds() []runbook.EdgeKind {
	return []runbook.EdgeKind{runbook.Need, runbook.Wait, runbook.Order}
}

// edgeMeaning is a kind of edge in the legend's words.
func edgeMeaning(k runbook.EdgeKind) string {
	switch k {
	case runbook.Need:
		return "needs it to end well"
	case runbook.Wait:
		return "reads how it ended"
	default:
		return "is written after it"
	}
}

// Draw prepares the drawing of a runbook. With a plan every step shows its
// decision; p may be nil.
func Draw(rb *runbook.Runbook, p *plan.Plan) *Drawing {
	d := &Drawing{name: rb.Name, title: rb.Name, planned: p != nil}
	if rb.Title != "" {
		d.title = rb.Title
	}
	verdicts := verdictsOf(p)
	order := orderOf(rb)
	for _, step := range order.steps {
		d.order = append(d.order, step.Index)
	}
	for _, step := range rb.Steps {
		d.nodes = append(d.nodes, drawStep(rb, step, verdicts[step.Name]))
		for _, e := range order.visible(step) {
			d.edges = append(d.edges, edge{from: e.To.Index, to: step.Index, kind: e.Kind})
		}
	}
	return d
}

func drawStep(rb *runbook.Runbook, step *runbook.Step, v verdict) node {
	n := node{name: step.Name, kind: kindOf(step), decision: v.decision, tooltip: v.reason}
	n.lines = append(n.lines, step.Name)
	n.lines = append(n.lines, wrap(step.Title)...)
	if op := step.Operation(); op != nil {
		n.lines = append(n.lines, op.Type())
	}
	if step.Call != nil {
		n.lines = append(n.lines, wrap("calls "+step.Call.File)...)
	}
	if over := sourceOf(rb, step.ForEach); over != "" {
		if step.MaxParallel > 0 {
			over += fmt.Sprintf(", %d at once", step.MaxParallel)
		}
		n.lines = append(n.lines, wrap("for each of "+over)...)
	}
	if condition := sourceOf(rb, step.When); condition != "" {
		n.lines = append(n.lines, wrap("when "+condition)...)
	}
	if step.Always {
		n.lines = append(n.lines, "always, also after a stop")
	}
	for _, f := range step.Fallbacks {
		n.lines = append(n.lines, wrap("else "+f.Label+": "+f.Action.Type())...)
	}
	if step.Rollback != nil {
		n.lines = append(n.lines, "way back: "+step.Rollback.Action.Type())
	}
	if step.NoReturn {
		n.lines = append(n.lines, "point of no return")
	}
	n.lines = append(n.lines, v.lines...)
	return n
}

func kindOf(step *runbook.Step) kind {
	switch {
	case step.Action != nil:
		return action
	case step.Probe != nil:
		return capture
	case step.Call != nil:
		return call
	}
	return gate
}

// has says whether any step is of a kind: the legend tells only of what is
// drawn.
func (d *Drawing) has(k kind) bool {
	for i := range d.nodes {
		if d.nodes[i].kind == k {
			return true
		}
	}
	return false
}

// hasEdge is has for edges.
func (d *Drawing) hasEdge(k runbook.EdgeKind) bool {
	for i := range d.edges {
		if d.edges[i].kind == k {
			return true
		}
	}
	return false
}

// hasDecision is has for decisions.
func (d *Drawing) hasDecision(decision string) bool {
	for i := range d.nodes {
		if d.nodes[i].decision == decision {
			return true
		}
	}
	return false
}
