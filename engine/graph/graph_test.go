package graph_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/graph"
)

// of makes a graph of edges: each node and what it comes after.
func of(n int, edges ...[2]int) *graph.Graph {
	g := graph.New(n)
	for _, e := range edges {
		g.Add(e[0], e[1])
	}
	return g
}

func TestOrder(t *testing.T) {
	tests := []struct {
		name string
		g    *graph.Graph
		want []int
	}{
		{"empty", of(0), []int{}},
		{"no edges keep their order", of(3), []int{0, 1, 2}},
		{"already in order", of(4, [2]int{1, 0}, [2]int{2, 0}, [2]int{3, 2}), []int{0, 1, 2, 3}},
		{"what comes first is taken forward", of(4, [2]int{0, 3}, [2]int{3, 2}), []int{2, 3, 0, 1}},
		{"the same edge twice", of(2, [2]int{0, 1}, [2]int{0, 1}), []int{1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.g.Order()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCycles(t *testing.T) {
	tests := []struct {
		name string
		g    *graph.Graph
		want [][]int
	}{
		{"none", of(3, [2]int{1, 0}, [2]int{2, 1}, [2]int{2, 0}), nil},
		{"itself", of(2, [2]int{1, 1}), [][]int{{1}}},
		{"two", of(2, [2]int{0, 1}, [2]int{1, 0}), [][]int{{0, 1}}},
		{"three, in the direction of the edges", of(3, [2]int{0, 2}, [2]int{2, 1}, [2]int{1, 0}), [][]int{{0, 2, 1}}},
		{"the shortest through the lowest", of(4, [2]int{0, 1}, [2]int{1, 2}, [2]int{2, 3}, [2]int{3, 0}, [2]int{1, 0}), [][]int{{0, 1}}},
		{
			"one for each component", of(6, [2]int{0, 1}, [2]int{1, 0}, [2]int{2, 0}, [2]int{3, 4}, [2]int{4, 5}, [2]int{5, 3}),
			[][]int{{0, 1}, {3, 4, 5}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.g.Cycles()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQueue(t *testing.T) {
	q := of(5, [2]int{2, 0}, [2]int{2, 1}, [2]int{3, 0}, [2]int{4, 3}, [2]int{4, 3}).Queue()
	got := [][]int{q.First()}
	for _, n := range []int{0, 1, 3, 4, 2} {
		got = append(got, q.Done(n))
	}
	want := [][]int{{0, 1}, {3}, {2}, {4}, nil, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if q.Left() != 0 {
		t.Errorf("%d left", q.Left())
	}
}

// ladder is a graph of n nodes in which each comes after up to three earlier
// ones.
func ladder(n int) *graph.Graph {
	g := graph.New(n)
	for i := range n {
		for _, d := range []int{1, 7, i / 2} {
			if d > 0 && d <= i {
				g.Add(i, i-d)
			}
		}
	}
	return g
}

// TestDeep needs no stack that grows with the graph.
func TestDeep(t *testing.T) {
	const n = 1_000_000
	g := graph.New(n)
	for i := range n - 1 {
		g.Add(i, i+1)
	}
	if order := g.Order(); order[0] != n-1 || order[n-1] != 0 {
		t.Error("not in order")
	}
	g.Add(n-1, 0)
	if cycles := g.Cycles(); len(cycles) != 1 || len(cycles[0]) != n {
		t.Error("the cycle is not whole")
	}
}

// FuzzGraph holds order, queue and cycles against one another.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{3, 0, 1, 1, 2})
	f.Add([]byte{3, 0, 1, 1, 2, 2, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		n := int(data[0]%20) + 1
		g := graph.New(n)
		after := make([][]int, n)
		for i := 1; i+1 < len(data); i += 2 {
			a, b := int(data[i])%n, int(data[i+1])%n
			g.Add(a, b)
			after[a] = append(after[a], b)
		}
		q := g.Queue()
		ready := slices.Clone(q.First())
		for i := 0; i < len(ready); i++ {
			ready = append(ready, q.Done(ready[i])...)
		}
		cycles := g.Cycles()
		if (len(ready) == n) != (len(cycles) == 0) {
			t.Fatalf("%d of %d nodes became ready beside the cycles %v", len(ready), n, cycles)
		}
		for _, c := range cycles {
			for i, node := range c {
				if next := c[(i+1)%len(c)]; !slices.Contains(after[node], next) {
					t.Errorf("no edge from %d to %d in %v", node, next, c)
				}
			}
		}
		if len(cycles) > 0 {
			return
		}
		place := make([]int, n)
		for i, node := range g.Order() {
			place[node] = i
		}
		for node, list := range after {
			for _, a := range list {
				if place[a] > place[node] {
					t.Errorf("%d stands before %d, which it comes after", node, a)
				}
			}
		}
	})
}

func BenchmarkGraph(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		g := ladder(n)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/node")
			})
		}
		run("Order", func() { g.Order() })
		run("Cycles", func() { g.Cycles() })
		run("Queue", func() {
			q := g.Queue()
			ready := slices.Clone(q.First())
			for i := 0; i < len(ready); i++ {
				ready = append(ready, q.Done(ready[i])...)
			}
			if len(ready) != n {
				b.Fatal("not every node became ready")
			}
		})
	}
}
