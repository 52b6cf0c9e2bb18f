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
	own := func(s *Step) *Deed {
		return &Deed{Destructive: s.Destructive, Undeclared: s.Undeclared, Effects: s.Effects}
	}
	said := own(now).Outgrows(now.Address, own(shown))
	for i := range now.Fallbacks {
		f := &now.Fallbacks[i]
		at := slices.IndexFunc(shown.Fallbacks, func(was Deed) bool { return was.Label == f.Label })
		if by := FallbackAddress(now.Address, f.Label); at < 0 {
			said = append(said, by+" was not shown")
		} else {
			said = append(said, f.Outgrows(by, &shown.Fallbacks[at])...)
		}
	}
	switch by := RollbackAddress(now.Address); {
	case now.Rollback == nil:
	case shown.Rollback == nil:
		said = append(said, by+" was not shown")
	default:
		said = append(said, now.Rollback.Outgrows(by, shown.Rollback)...)
	}
	if over := Exceeds(now.Impact, shown.Impact); over != "" && (shown.Decision == string(Run) || len(shown.Impact) > 0) {
		said = append(said, now.Address+" "+over)
	}
	return said
}

// Outgrows says what a deed would now do that was not shown of it.
func (d *Deed) Outgrows(by string, shown *Deed) []string {
	var said []string
	if d.Destructive && !shown.Destructive {
		said = append(said, by+" would now be destructive")
	}
	if d.Undeclared && !shown.Undeclared {
		said = append(said, by+" does not say any more what it would touch")
	}
	for _, e := range d.Effects {
		if !shown.Undeclared && !Allows(shown.Effects, e) {
			said = append(said, by+" would now "+string(e.Mode)+" "+e.Resource)
		}
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
