package graph

import "slices"

// Cycles returns one shortest cycle through the lowest node of each strongly
// connected component, in the order of those nodes: each node comes after the
// next one, and the last after the first. Without a cycle it returns nil.
func (g *Graph) Cycles() [][]int {
	component, sizes := g.components()
	var cycles [][]int
	done := make([]bool, len(sizes))
	from := make([]int, len(g.after)) // components share no node, so one slice serves all
	for node := range g.after {
		c := component[node]
		if done[c] {
			continue
		}
		done[c] = true
		if sizes[c] > 1 || slices.Contains(g.after[node], node) {
			cycles = append(cycles, g.shortest(node, component, from))
		}
	}
	return cycles
}

// components numbers the strongly connected components (Tarjan, with a stack of
// its own) and counts their nodes.
func (g *Graph) components() (component []int, sizes []int) {
	type frame struct{ node, next int }
	n := len(g.after)
	component = make([]int, n)
	index := make([]int, n) // from 1; 0: not visited
	low := make([]int, n)
	open := make([]bool, n)
	var stack []frame
	var path []int
	counter := 0
	for root := range n {
		if index[root] != 0 {
			continue
		}
		stack = append(stack[:0], frame{node: root})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			v := top.node
			if top.next == 0 {
				counter++
				index[v], low[v] = counter, counter
				path = append(path, v)
				open[v] = true
			}
			if top.next < len(g.after[v]) {
				w := g.after[v][top.next]
				top.next++
				if index[w] == 0 {
					stack = append(stack, frame{node: w})
				} else if open[w] {
					low[v] = min(low[v], index[w])
				}
				continue
			}
			if low[v] == index[v] {
				size := 0
				for {
					w := path[len(path)-1]
					path = path[:len(path)-1]
					open[w] = false
					component[w] = len(sizes)
					size++
					if w == v {
						break
					}
				}
				sizes = append(sizes, size)
			}
			stack = stack[:len(stack)-1]
			if len(stack) > 0 {
				parent := stack[len(stack)-1].node
				low[parent] = min(low[parent], low[v])
			}
		}
	}
	return component, sizes
}

// shortest is the shortest way from start back to itself within its component.
// from is scratch, zero for the component's nodes: one more than the node that
// each was reached from.
func (g *Graph) shortest(start int, component, from []int) []int {
	queue := []int{start}
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		for _, w := range g.after[v] {
			if w == start {
				var cycle []int
				for u := v; u != start; u = from[u] - 1 {
					cycle = append(cycle, u)
				}
				cycle = append(cycle, start)
				slices.Reverse(cycle)
				return cycle
			}
			if from[w] == 0 && component[w] == component[start] {
				from[w] = v + 1
				queue = append(queue, w)
			}
		}
	}
	return []int{start}
}
