package apply_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// draft is a random runbook as the properties need to know it. It is written
// out as HCL and loaded: what is tested is the language and the engine together.
type draft struct {
	seed        uint64
	steady      bool // what happens does not depend on how often it is tried
	onFailure   string
	maxParallel int
	byHand      bool // once it has ended, somebody has it taken back
	steps       []*sketch
}

// sketch is one step of a draft.
type sketch struct {
	name      string
	kind      string   // set, capture, gate or call
	written   bool     // comes after all above; else after depends only
	depends   []string // written as depends_on
	reads     []string // steps whose result is used
	asks      string   // whose status its when names; empty: none
	asksFor   string
	when      string // the check that its when asks; empty: none
	before    string // the switch of its precondition; empty: none
	skips     bool   // otherwise = "skip"
	goal      bool
	proof     string // the switch of its verify, or its own; empty: none
	always    bool
	onFailure string // empty: the runbook's

	deed      // its own action
	fallbacks []*deed
	back      *wayBack // its rollback; nil: none
	noReturn  bool
	attempts  int // of its retry; 0: none
	timeout   int // seconds; 0: none
	keys      []string
	roll      int // max_parallel of its instances; 0: none
	called    *draft
}

// sketched draws a runbook.
func sketched(seed uint64, steady bool) *draft {
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := &draft{seed: seed, steady: steady}
	d.fill(rnd, 2+rnd.IntN(8), true)
	d.byHand = one(rnd, 3)
	return d
}

func (d *draft) fill(rnd *rand.Rand, n int, outermost bool) {
	d.onFailure = pick(rnd, "stop", "stop", "continue", "rollback", "rollback")
	d.maxParallel = 1 + rnd.IntN(4)
	chain := one(rnd, 3)
	for i := range n {
		s := &sketch{name: fmt.Sprintf("s%d", i), kind: pick(rnd, "set", "set", "set", "set", "set", "set", "gate", "capture"), written: chain || one(rnd, 3)}
		if outermost && one(rnd, 8) {
			s.kind = "call"
		}
		d.order(rnd, s)
		s.guard(rnd, d.steady)
		switch s.kind {
		case "set":
			s.act(rnd, d.steady)
		case "call":
			s.called = &draft{seed: d.seed, steady: d.steady}
			s.called.fill(rnd, 1+rnd.IntN(3), false)
		}
		if (s.kind == "set" || s.kind == "call") && one(rnd, 6) {
			s.keys = []string{"a", "b", "c", "d"}[:1+rnd.IntN(4)]
			if one(rnd, 2) {
				s.roll = 1 + rnd.IntN(3)
			}
		}
		d.steps = append(d.steps, s)
	}
	d.orderBack(rnd)
}

// order draws what a step comes after.
func (d *draft) order(rnd *rand.Rand, s *sketch) {
	for _, earlier := range d.steps {
		switch {
		case !s.written && one(rnd, 3):
			s.depends = append(s.depends, earlier.name)
		case one(rnd, 8) && earlier.kind != "gate":
			s.reads = append(s.reads, earlier.name)
		}
	}
	if len(d.steps) > 0 && one(rnd, 6) {
		s.asks, s.asksFor = d.steps[rnd.IntN(len(d.steps))].name, pick(rnd, "done", "done", "failed")
	}
	s.always = one(rnd, 10)
	s.onFailure = pick(rnd, "", "", "", "stop", "continue", "ignore", "rollback")
}

// guard draws what has to hold.
func (s *sketch) guard(rnd *rand.Rand, steady bool) {
	usual := []string{"yes", "yes", "yes", "yes", "no", "err"}
	if !steady {
		usual = append(usual, "maybe", "maybe")
	}
	if one(rnd, 6) {
		s.when = pick(rnd, "yes", "yes", "no", "err")
	}
	if one(rnd, 4) {
		s.before, s.skips = pick(rnd, usual...), one(rnd, 2)
	}
	if (s.kind == "gate" || s.kind == "set") && one(rnd, 4) {
		s.proof = pick(rnd, usual...)
	}
}

// act draws an action, and its ways back.
func (s *sketch) act(rnd *rand.Rand, steady bool) {
	s.draw(rnd, steady)
	s.goal = one(rnd, 2)
	if one(rnd, 4) {
		s.proof = "own"
	}
	if one(rnd, 4) {
		s.attempts = 2 + rnd.IntN(2)
	}
	s.turnBack(rnd, steady)
	switch {
	case one(rnd, 8) && steady:
		s.timeout = 100 + rnd.IntN(20)
	case one(rnd, 8) && !steady:
		s.timeout = 1 + rnd.IntN(6)
	}
}

func pick[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

func one(rnd *rand.Rand, in int) bool { return rnd.IntN(in) == 0 }

// edge is what joins a step to one that it comes after.
type edge struct {
	to   *sketch
	kind string // need: it must have ended well; after: merely comes before; wait: however it ends
}

// edges is the order that the language promises, worked out from its words and
// not from what the engine makes of them.
func (d *draft) edges(s *sketch) []edge {
	var edges []edge
	for _, earlier := range d.steps[:slices.Index(d.steps, s)] {
		kind := ""
		if s.written {
			kind = "after"
		}
		if slices.Contains(s.depends, earlier.name) {
			kind = "need"
		}
		if slices.Contains(s.reads, earlier.name) && s.asks != earlier.name {
			kind = "need"
		}
		if s.asks == earlier.name && kind == "" {
			kind = "wait"
		}
		if slices.Contains(s.reads, earlier.name) && kind == "" {
			kind = "wait"
		}
		if kind != "" {
			edges = append(edges, edge{earlier, kind})
		}
	}
	return edges
}

// stops tells whether the bad end of a step stops what comes after it.
func (d *draft) stops(s *sketch, status string) bool {
	switch policy := s.policy(d); policy {
	case "continue":
		return false
	case "ignore":
		return status == "unknown"
	}
	return true
}

func (s *sketch) policy(d *draft) string {
	if s.onFailure == "" {
		return d.onFailure
	}
	return s.onFailure
}

// without is the draft with one step taken out, and what names it.
func (d *draft) without(name string) *draft {
	smaller := *d
	smaller.steps = nil
	for _, s := range d.steps {
		if s.name == name {
			continue
		}
		kept := *s
		others := func(names []string) []string {
			return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		}
		kept.depends, kept.reads = others(s.depends), others(s.reads)
		if s.back != nil {
			back := *s.back
			back.depends = others(back.depends)
			kept.back = &back
		}
		if kept.asks == name {
			kept.asks = ""
		}
		smaller.steps = append(smaller.steps, &kept)
	}
	return &smaller
}

func quoted(names []string) string {
	return "[\"" + strings.Join(names, "\", \"") + "\"]"
}

func (d *draft) named(name string) *sketch {
	return d.steps[slices.IndexFunc(d.steps, func(s *sketch) bool { return s.name == name })]
}

// unit is what has a status of its own: a step, or an instance of one, of the
// runbook or of one that it calls.
type unit struct {
	*sketch
	draft   *draft
	address string
	whole   string // the same without the instance
	own     string // its switch
	inside  *unit  // the call that it is part of; nil: none
	inner   []*unit
}

// units lists all of a draft, callers before what they call.
func (d *draft) units() []*unit { return d.unitsIn("", "", nil) }

func (d *draft) unitsIn(address, own string, inside *unit) []*unit {
	var units []*unit
	for _, s := range d.steps {
		keys := s.keys
		if keys == nil {
			keys = []string{""}
		}
		for _, key := range keys {
			u := &unit{sketch: s, draft: d, address: address + "step." + s.name, own: own + s.name, inside: inside}
			u.whole = u.address
			if key != "" {
				u.address += fmt.Sprintf("[%q]", key)
				u.own += "-" + key
			}
			units = append(units, u)
			if inside != nil {
				inside.inner = append(inside.inner, u)
			}
			if s.called != nil {
				units = append(units, s.called.unitsIn(u.address+".", u.own+"/", u)...)
			}
		}
	}
	return units
}
