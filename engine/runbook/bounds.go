package runbook

import (
	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/graph"
)

// What the parts of a runbook may multiply to. Each is far beyond what a person
// could follow, and far below what would take minutes.
const (
	maxSteps  = 10_000    // of a runbook and of all that it calls; instances are not counted
	maxEdges  = 100_000   // between the steps of one file
	maxVisits = 1_000_000 // of references that are looked at again through locals
	maxLooks  = 1000      // that one check stands for
	maxName   = 200       // bytes of a name
	maxTell   = 100       // notifies and escalations
)

// boundSteps reports a file of too many steps.
func (l *loader) boundSteps() {
	if n := len(l.rb.Steps); n > maxSteps {
		l.add(diag.FileTooLarge.At(l.rb.Steps[maxSteps].Range, "The runbook has %d steps; %d is the most that is worked with. One step with a for_each can stand for many that are alike.", n, maxSteps))
	}
}

// boundNotices reports a runbook that would tell too much: each is an action of its
// own, and all may come at once.
func (l *loader) boundNotices() {
	if n := len(l.rb.Notices); n > maxTell {
		l.add(diag.FileTooLarge.At(l.rb.Notices[maxTell].Range, "There are %d notifies and escalations; %d is the most that is worked with.", n, maxTell))
		l.rb.Notices = l.rb.Notices[:maxTell]
	}
}

// boundEdges reports the step with which there are too many edges.
func (l *loader) boundEdges(s *Step) (full bool) {
	if l.edges += len(s.Edges); l.edges <= maxEdges {
		return false
	}
	l.add(diag.FileTooLarge.At(s.Range, "Up to here the steps name other steps more than %d times, also through locals. Let fewer steps read each other's results, or divide the runbook.", maxEdges))
	return true
}

// boundVisits reports locals that were looked at too often.
func (l *loader) boundVisits() {
	if l.visits > maxVisits {
		l.add(diag.FileTooLarge.At(l.rb.Range, "The steps of this runbook use too much through locals, which are looked at again for each of them: leave some locals out, or divide the runbook."))
	}
}

// boundLooks reports the first check that stands for too many looks.
func (l *loader) boundLooks(g *graph.Graph, names []string) {
	looks := make(map[string]int, len(names))
	for _, n := range g.Order() { // what a check is made of comes first
		check := l.rb.Checks[names[n]]
		for _, part := range check.Checks {
			looks[names[n]] += max(looks[part.Name], 1)
		}
		if looks[names[n]] > maxLooks {
			l.add(diag.FileTooLarge.At(check.Range, "To look at check.%s takes more than %d looks: checks of checks multiply.", names[n], maxLooks))
			return
		}
	}
}
