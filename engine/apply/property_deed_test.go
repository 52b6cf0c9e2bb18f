package apply_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
)

// deed is what a step may do: its own action, a fallback, or its rollback.
type deed struct {
	class      string // manual, observed, idempotent or keyed
	touches    string // a resource that others touch too; empty: its own
	mode       string
	undeclared bool
	destroys   bool
	takes      int    // seconds
	ending     string // how attempts end, see endings
}

// wayBack is a step's rollback.
type wayBack struct {
	deed
	proof   string   // the switch of its verify, or its own; empty: none
	depends []string // steps whose rollbacks come first
	widens  bool     // it touches more than could be told before the step had acted
}

// How the attempts of a deed end. What is lost or taken ends without a word at
// the first attempt, and well at the others. Of what is wild each attempt ends
// in its own way.
const (
	well    = "well"
	clean   = "clean"
	partial = "partial"
	lostIt  = "lost"  // and had no effect
	tookIt  = "taken" // and had its effect
	wild    = "wild"
)

// draw draws a deed. More of endings than of others end badly.
func (d *deed) draw(rnd *rand.Rand, steady bool, endings ...string) {
	d.class = pick(rnd, "manual", "observed", "idempotent", "keyed")
	d.mode = pick(rnd, "read", "write", "write", "delete")
	if one(rnd, 2) {
		d.touches = pick(rnd, "fake://host/r", "fake://host/r/under", "fake://host/q")
	}
	d.undeclared, d.destroys = one(rnd, 15), one(rnd, 10)
	d.takes = 1 + rnd.IntN(5)
	d.ending = pick(rnd, append(endings, well, well, well, well, clean, partial, lostIt, tookIt)...)
	if !steady && one(rnd, 2) {
		d.ending = wild
	}
	if d.class == "observed" && d.ending == lostIt {
		d.ending = tookIt // found to be clean it is begun again only in another process
	}
}

// turnBack draws the ways back of a step with an action.
func (s *sketch) turnBack(rnd *rand.Rand, steady bool) {
	for range pick(rnd, 0, 0, 0, 1, 2) {
		f := new(deed)
		f.draw(rnd, steady)
		s.fallbacks = append(s.fallbacks, f)
	}
	s.noReturn = one(rnd, 8)
	if !one(rnd, 3) {
		s.back = new(wayBack)
		s.back.draw(rnd, steady, well, well, well, well)
		if one(rnd, 4) {
			s.back.proof = pick(rnd, "own", "own", "own", "no", "err")
		}
		s.back.widens = s.back.destroys && one(rnd, 2)
	}
}

// orderBack draws which rollbacks come after which: all in one direction, so that
// none waits for itself.
func (d *draft) orderBack(rnd *rand.Rand) {
	earlier := one(rnd, 2)
	for i, s := range d.steps {
		for j, other := range d.steps {
			if s.back != nil && (j < i) == earlier && i != j && (other.back != nil || other.called != nil) && one(rnd, 5) {
				s.back.depends = append(s.back.depends, other.name)
			}
		}
	}
}

// deeds are what the step may do, its own action first, its rollback last.
func (s *sketch) deeds() []*deed {
	if s.kind != "set" {
		return nil
	}
	deeds := append([]*deed{&s.deed}, s.fallbacks...)
	if s.back != nil {
		deeds = append(deeds, &s.back.deed)
	}
	return deeds
}

// ends tells whether an attempt at anything that the step does may end so.
func (s *sketch) ends(how ...string) bool {
	return slices.ContainsFunc(s.deeds(), func(d *deed) bool { return slices.Contains(how, d.ending) })
}

// doing is a deed of a unit.
type doing struct {
	*unit
	*deed
	name string // of its switch
}

// doings lists what a unit may do.
func (u *unit) doings() []doing {
	var doings []doing
	for _, d := range u.deeds() {
		doings = append(doings, doing{u, d, u.own + u.suffix(d)})
	}
	return doings
}

func (u *unit) suffix(d *deed) string {
	switch n := slices.Index(u.fallbacks, d); {
	case n >= 0:
		return fmt.Sprintf("~f%d", n)
	case u.back != nil && d == &u.back.deed:
		return "~back"
	}
	return ""
}

// doing is what an attempt is of.
func (u *unit) doing(a *event.Attempt) doing {
	suffix := ""
	switch {
	case a.TakesBack:
		suffix = "~back"
	case a.Fallback != "":
		suffix = "~" + a.Fallback
	}
	all := u.doings()
	return all[slices.IndexFunc(all, func(d doing) bool { return d.name == u.own+suffix })]
}

// place is that of what an attempt is of: 0 is the step's own action, 1 its first
// fallback.
func placeOf(a *event.Attempt) int {
	n := 0
	if a.Fallback != "" {
		_, _ = fmt.Sscanf(a.Fallback, "f%d", &n)
		n++
	}
	return n
}

// hcl is the action of a deed.
func (d *deed) hcl(indent, name, touches, text string) string {
	return fmt.Sprintf("action \"fake.%s\" {\n%[2]s  name       = \"%[3]s\"\n%[2]s  touches    = %[4]s\n%[2]s  mode       = %[5]q\n%[2]s  undeclared = %[6]t\n%[2]s  destroys   = %[7]t\n%[2]s  text       = \"%[8]s\"\n%[2]s}",
		d.class, indent, name, touches, d.mode, d.undeclared, d.destroys, text)
}

// waysBack writes out fallbacks and rollback of a step.
func (s *sketch) waysBack(line func(string, ...any), own, text string) {
	if s.noReturn {
		line("point_of_no_return = true")
	}
	for n, f := range s.fallbacks {
		line("fallback \"f%d\" {\n    %s\n  }", n, f.hcl("    ", fmt.Sprintf("%s~f%d", own, n), fmt.Sprintf("%q", f.touches), text))
	}
	if s.back == nil {
		return
	}
	touches := fmt.Sprintf("%q", s.back.touches)
	if s.back.widens {
		touches = "try(self.result.value, \"\") == \"\" ? " + touches + " : \"fake://host/more\""
	}
	var more strings.Builder
	if len(s.back.depends) > 0 {
		depends := make([]string, len(s.back.depends))
		for i, name := range s.back.depends {
			depends[i] = "step." + name
		}
		fmt.Fprintf(&more, "\n    depends_on = [%s]", strings.Join(depends, ", "))
	}
	if s.back.proof != "" {
		name := s.back.proof
		if name == "own" {
			name = own + "~back"
		}
		fmt.Fprintf(&more, "\n    verify \"proof\" {\n      probe \"fake.get\" { name = \"%s\" }\n      within = \"3s\"\n      every  = \"1s\"\n    }", name)
	}
	line("rollback {\n    %s%s\n  }", s.back.hcl("    ", own+"~back", touches, "${try(self.result.value, \"none\")}"), more.String())
}
