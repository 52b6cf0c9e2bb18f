package runbook

import (
	"maps"
	"slices"
)

// reach finds what the runbook's own steps, outputs, checks and notices lead to. Of
// included files only that is kept; variables are kept, so that their names
// stay known, and marked.
func (l *loader) reach() {
	rb := l.rb
	var pending []string
	for _, s := range rb.Steps {
		pending = append(pending, "step "+s.Name)
		pending = append(pending, l.sharedBy(s)...)
	}
	for _, o := range rb.Outputs {
		pending = append(pending, "output "+o.Name)
	}
	if len(l.tree.path) > 0 {
		rb.Notices = nil // whoever calls it has its own
	}
	for _, n := range rb.Notices {
		pending = append(pending, n.Kind+" "+n.Name)
	}
	for name := range rb.Checks {
		if l.inMain["check "+name] {
			pending = append(pending, "check "+name)
		}
	}
	reached := map[string]bool{}
	for len(pending) > 0 {
		what := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if !reached[what] {
			reached[what] = true
			pending = append(pending, l.uses[what]...)
		}
	}
	drop := func(key string) bool { return !reached[key] && !l.inMain[key] }
	maps.DeleteFunc(rb.Checks, func(name string, _ *Check) bool { return drop("check " + name) })
	maps.DeleteFunc(rb.Providers, func(ref string, _ *Provider) bool { return drop("provider " + ref) })
	maps.DeleteFunc(rb.Locals, func(name string, _ *Local) bool { return drop("local " + name) })
	for name, v := range rb.Variables {
		v.Reached = reached["variable "+name]
	}
	l.diagnose()
}

// sharedBy lists the variables that a called runbook needs and that are of a
// file which this one includes too: they have one value in a run, and it is
// found here.
func (l *loader) sharedBy(s *Step) []string {
	if s.Call == nil || s.Call.Runbook == nil {
		return nil
	}
	var shared []string
	for name, v := range s.Call.Runbook.Variables {
		if ours := l.rb.Variables[name]; v.Reached && ours != nil && ours.Range.Filename == v.Range.Filename && v.Range.Filename != l.rb.File {
			shared = append(shared, "variable "+name)
		}
	}
	return shared
}

// diagnose lists the checks whose values are read.
func (l *loader) diagnose() {
	read := map[string]bool{}
	note := func(r, _ Reference) {
		if r.Root == "check" {
			read[r.Name] = true
		}
	}
	for i := range l.bodies {
		var refs []Reference
		for _, u := range l.bodies[i].uses {
			refs = append(refs, u.ref)
		}
		l.expand(refs, note)
	}
	for _, o := range l.rb.Outputs {
		l.expand(References(o.Value), note)
	}
	l.rb.Diagnosis = slices.Sorted(maps.Keys(read))
}
