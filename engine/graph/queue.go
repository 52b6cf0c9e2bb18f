package graph

import "slices"

// Queue hands out nodes as soon as all they come after are done. It is not safe
// for concurrent use. Nodes of a cycle never become ready.
type Queue struct {
	before [][]int // who waits for a node
	open   []int   // how many a node still waits for
	first  []int
	left   int
}

// Queue returns a queue over the graph as it is now.
func (g *Graph) Queue() *Queue {
	q := &Queue{before: make([][]int, len(g.after)), open: make([]int, len(g.after)), left: len(g.after)}
	for node, after := range g.after {
		q.open[node] = len(after)
		if len(after) == 0 {
			q.first = append(q.first, node)
		}
		for _, a := range after {
			q.before[a] = append(q.before[a], node)
		}
	}
	return q
}

// First lists the nodes that wait for nothing, by number.
func (q *Queue) First() []int { return q.first }

// Done says that a node has ended, once for each node, and returns those that
// became ready by it, by number.
func (q *Queue) Done(node int) []int {
	q.left--
	var ready []int
	for _, n := range q.before[node] {
		if q.open[n]--; q.open[n] == 0 {
			ready = append(ready, n)
		}
	}
	slices.Sort(ready)
	return ready
}

// Left is the number of nodes that are not done.
func (q *Queue) Left() int { return q.left }
