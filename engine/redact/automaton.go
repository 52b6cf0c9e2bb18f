package redact

import "sort"

// automaton finds any of many patterns in one pass (Aho and Corasick's). It
// does not change once built.
type automaton struct{ nodes []node }

type node struct {
	keys     []byte // sorted; children[i] is where keys[i] leads
	children []int32
	fail     int32 // the longest proper suffix that starts a pattern
	depth    int32
	match    int32 // length of the longest pattern that ends here, 0: none
}

const root int32 = 0

func newAutomaton(patterns map[string]bool) *automaton {
	a := &automaton{nodes: make([]node, 1)}
	for pattern := range patterns {
		a.insert(pattern)
	}
	a.link()
	return a
}

func (a *automaton) insert(pattern string) {
	at := root
	for i := range len(pattern) {
		next, ok := a.child(at, pattern[i])
		if !ok {
			next = int32(len(a.nodes))
			a.nodes = append(a.nodes, node{depth: int32(i + 1)})
			a.adopt(at, pattern[i], next)
		}
		at = next
	}
	a.nodes[at].match = int32(len(pattern))
}

func (a *automaton) adopt(parent int32, c byte, child int32) {
	n := &a.nodes[parent]
	i := sort.Search(len(n.keys), func(i int) bool { return n.keys[i] >= c })
	n.keys = append(n.keys, 0)
	n.children = append(n.children, 0)
	copy(n.keys[i+1:], n.keys[i:])
	copy(n.children[i+1:], n.children[i:])
	n.keys[i], n.children[i] = c, child
}

func (a *automaton) child(at int32, c byte) (int32, bool) {
	n := &a.nodes[at]
	if len(n.keys) == 1 { // by far the most frequent
		return n.children[0], n.keys[0] == c
	}
	i := sort.Search(len(n.keys), func(i int) bool { return n.keys[i] >= c })
	if i == len(n.keys) || n.keys[i] != c {
		return root, false
	}
	return n.children[i], true
}

// link fills in fail and match breadth first, so that every shorter node is
// ready before it is needed.
func (a *automaton) link() {
	queue := []int32{root}
	for len(queue) > 0 {
		parent := queue[0]
		queue = queue[1:]
		for i, c := range a.nodes[parent].keys {
			child := a.nodes[parent].children[i]
			n := &a.nodes[child]
			if parent != root {
				n.fail = a.step(a.nodes[parent].fail, c)
			}
			n.match = max(n.match, a.nodes[n.fail].match)
			queue = append(queue, child)
		}
	}
}

func (a *automaton) step(at int32, c byte) int32 {
	for {
		if next, ok := a.child(at, c); ok {
			return next
		}
		if at == root {
			return root
		}
		at = a.nodes[at].fail
	}
}

// matched is the length of the longest pattern that ends at this state.
func (a *automaton) matched(at int32) int { return int(a.nodes[at].match) }

// open is how many of the last bytes may be the start of a pattern that has not
// ended yet.
func (a *automaton) open(at int32) int {
	for at != root && len(a.nodes[at].keys) == 0 {
		at = a.nodes[at].fail
	}
	return int(a.nodes[at].depth)
}
