package apply

import (
	"slices"

	"github.com/runbook-engine/runbook/providers/schema"
)

// contention finds what a claim conflicts with. Claims are kept by the resources
// they touch, in a tree of them: a claim conflicts with those at the resources
// above each of its own, and with those at and below it. The zero contention is
// empty.
type contention struct {
	all   crowd // every claim
	alone crowd // those that nothing else may be beside
	root  place
}

// place is a resource that claims touch, or that lies above such a one.
type place struct {
	below    map[string]*place
	at, here byMode // at: claims of this resource; here: also those of all below it
}

// byMode keeps claims that only read apart from those that change something:
// only read agrees with read.
type byMode struct{ reads, changes crowd }

// crowd is a set of claims. One may be in it more than once, once for each of
// its effects.
type crowd struct {
	held    map[*claim]int
	waiting []*claim // in the order of their turns
}

func (m *byMode) of(mode schema.Mode) *crowd {
	if mode == schema.Read {
		return &m.reads
	}
	return &m.changes
}

// each visits every crowd that a claim belongs to.
func (x *contention) each(c *claim, visit func(*crowd)) {
	visit(&x.all)
	if c.alone {
		visit(&x.alone)
	}
	for _, e := range c.effects {
		p := &x.root
		visit(p.here.of(e.Mode))
		for _, name := range e.Path() {
			p = p.child(name)
			visit(p.here.of(e.Mode))
		}
		visit(p.at.of(e.Mode))
	}
}

func (p *place) child(name string) *place {
	child := p.below[name]
	if child == nil {
		if p.below == nil {
			p.below = make(map[string]*place)
		}
		child = new(place)
		p.below[name] = child
	}
	return child
}

// add takes in a claim that waits.
func (x *contention) add(c *claim) {
	x.each(c, func(in *crowd) { in.wait(c) })
}

// hold turns a claim that waits into one that is held.
func (x *contention) hold(c *claim) {
	x.each(c, func(in *crowd) {
		in.leave(c)
		if in.held == nil {
			in.held = make(map[*claim]int)
		}
		in.held[c]++
	})
}

// remove forgets a claim that is held.
func (x *contention) remove(c *claim) {
	x.each(c, func(in *crowd) { delete(in.held, c) })
}

// blocker is a claim that c must wait for: one that is held, or whose turn is
// before. Of several it is the one whose turn is last, since it is likely to be
// released last; nil: there is none.
func (x *contention) blocker(c *claim) *claim {
	if c.alone {
		return x.all.ahead(c, nil)
	}
	found := x.alone.ahead(c, nil)
	for _, e := range c.effects {
		p := &x.root
		for _, name := range e.Path() {
			found = p.at.ahead(c, e.Mode, found)
			p = p.child(name)
		}
		found = p.here.ahead(c, e.Mode, found)
	}
	return found
}

func (m *byMode) ahead(c *claim, mode schema.Mode, found *claim) *claim {
	found = m.changes.ahead(c, found)
	if mode != schema.Read {
		found = m.reads.ahead(c, found)
	}
	return found
}

// wait adds a claim that waits.
func (in *crowd) wait(c *claim) {
	in.waiting = slices.Insert(in.waiting, in.place(c), c)
}

// leave takes out a claim that waits. It is mostly the first.
func (in *crowd) leave(c *claim) {
	if at := in.place(c); at > 0 {
		in.waiting = slices.Delete(in.waiting, at, at+1)
		return
	}
	in.waiting[0] = nil
	in.waiting = in.waiting[1:]
}

// place is how many wait whose turn is before that of c.
func (in *crowd) place(c *claim) int {
	at, _ := slices.BinarySearchFunc(in.waiting, c, func(w, c *claim) int {
		if w.before(c) {
			return -1
		}
		return 1
	})
	return at
}

// ahead is found, or a claim here that c must wait for and that is a better find.
func (in *crowd) ahead(c, found *claim) *claim {
	if at := in.place(c); at > 0 {
		if last := in.waiting[at-1]; found == nil || found.granted || found.before(last) {
			return last
		}
		return found
	}
	if found != nil {
		return found
	}
	for held := range in.held {
		return held
	}
	return nil
}
