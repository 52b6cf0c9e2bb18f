package apply_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// process is what one process of a run said.
type process struct {
	draft       *draft
	units       []*unit
	history     []event.Event // of earlier processes
	events      []event.Event
	since       int               // events of this process as it was interrupted
	kept        map[string]string // how steps ended in earlier processes, by address
	was         map[string]string // how they ended last
	account     *account          // of all that is on record in the end
	result      apply.Result
	whole       bool // it was not killed
	interrupted time.Time
}

// obeys holds the events of a process against the rules of order; it returns
// what is wrong.
func (p *process) obeys() (wrong []string) {
	blame := func(e event.Event, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("event %d, %s of %s: ", e.Seq, e.Type, e.Step)+fmt.Sprintf(format, args...))
	}
	by := map[string]*unit{}
	for _, u := range p.units {
		by[u.address] = u
	}
	p.account = accountOf(p.units, slices.Concat(p.history, p.events))
	ended, began := map[string]string{}, map[string]bool{}
	for i, e := range p.events {
		if i > 0 && (e.Seq != p.events[i-1].Seq+1 && p.events[i-1].Type != event.RunFinished || e.Time.Before(p.events[i-1].Time)) {
			blame(e, "out of order")
		}
		u := by[e.Step]
		if u == nil {
			if e.Type == event.StepFinished { // a for_each that did not come to its instances
				ended[e.Step] = e.Status
			}
			continue
		}
		switch e.Type {
		case event.StepStarted:
			if e.Rollback != "" {
				ended[e.Step] = "" // its second ending begins
			} else if why := p.tooEarly(u, ended); why != "" {
				blame(e, "%s", why)
			}
			began[e.Step] = true
		case event.ActionStarted:
			if e.Attempt.TakesBack {
				break
			}
			if why := p.mustNot(u, ended); why != "" {
				blame(e, "%s", why)
			}
			if !p.interrupted.IsZero() && e.Time.After(p.interrupted) && !u.outlives() {
				blame(e, "after an interrupt")
			}
		case event.StepFinished:
			if ended[e.Step] != "" && (u.called == nil || !takenBack(e.Status)) {
				blame(e, "it has ended %s before", ended[e.Step])
			}
			ended[e.Step] = e.Status
		}
		if n := p.atWork(u, began, ended); u.roll > 0 && n > u.roll {
			blame(e, "%d instances are at work, the roll takes %d", n, u.roll)
		}
	}
	if p.whole {
		wrong = append(wrong, p.ends(ended)...)
	}
	return wrong
}

// outlives tells whether a unit is an always step, or called by one.
func (u *unit) outlives() bool {
	for ; u != nil; u = u.inside {
		if u.always {
			return true
		}
	}
	return false
}

// stood is how a unit had ended before, where that stands: where what was done is
// taken back, it does not begin again.
func (p *process) stood(u *unit) string {
	if p.kept[u.address] == "" && p.account.takenBack(u) {
		return p.was[u.address]
	}
	return p.kept[u.address]
}

// status is how a step has ended, its instances taken together; empty: not yet.
func (p *process) status(of *unit, s *sketch, ended map[string]string) string {
	var statuses []string
	for _, u := range p.units {
		if u.sketch != s || u.inside != of.inside {
			continue
		}
		status := ended[u.address]
		if status == "" {
			status = p.stood(u)
		}
		if status == "" {
			status = ended[u.whole] // a for_each that did not come to its instances
		}
		if status == "" {
			return ""
		}
		statuses = append(statuses, status)
	}
	return plan.Worst(statuses)
}

func (p *process) tooEarly(u *unit, ended map[string]string) string {
	for ; u != nil; u = u.inside {
		for _, e := range u.draft.edges(u.sketch) {
			if p.status(u, e.to, ended) == "" {
				return "it starts before " + e.to.name + " has ended"
			}
		}
	}
	return ""
}

// mustNot says why an action must not begin: what it needs has not ended well, or
// something that stops has ended badly.
func (p *process) mustNot(u *unit, ended map[string]string) string {
	if why := p.tooEarly(u, ended); why != "" {
		return why
	}
	for ; u != nil && !u.always; u = u.inside {
		for _, e := range u.draft.edges(u.sketch) {
			if status := p.status(u, e.to, ended); e.kind == "need" && !p.wellEnough(u.draft, e.to, u.inside, status, ended) {
				return "it needs " + e.to.name + ", which ended " + status
			}
		}
		for _, other := range p.units {
			status := ended[other.address]
			if other.draft == u.draft && other.inside == u.inside && slices.Contains([]string{"failed", "blocked", "unknown"}, status) && u.draft.stops(other.sketch, p.doubted(other, status, ended)) {
				return "the run was stopped by " + other.address + ", which ended " + status
			}
		}
	}
	return ""
}

// doubted is a unit's status, where that is in doubt inside of it unknown.
func (p *process) doubted(u *unit, status string, ended map[string]string) string {
	if slices.ContainsFunc(u.inner, func(i *unit) bool { return ended[i.address] == "unknown" }) {
		return "unknown"
	}
	return status
}

// wellEnough tells whether those that need a step may go on: it ended well, or
// badly and is ignored, and nobody is in doubt.
func (p *process) wellEnough(d *draft, s *sketch, inside *unit, status string, ended map[string]string) bool {
	switch status {
	case "done", "satisfied", "skipped":
		return true
	case "failed", "blocked":
		return s.policy(d) == "ignore" && !p.inDoubt(s, inside, ended)
	}
	return false
}

// inDoubt tells whether of a step that a step calls nobody knows how it ended.
func (p *process) inDoubt(s *sketch, inside *unit, ended map[string]string) bool {
	return slices.ContainsFunc(p.units, func(u *unit) bool {
		return u.inside != nil && u.inside.sketch == s && u.inside.inside == inside && ended[u.address] == "unknown"
	})
}

// atWork counts the instances of a unit's step that have begun and not ended.
func (p *process) atWork(u *unit, began map[string]bool, ended map[string]string) int {
	n := 0
	for _, other := range p.units {
		if other.sketch == u.sketch && other.inside == u.inside && began[other.address] && ended[other.address] == "" {
			n++
		}
	}
	return n
}

// ends holds the end of a process against its result.
func (p *process) ends(ended map[string]string) (wrong []string) {
	blame := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	told := map[string]string{}
	for _, s := range p.result.Steps {
		told[s.Address] = s.Status
	}
	good, a := true, p.account
	for _, u := range p.units {
		status := ended[u.address]
		turn := a.of[u].rolling && slices.Contains(p.result.Waiting, u.address) // to be taken back, and it waits
		if status == "" && !turn {
			status = p.stood(u)
		}
		if told[u.address] == "" && ended[u.address] == "" && p.stood(u) != "" && len(p.result.Waiting) > 0 {
			continue // a call or a for_each that is not come to again yet, or what is held until all is taken back
		}
		if u.notReached(ended, a) {
			good = good && (u.inside != nil || p.wellEnough(u.draft, u.sketch, nil, ended[u.whole], ended))
			continue
		}
		if status != told[u.address] && (p.kept[u.address] == "" || status != told[u.whole]) {
			blame("%s ended %q, the result says %q", u.address, status, told[u.address])
		}
		if status == "" && len(p.result.Waiting) == 0 {
			blame("%s has no status, and nobody is waited for", u.address)
		}
		if u.inside == nil {
			good = good && p.wellEnough(u.draft, u.sketch, nil, status, ended)
		}
	}
	if (p.result.Outcome == apply.Succeeded) != (good && a.back[nil] == "") {
		blame("the outcome is %s", p.result.Outcome)
	}
	return wrong
}

// notReached tells whether a for_each that the unit is part of, or its own, did
// not come to its instances.
func (u *unit) notReached(ended map[string]string, a *account) bool {
	for ; u != nil; u = u.inside {
		if u.keys != nil && (ended[u.whole] != "" || a.takenBack(u) && a.whole[u.whole] != "") {
			return true
		}
	}
	return false
}
