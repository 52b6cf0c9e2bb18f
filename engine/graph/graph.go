// Package graph holds a directed graph of small integers: its cycles, an order
// in which everything comes after what it needs, and a queue of what is ready.
// All of it is linear in nodes and edges and none of it recurses. It knows
// nothing of steps.
package graph

// Graph has the nodes 0 to n-1 and edges from a node to those it comes after.
// It is safe for concurrent use once nothing is added any more.
type Graph struct {
	after [][]int
}

// New returns a graph of n nodes without edges.
func New(n int) *Graph { return &Graph{after: make([][]int, n)} }

// Len is the number of nodes.
func (g *Graph) Len() int { return len(g.after) }

// Add says that node comes after the given one. The same edge may be added
// again.
func (g *Graph) Add(node, after int) { g.after[node] = append(g.after[node], after) }

// Order lists every node after those it comes after; where the edges leave a
// choice, by number. The graph must have no cycle: with one, the order of the
// cycle's nodes is arbitrary.
func (g *Graph) Order() []int {
	type frame struct{ node, next int }
	order := make([]int, 0, len(g.after))
	seen := make([]bool, len(g.after))
	var stack []frame
	for root := range g.after {
		if seen[root] {
			continue
		}
		seen[root] = true
		stack = append(stack[:0], frame{node: root})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(g.after[top.node]) {
				order = append(order, top.node)
				stack = stack[:len(stack)-1]
				continue
			}
			n := g.after[top.node][top.next]
			top.next++
			if !seen[n] {
				seen[n] = true
				stack = append(stack, frame{node: n})
			}
		}
	}
	return order
}
