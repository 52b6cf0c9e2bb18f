package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Grew compares what was shown with what would now be done and says what was
// not approved; empty: nothing.
func Grew(shown, now *Plan) []string {
	before := make(map[string]*Step, len(shown.Steps))
	for i := range shown.Steps {
		before[shown.Steps[i].Address] = &shown.Steps[i]
	}
	var said []string
	for i := range now.Steps {
		s := &now.Steps[i]
		if s.Action == "" || s.Decision != string(Run) {
			continue
		}
		b := before[s.Address]
		switch {
		case b == nil || b.Decision != string(Run) && b.Decision != string(Deferred) && !b.Tentative:
			said = append(said, s.Address+" would now act: "+s.Reason)
		case b.Decision != string(Run) && len(b.Effects) == 0:
			// Nobody could tell yet what it would do, and that was shown.
		default:
			said = append(said, outgrown(b, s)...)
		}
	}
	return said
}

// outgrown says how a step would now do more than was shown of it.
func outgrown(shown, now *Step) []string {
	var said []string
	if now.Destructive && !shown.Destructive {
		said = append(said, now.Address+" would now be destructive")
	}
	if now.Undeclared && !shown.Undeclared {
		said = append(said, now.Address+" does not say any more what it would touch")
	}
	for _, e := range now.Effects {
		if !shown.Undeclared && !Allows(shown.Effects, e) {
			said = append(said, now.Address+" would now "+string(e.Mode)+" "+e.Resource)
		}
	}
	if over := Exceeds(now.Impact, shown.Impact); over != "" && (shown.Decision == string(Run) || len(shown.Impact) > 0) {
		said = append(said, now.Address+" "+over)
	}
	return said
}

// Allows tells whether what was approved includes an effect.
func Allows(approved []schema.Effect, e schema.Effect) bool {
	for _, a := range approved {
		if a.Covers(e.Resource) && !e.Mode.Stronger(a.Mode) {
			return true
		}
	}
	return false
}

// Exceeds says which count is more than 110 % of what was shown; empty: none.
func Exceeds(now, shown schema.Impact) string {
	for _, unit := range slices.Sorted(maps.Keys(now)) {
		if n, was := now[unit], shown[unit]; n*10 > was*11 {
			return fmt.Sprintf("would now hit %d %s, shown were %d", n, unit, was)
		}
	}
	return ""
}
