package rehearse

import (
	"strings"

	"github.com/runbook-engine/runbook/engine/address"
)

// deeds are how often something was done, by operation and by whom: the address
// of a step, or of an instance of one.
type deeds map[string]map[string]int

func (d deeds) note(operation, step string) {
	if d[operation] == nil {
		d[operation] = map[string]int{}
	}
	d[operation][step]++
}

// seen is how often it was done as far as a place can see: each instance of a
// step has a world of its own, in which what its siblings did has not happened.
// by narrows it to what one step did, or its instances; empty: whoever.
func (d deeds) seen(operation, place, by string) int {
	n := 0
	for step, times := range d[operation] {
		if (by == "" || under(step, by)) && !siblings(step, place) {
			n += times
		}
	}
	return n
}

// siblings tells whether two places belong to different instances of one step.
func siblings(a, b string) bool {
	if !strings.Contains(a, "[") || !strings.Contains(b, "[") {
		return false
	}
	p, q := parts(a), parts(b)
	for i := range min(len(p), len(q)) {
		if p[i].Name != q[i].Name {
			return false
		}
		if p[i].Key != q[i].Key {
			return true
		}
	}
	return false
}

// parts are the levels of the address that a place begins with.
func parts(place string) []address.Part {
	for {
		if at, err := address.Parse(place); err == nil {
			return at.Parts()
		}
		end := strings.LastIndex(place, ".")
		if end < 0 {
			return nil
		}
		place = place[:end]
	}
}

// instance is the part of a place that says in which instances of which steps it
// is; empty: in none.
func instance(place string) string {
	end := strings.LastIndex(place, `"]`)
	if end < 0 {
		return ""
	}
	return place[:end+2]
}
