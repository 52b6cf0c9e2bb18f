package apply_test

import (
	"fmt"
	"slices"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// account is what a record says so far of what is taken back. A call stands for
// the runbook that it calls; nil is the outermost.
type account struct {
	by    map[string]*unit
	of    map[*unit]*course
	units []*unit
	whole map[string]string // how steps with a for_each ended that did not come to their instances
	back  map[*unit]string  // because of which step what was done there is taken back
	since map[*unit]int64   // the place in the record of where that was decided
	late  map[*unit]bool    // an always step has acted there after it stopped
	hand  bool              // a person has it taken back
}

// course is what a record says of one unit.
type course struct {
	attempts []event.Attempt
	intents  []int64 // their places in the record
	status   string  // the last; empty: it is under way, or has not begun
	ended    string  // how it ended before it was taken back
	endedAt  int64
	here     bool // in this process
	spared   bool // on record it ended badly, and nothing was taken back because of that
	rolling  bool
	frame    *unit // of what it is taken back with
	late     int64 // the last of intents, where an always step acted after a stop; else 0
	lateOf   *unit // of what
	asks     bool  // a person, since its last word
	inMotion bool  // it has begun, in this process, and has not ended
	acts     bool  // likewise its last attempt
}

func accountOf(units []*unit, events []event.Event) *account {
	a := &account{by: map[string]*unit{}, whole: map[string]string{}, of: map[*unit]*course{}, units: units, back: map[*unit]string{}, since: map[*unit]int64{}, late: map[*unit]bool{}}
	for _, u := range units {
		a.by[u.address], a.of[u] = u, new(course)
	}
	for _, e := range events {
		a.note(e)
	}
	a.rest()
	return a
}

// rest is the end of a process: nothing is under way.
func (a *account) rest() {
	for _, c := range a.of {
		c.inMotion, c.acts, c.asks, c.here = false, false, false, false
	}
}

func takenBack(status string) bool { return status == "rolled_back" || status == "rollback_failed" }

// note takes an event into account.
func (a *account) note(e event.Event) {
	if e.Type == event.RunStarted {
		if e.Start.TakeBack && !a.hand {
			a.hand, a.back[nil], a.since[nil] = true, event.RollbackByHand, e.Seq
		}
		a.rest()
		return
	}
	if e.Type == event.StepFinished && e.Rollback != "" {
		if frame := a.frameOf(e.Step); a.back[frame] == "" {
			a.back[frame], a.since[frame] = e.Rollback, e.Seq
		}
	}
	u := a.by[e.Step]
	if u == nil {
		if e.Type == event.StepFinished {
			a.whole[e.Step] = e.Status
		}
		return
	}
	for w := u; w != nil && (e.Observation == nil || e.Observation.Kind != "check"); w = w.inside {
		delete(a.whole, w.whole)
	}
	c := a.of[u]
	c.asks = e.Type == event.StepWaiting && e.WaitsFor == "person"
	switch e.Type {
	case event.StepStarted:
		if c.status, c.rolling, c.inMotion = "", e.Rollback != "", true; c.rolling {
			c.frame = a.frameOf(e.Rollback)
		}
	case event.ActionStarted:
		c.attempts, c.intents, c.acts = append(c.attempts, *e.Attempt), append(c.intents, e.Seq), true
		late := e.Attempt.AfterStop || e.Attempt.AfterStopOf != ""
		if !e.Attempt.TakesBack {
			c.late, c.endedAt, c.here, c.spared = 0, 0, true, false
		}
		if late {
			c.lateOf, c.late = a.by[e.Attempt.AfterStopOf], e.Seq
			a.late[c.lateOf] = true
		}
	case event.ActionFinished:
		c.attempts[len(c.attempts)-1], c.acts = *e.Attempt, false
		if c.status == "unknown" && (e.Attempt.Settled != "" || e.Attempt.State == schema.Done) {
			c.status = "" // it goes on
		}
	case event.StepFinished:
		c.status, c.inMotion = e.Status, false
		if c.rolling || takenBack(e.Status) {
			break
		}
		c.ended, c.spared = e.Status, slices.Contains([]string{"failed", "blocked"}, e.Status) && e.Rollback == ""
		if c.endedAt == 0 { // without having acted anew it has not ended anew
			c.endedAt = e.Seq
		}
	}
}

// frameOf is where a step is, or a for_each that did not come to its instances.
func (a *account) frameOf(address string) *unit {
	for _, u := range a.units {
		if u.address == address || u.whole == address {
			return u.inside
		}
	}
	return nil
}

// frames are those that a unit is part of, the innermost first.
func (u *unit) frames() []*unit {
	frames := []*unit{u.inside}
	for f := u.inside; f != nil; f = f.inside {
		frames = append(frames, f.inside)
	}
	return frames
}

func (u *unit) within(frame *unit) bool { return slices.Contains(u.frames(), frame) }

// outlivesIn tells whether a unit is, within a frame, an always step or called by
// one.
func (u *unit) outlivesIn(frame *unit) bool {
	for ; u != frame; u = u.inside {
		if u.always {
			return true
		}
	}
	return false
}

func (a *account) takenBack(u *unit) bool {
	return slices.ContainsFunc(u.frames(), func(f *unit) bool { return a.back[f] != "" })
}

// over tells whether nothing new starts in a frame any more.
func (a *account) over(frame *unit) bool {
	for {
		if a.late[frame] || frame == nil || frame.always {
			return a.late[frame]
		}
		frame = frame.inside
	}
}

// last is a unit's last attempt; nil: it has none.
func (c *course) last() *event.Attempt {
	if len(c.attempts) == 0 {
		return nil
	}
	return &c.attempts[len(c.attempts)-1]
}

// unclear tells whether nobody knows how a unit ended: that an attempt failed says
// nothing of one before it under the same key.
func (c *course) unclear() bool {
	for i := len(c.attempts) - 1; i >= 0 && !c.acts; i-- {
		attempt := c.attempts[i]
		switch {
		case attempt.Key != c.attempts[len(c.attempts)-1].Key, attempt.Settled != "", attempt.State == schema.Done:
			return c.status == "unknown"
		case attempt.State == "" || attempt.State == schema.Unknown:
			return true
		}
	}
	return c.status == "unknown"
}

// changed is the place in the record of the first attempt that may have changed
// something; 0: none has.
func (c *course) changed() int64 {
	for i, attempt := range c.attempts {
		if !attempt.TakesBack && attempt.State != schema.FailedClean {
			return c.intents[i]
		}
	}
	return 0
}

// crossed is where the last point of no return was crossed.
func (a *account) crossed() int64 {
	var at int64
	for _, u := range a.units {
		if u.noReturn {
			at = max(at, a.of[u].changed())
		}
	}
	return at
}

// keeps says why a unit is not to be taken back; empty: it is.
func (a *account) keeps(u *unit) string {
	c := a.of[u]
	switch {
	case u.back == nil:
		return "it has no rollback"
	case c.changed() == 0:
		return "it has changed nothing"
	case c.status == "" && !c.rolling:
		return "it has not ended"
	case c.status == "rolled_back":
		return "it was taken back"
	case c.endedAt < a.crossed():
		return "it ended before a point of no return was crossed"
	}
	return ""
}

// first tells whether one unit is to be taken back before another.
func (a *account) first(u, other *unit) bool {
	good := func(u *unit) bool {
		ended := a.of[u].ended
		return ended == "done" || ended == "satisfied" || ended == "skipped" || (ended == "failed" || ended == "blocked") && u.policy(u.draft) == "ignore"
	}
	if good(u) != good(other) {
		return good(other)
	}
	return a.of[u].endedAt > a.of[other].endedAt
}

// awaits tells whether the rollback of one unit says that it comes after that of
// another.
func (u *unit) awaits(other *unit) bool {
	return u.back != nil && slices.ContainsFunc(u.back.depends, func(name string) bool {
		for o := other; o != nil; o = o.inside {
			if o.sketch == u.draft.named(name) && o.inside == u.inside {
				return true
			}
		}
		return false
	})
}

// backTurns is what one process takes back of a frame.
type backTurns struct {
	order  []*unit
	always string // an always step that has begun after that was decided
}

// takesBack holds the events of a process against the rules of fallbacks and of
// taking back; it returns what is wrong.
func (p *process) takesBack() (wrong []string) {
	a := accountOf(p.units, p.history)
	passes := map[*unit]*backTurns{}
	late := map[*unit]bool{}
	settled := map[*unit]bool{} // rollbacks of which nobody knew how they had ended
	for _, u := range p.units {
		settled[u] = a.of[u].unclear() && a.of[u].last().TakesBack
		for _, f := range append(u.frames(), u) {
			late[f] = a.over(f)
		}
	}
	for i, e := range p.events {
		blame := func(format string, args ...any) {
			wrong = append(wrong, fmt.Sprintf("event %d, %s of %s: ", e.Seq, e.Type, e.Step)+fmt.Sprintf(format, args...))
		}
		u := a.by[e.Step]
		switch {
		case u == nil:
		case e.Type == event.StepStarted && e.Rollback != "":
			p.turns(a, u, e, passes, late, settled, blame)
		case e.Type == event.StepStarted && u.always && a.back[u.inside] != "":
			turnsOf(passes, u.inside).always = u.address
		case e.Type == event.ActionStarted:
			p.acts(a, u, e, blame)
		case e.Type == event.StepFinished && !a.of[u].rolling && !takenBack(e.Status):
			decides := slices.Contains([]string{"failed", "blocked"}, e.Status) && u.policy(u.draft) == "rollback" && !u.always &&
				i < p.since && !a.over(u.inside) && !a.doubted(u) && a.couldGoBack(u.inside) && !(a.of[u].spared && a.of[u].last() != nil && !a.of[u].here)
			if decides != (e.Rollback != "") {
				blame("it ended %s, rollback is %q", e.Status, e.Rollback)
			}
		}
		a.note(e)
	}
	for _, pass := range passes {
		wrong = append(wrong, a.inOrder(pass, settled)...)
	}
	if p.whole {
		wrong = append(wrong, p.allBack(a, late)...)
	}
	return wrong
}

// couldGoBack tells whether anything that was done in a frame has a way back.
func (a *account) couldGoBack(frame *unit) bool {
	return slices.ContainsFunc(a.units, func(u *unit) bool { return u.within(frame) && u.back != nil && a.of[u].changed() > 0 })
}

// doubted tells whether of what a unit calls nobody knows how it ended.
func (a *account) doubted(u *unit) bool {
	return slices.ContainsFunc(a.units, func(i *unit) bool { return i.within(u) && a.of[i].status == "unknown" })
}

func turnsOf(passes map[*unit]*backTurns, frame *unit) *backTurns {
	if passes[frame] == nil {
		passes[frame] = new(backTurns)
	}
	return passes[frame]
}

// after tells whether a unit acted, as always steps do, once what was done in a
// frame had been taken back.
func (a *account) after(u, frame *unit) bool {
	c := a.of[u]
	return c.late > a.since[frame] && (frame == c.lateOf || frame != nil && frame.within(c.lateOf))
}

// turns is what holds where the turn of a unit comes to be taken back.
func (p *process) turns(a *account, u *unit, e event.Event, passes map[*unit]*backTurns, late, settled map[*unit]bool, blame func(string, ...any)) {
	frame := a.frameOf(e.Rollback) // nil for what is done by hand
	pass := turnsOf(passes, frame)
	pass.order = append(pass.order, u)
	switch {
	case a.back[frame] != e.Rollback || !u.within(frame):
		blame("nobody has decided that, for %q", e.Rollback)
	case pass.always != "":
		blame("after the always step %s has begun", pass.always)
	case settled[u]:
	case a.keeps(u) != "":
		blame("though %s", a.keeps(u))
	case a.of[u].unclear():
		blame("nobody knows how it ended")
	case late[frame] && !a.hand:
		blame("though it is over")
	case a.after(u, frame):
		blame("though it began after that was decided")
	}
	for _, other := range a.units {
		c := a.of[other]
		switch {
		case other == u || !other.within(frame) || other.called != nil:
		case c.unclear() && !settled[u]: // it is at least found out
			blame("while nobody knows how %s ended", other.address)
		case c.inMotion && !c.asks && (c.acts || !other.outlivesIn(frame)): // else it is held
			blame("while %s is at work", other.address)
		}
	}
}

// acts is what holds where a unit acts, or is taken back.
func (p *process) acts(a *account, u *unit, e event.Event, blame func(string, ...any)) {
	c := a.of[u]
	if e.Attempt.TakesBack {
		if !c.rolling || !c.inMotion {
			blame("it is not its turn to be taken back")
		}
		for _, other := range a.units {
			if other != u && a.of[other].acts && other.within(c.frame) {
				blame("it is taken back while %s acts", other.address)
			}
		}
		return
	}
	for _, frame := range u.frames() {
		if a.back[frame] != "" && !u.outlivesIn(frame) {
			blame("though what was done is taken back, because of %s", a.back[frame])
		}
	}
	last := c.last()
	if last == nil {
		if placeOf(e.Attempt) > 0 {
			blame("a fallback before the action")
		}
		return
	}
	from, to := placeOf(last), placeOf(e.Attempt)
	certain := last.State == schema.Done || last.State == schema.FailedClean || last.State == schema.FailedPartial
	switch {
	case last.TakesBack:
		blame("it was taken back")
	case to == from:
	case to == from+1 && certain && !(last.Settled == "person" && last.Failure != nil && last.Failure.Code == "wanted_again"):
	case to == 0 && from == len(u.fallbacks) && c.changed() == 0: // from the beginning
	default:
		blame("%q after %q, which ended %q", e.Attempt.Fallback, last.Fallback, last.State)
	}
}

// inOrder holds a pass against the order that the language promises: always the
// first of those that await none of the others.
func (a *account) inOrder(pass *backTurns, settled map[*unit]bool) (wrong []string) {
	among := slices.DeleteFunc(slices.Clone(pass.order), func(u *unit) bool { return settled[u] })
	for i, u := range among {
		for _, later := range among[i+1:] {
			switch {
			case u == later:
				wrong = append(wrong, u.address+" has two turns")
			case u.awaits(later):
				wrong = append(wrong, fmt.Sprintf("%s is taken back before %s, which its rollback depends on", u.address, later.address))
			case a.first(later, u) && !slices.ContainsFunc(among[i:], later.awaits):
				wrong = append(wrong, fmt.Sprintf("%s is taken back before %s", u.address, later.address))
			}
		}
	}
	return wrong
}

// allBack holds the end of a process against what was to be taken back.
func (p *process) allBack(a *account, late map[*unit]bool) (wrong []string) {
	unclear := slices.ContainsFunc(a.units, func(u *unit) bool { return a.of[u].unclear() })
	all, any := true, false
	for _, u := range p.units {
		status := a.of[u].status
		any = any || u.called == nil && status == "rolled_back"
		all = all && status != "rollback_failed"
		for _, frame := range u.frames() {
			if a.back[frame] == "" || a.keeps(u) != "" || a.after(u, frame) {
				continue
			}
			all = all && frame != nil
			if len(p.result.Waiting) == 0 && !unclear && status != "rollback_failed" && (!late[frame] || a.hand) {
				wrong = append(wrong, u.address+" was not taken back, because of "+a.back[frame])
			}
		}
	}
	held := a.back[nil] != "" && any && all && !unclear && len(p.result.Waiting) == 0
	if (p.result.Outcome == apply.RolledBack) != held {
		wrong = append(wrong, fmt.Sprintf("the outcome is %s, taken back: %t, all of it: %t", p.result.Outcome, any, all))
	}
	return wrong
}
