package rehearse

import (
	"github.com/runbook-engine/runbook/engine/address"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// FaultKind is how something goes wrong.
type FaultKind string

// The kinds of fault. All but Crash last until the run has ended: a retry meets
// them again.
const (
	Errs          FaultKind = "errs"             // a look gets no answer
	NeverHolds    FaultKind = "never_holds"      // of a goal: from when the step acts
	PreviewFails  FaultKind = "preview_fails"    // what would be hit cannot be counted
	FailsClean    FaultKind = "fails_clean"      // the action changes nothing
	FailsPartly   FaultKind = "fails_partly"     // it ends, and may have changed something
	UnknownDone   FaultKind = "unknown_done"     // it does its work, and nobody hears of it
	UnknownUndone FaultKind = "unknown_not_done" // it does not, and nobody hears of that either
	Unanswered    FaultKind = "unanswered"       // a person who is asked is not there
	Declined      FaultKind = "declined"         // or says no
	Crash         FaultKind = "crash"            // the engine dies there, and the run is resumed
)

// Fault is one thing that goes wrong in a run.
type Fault struct {
	Step string // its address; empty: a check's, wherever it is looked at
	At   string // step.x, one of its assertions as step.x.goal.g, or check.c
	Kind FaultKind

	Subject string // precondition p, goal g, verify v, capture, preview, person, action, fallback f, rollback, check.c, crash
	when    string // of a crash
}

// What says what goes wrong, without the step: "goal fresh never holds".
func (f Fault) What() string {
	if f.Kind == Crash {
		return "crash " + f.How()
	}
	return f.Subject + " " + f.How()
}

// How says how the subject goes wrong: "never holds".
func (f Fault) How() string {
	switch f.Kind {
	case Errs:
		return "errs"
	case NeverHolds:
		return "never holds"
	case PreviewFails:
		return "fails"
	case FailsClean:
		return "fails, nothing changed"
	case FailsPartly:
		return "fails, partly done"
	case UnknownDone:
		return "ends unknown, done"
	case UnknownUndone:
		return "ends unknown, not done"
	case Unanswered:
		return "does not answer"
	case Declined:
		return "says no"
	case Crash:
		return f.when
	}
	return string(f.Kind)
}

// String is "step.x: goal fresh never holds", or "check.c errs".
func (f Fault) String() string {
	if f.Step == "" {
		return f.What()
	}
	return f.Step + ": " + f.What()
}

func (f Fault) failure() *schema.Failure {
	return &schema.Failure{Code: "injected", Message: "injected: " + f.What()}
}

// site is a place of a run at which something can go wrong.
type site struct {
	step    string // empty: a check
	at      string
	subject string // precondition p, goal g, verify v, capture, preview, person, action, fallback f, rollback; a check: its own name
	looks   bool   // an assertion that asks somebody
}

// reach notes that a run has come to a site.
func (b *backend) reach(s site) {
	if !b.applying || b.fault != nil {
		return
	}
	if !slices.Contains(b.sites[s.step], s) {
		if b.sites[s.step] == nil {
			b.stepsReached = append(b.stepsReached, s.step)
		}
		b.sites[s.step] = append(b.sites[s.step], s)
	}
}

// goesWrong tells whether the run's fault is this one.
func (b *backend) goesWrong(at string, kind FaultKind) bool {
	return b.applying && b.fault != nil && b.fault.At == at && b.fault.Kind == kind
}

// spoils tells whether the run's fault is one by which this step's action does
// not get to do anything.
func (b *backend) spoils(step string) bool {
	return b.goesWrong(step, FailsClean) || b.goesWrong(step, FailsPartly) || b.goesWrong(step, UnknownUndone)
}

// faults are all that can go wrong in the run that has just ended: of its
// checks, then of its steps. What a run does not come to cannot go wrong in it:
// up to the fault an injected run is the same.
func (b *backend) faults() []Fault {
	order, known := []string{""}, map[string]bool{"": true}
	for _, s := range b.result.Steps {
		order, known[s.Address] = append(order, s.Address), true
	}
	for _, step := range b.stepsReached {
		if !known[step] {
			order = append(order, step)
		}
	}
	var all []Fault
	ended := b.ended()
	for _, step := range order {
		for _, s := range b.sites[step] {
			for _, kind := range s.faults(b.began[step]) {
				all = append(all, Fault{Step: step, At: s.at, Kind: kind, Subject: s.subject})
			}
			if word, _, _ := strings.Cut(s.subject, " "); word == "fallback" || word == "rollback" {
				all = append(all, Fault{Step: step, At: s.at, Kind: Crash, Subject: "crash", when: "as its " + s.subject + " ends"})
			}
		}
		switch {
		case b.began[step]:
			all = append(all, Fault{Step: step, At: step, Kind: Crash, Subject: "crash", when: "as its action ends"})
		case ended[step]:
			all = append(all, Fault{Step: step, At: step, Kind: Crash, Subject: "crash", when: "once it has ended"})
		}
	}
	return all
}

// faults are the kinds that a site can have; acted: its step acts.
func (s site) faults(acted bool) []FaultKind {
	word, _, _ := strings.Cut(s.subject, " ")
	switch word {
	case "action", "fallback", "rollback":
		return []FaultKind{FailsClean, FailsPartly, UnknownDone, UnknownUndone}
	case "person":
		return []FaultKind{Unanswered, Declined}
	case "preview":
		return []FaultKind{PreviewFails}
	case "precondition", "goal", "verify":
		var kinds []FaultKind
		if s.looks {
			kinds = append(kinds, Errs)
		}
		if word != "goal" || acted {
			kinds = append(kinds, NeverHolds)
		}
		return kinds
	}
	return []FaultKind{Errs} // a capture or a check
}

// ended names the steps of which something came.
func (b *backend) ended() map[string]bool {
	ended := map[string]bool{}
	for _, e := range b.record.events {
		if e.Type == event.StepFinished && e.Status != "not_run" {
			ended[e.Step] = true
		}
	}
	return ended
}

// siteOf is the site of an assertion that is looked at, by the place it is
// looked at for: that of a step's, or a check.
func siteOf(place string, a *runbook.Assertion) site {
	looks := a.Probe != nil || len(a.Checks) > 0
	if strings.HasPrefix(place, checkProvider+".") {
		return site{at: place, subject: place, looks: looks}
	}
	subject := a.Kind + " " + a.Name
	step := strings.TrimSuffix(place, "."+a.Kind+"."+a.Name)
	if _, err := address.Parse(step); err != nil { // its rollback's
		step = strings.TrimSuffix(step, ".rollback")
		subject += " of its rollback"
	}
	return site{step: step, at: place, subject: subject, looks: looks}
}
