package export

import (
	"cmp"
	"slices"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// layout is where an SVG puts things: a row for each step, in an order in which
// each comes after all it waits for, and to the left of them the lanes in which
// edges run down that do not lead to the next row.
type layout struct {
	rows   []int    // place in Drawing.nodes, by row
	direct []direct // edges from a row to the next
	buses  []bus
	lanes  int
	ports  [][]port // by row, from the top of its left side
}

// direct is an edge from a row to the one below.
type direct struct {
	row  int
	kind runbook.EdgeKind
}

// bus is one line for edges of one kind: from one step to several, or from
// several to one, and never several to several, so that it reads one way.
type bus struct {
	kind        runbook.EdgeKind
	first, last int // rows
	lane        int // 0 is next to the steps
}

// port is where a bus meets a step.
type port struct {
	bus    int
	arrive bool // the step comes after those at the bus's other end
}

// lay computes the layout of a drawing.
func (d *Drawing) lay() *layout {
	l := &layout{rows: d.order, ports: make([][]port, len(d.nodes))}
	row := make([]int, len(d.nodes))
	for r, n := range d.order {
		row[n] = r
	}
	type end struct {
		kind runbook.EdgeKind
		row  int
	}
	leave, arrive := map[end]int{}, map[end]int{}
	var far []edge // between rows
	for _, e := range d.edges {
		e.from, e.to = row[e.from], row[e.to]
		if e.to == e.from+1 {
			l.direct = append(l.direct, direct{row: e.from, kind: e.kind})
			continue
		}
		far = append(far, e)
		leave[end{e.kind, e.from}]++
		arrive[end{e.kind, e.to}]++
	}
	type key struct {
		end
		into bool
	}
	at := map[key]int{}
	for _, e := range far {
		k := key{end: end{e.kind, e.from}}
		if arrive[end{e.kind, e.to}] > leave[k.end] {
			k = key{end: end{e.kind, e.to}, into: true}
		}
		i, known := at[k]
		if !known {
			i = len(l.buses)
			at[k] = i
			l.buses = append(l.buses, bus{kind: e.kind, first: e.from, last: e.to})
		}
		l.buses[i].first = min(l.buses[i].first, e.from)
		l.buses[i].last = max(l.buses[i].last, e.to)
		if !known || k.into {
			l.ports[e.from] = append(l.ports[e.from], port{bus: i})
		}
		if !known || !k.into {
			l.ports[e.to] = append(l.ports[e.to], port{bus: i, arrive: true})
		}
	}
	l.assignLanes()
	l.orderPorts()
	return l
}

// assignLanes gives each bus the innermost lane that is free from its first row
// to its last, short ones first among those that begin together.
func (l *layout) assignLanes() {
	order := make([]int, len(l.buses))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		p, q := l.buses[a], l.buses[b]
		return cmp.Or(p.first-q.first, p.last-q.last, int(q.kind-p.kind), a-b)
	})
	var busy []int // by lane, the last row of its bus
	for _, i := range order {
		b := &l.buses[i]
		b.lane = slices.IndexFunc(busy, func(last int) bool { return last < b.first })
		if b.lane < 0 {
			b.lane = len(busy)
			busy = append(busy, 0)
		}
		busy[b.lane] = b.last
	}
	l.lanes = len(busy)
}

// orderPorts lets arriving lines meet a step above leaving ones, and each kind
// in the order in which they do not cross one another.
func (l *layout) orderPorts() {
	for _, ports := range l.ports {
		slices.SortFunc(ports, func(a, b port) int {
			switch {
			case a.arrive != b.arrive && a.arrive:
				return -1
			case a.arrive != b.arrive:
				return 1
			case a.arrive:
				return l.buses[a.bus].lane - l.buses[b.bus].lane
			}
			return l.buses[b.bus].lane - l.buses[a.bus].lane
		})
	}
}
