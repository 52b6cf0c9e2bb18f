package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Approval is a person's yes. One that was given beforehand is to whatever the
// step does, up to its limit; else it is to what was shown.
type Approval struct {
	By      string // empty: the operator
	Note    string
	At      time.Time // when it was given; zero: beforehand
	All     bool      // beforehand, to every step
	Shown   bool      // it is to these effects, up to these counts
	Effects []schema.Effect
	Impact  schema.Impact
	WayBack *event.WayBack // that was shown; nil: there was none

	Fallback string // label of the fallback that it is to; empty: the step's own action
}

// person tells whether somebody still has to be asked, row 17.
func (r *run) person(s *state, a *action) *plan.Answer {
	why := ""
	switch back := a.wayBack; {
	case s.rolling && s.approved != nil && len(outgrows(describedWayBack(a), s.approved)) == 0:
	case a.wanted != nil:
		why = a.wanted.String()
	case a.described.Destructive:
		why = "it is destructive: a person has to see what it hits"
	case back != nil && back.Destructive:
		why = plan.RollbackDestroys
	}
	if why == "" {
		return &plan.Answer{Truth: plan.Holds}
	}
	given, problem := r.valid(s, a)
	if len(given) >= a.count() {
		return &plan.Answer{Truth: plan.Holds}
	}
	if problem != "" {
		why = problem
	} else if len(given) > 0 {
		why += fmt.Sprintf(" (so far: %s)", strings.Join(given, ", "))
	}
	return &plan.Answer{Truth: plan.Fails, Reason: why}
}

// count is how many people have to say yes.
func (a *action) count() int {
	if a.wanted == nil {
		return 1
	}
	return a.wanted.Count
}

// may tells whether somebody's yes counts.
func (a *action) may(by string) bool {
	return a.wanted == nil || len(a.wanted.Approvers) == 0 || slices.Contains(a.wanted.Approvers, by)
}

// valid names those whose yes covers what a step would do now, each once. problem
// is what keeps the last of the others from counting.
func (r *run) valid(s *state, a *action) (given []string, problem string) {
	for _, approval := range r.approvals(s) {
		by := either(approval.By, r.opts.Run.Operator)
		if slices.Contains(given, by) {
			continue
		}
		switch why := r.refuses(s, a, approval, by); why {
		case "":
			given = append(given, by)
		default:
			problem = why
		}
	}
	return given, problem
}

// refuses is why an approval does not count for what a step would do now.
func (r *run) refuses(s *state, a *action, approval Approval, by string) string {
	d := a.described
	switch {
	case !a.may(by):
		return a.wanted.String() + " (" + by + " may not give it)"
	case approval.All && a.wanted != nil && (len(a.wanted.Approvers) > 0 || a.wanted.Count > 1):
		return a.wanted.String()
	case !s.expires().IsZero() && approval.At.After(s.expires()):
		return a.wanted.String() + " (" + by + " gave it too late)"
	case !approval.Shown && d.Destructive && len(d.Impact) > 0 && len(a.limits) == 0 && !s.rolling:
		return "it counts what it destroys and the step sets no limit: the number has to be seen"
	case !approval.Shown:
		return ""
	case d.Destructive && approval.Fallback != s.label() && !s.rolling:
		return "it is destructive, and not what was approved: a person has to see what it hits"
	}
	if back := a.wayBack; back != nil {
		if grown := outgrows(back, approval.WayBack); len(grown) > 0 {
			return grown[0]
		}
	}
	for _, e := range d.Effects {
		if !plan.Allows(approval.Effects, e) {
			return fmt.Sprintf("it was approved without %s %s", e.Mode, e.Resource)
		}
	}
	if len(a.limits) == 0 {
		if over := plan.Exceeds(d.Impact, approval.Impact); over != "" {
			return "it " + over
		}
	}
	return ""
}

// approvals are those on record, those that came in since, and one that was given
// beforehand to a step or to all of its instances.
func (r *run) approvals(s *state) []Approval {
	all := slices.Concat(s.approvals, r.opts.Approved[s.address])
	if whole := s.frame.linked.Under(s.step.Address()); whole != s.address {
		for _, approval := range r.opts.Approved[whole] {
			if !approval.Shown {
				all = append(all, approval)
			}
		}
	}
	return all
}

// takeApprovals says what people have said elsewhere: it is on record before
// anything acts on it. What was given beforehand is in the attempt.
func (r *run) takeApprovals(s *state) {
	var rest []Approval
	for _, approval := range r.opts.Approved[s.address] {
		if !approval.Shown {
			rest = append(rest, approval)
			continue
		}
		r.takeApproval(s, approval)
	}
	if rest == nil {
		delete(r.opts.Approved, s.address)
		return
	}
	r.opts.Approved[s.address] = rest
}

func (r *run) takeApproval(s *state, approval Approval) {
	approval.By = either(approval.By, r.opts.Run.Operator)
	if slices.ContainsFunc(s.approvals, func(known Approval) bool {
		return known.By == approval.By && known.At.Equal(approval.At) && known.Fallback == approval.Fallback && slices.Equal(known.Effects, approval.Effects)
	}) {
		return // it was taken before
	}
	s.approvals = append(s.approvals, approval)
	yes := true
	r.say(event.Event{Type: event.Observed, Step: s.address, Approval: &event.Approval{At: approval.At, Effects: approval.Effects, Impact: approval.Impact, Fallback: approval.Fallback, WayBack: approval.WayBack}, Observation: &event.Observation{
		Kind: "approval", Name: s.step.Name, Holds: &yes, By: approval.By, Note: approval.Note, Final: true,
	}})
}

// recallApproval takes an approval off the record.
func (s *state) recallApproval(e *event.Event) {
	if e.Approval == nil {
		return
	}
	s.approvals = append(s.approvals, Approval{
		By: e.Observation.By, Note: e.Observation.Note, At: e.Approval.At, Shown: true, Effects: e.Approval.Effects, Impact: e.Approval.Impact,
		Fallback: e.Approval.Fallback, WayBack: e.Approval.WayBack,
	})
}

// approver is who an attempt was approved by, and what they said to it.
func (r *run) approver(s *state, a *action) (by, note string) {
	given, _ := r.valid(s, a)
	var notes []string
	for _, approval := range r.approvals(s) {
		if slices.Contains(given, either(approval.By, r.opts.Run.Operator)) && approval.Note != "" && !slices.Contains(notes, approval.Note) {
			notes = append(notes, approval.Note)
		}
	}
	return strings.Join(given, ", "), strings.Join(notes, "; ")
}

// expires is when the time of a step's approval is up; zero: never, or nobody was
// asked yet.
func (s *state) expires() time.Time {
	if s.step.Approval == nil || s.step.Approval.Timeout == 0 || s.askedAt.IsZero() || s.rolling {
		return time.Time{}
	}
	return s.askedAt.Add(s.step.Approval.Timeout)
}

// describedWayBack is a rollback as it is described once its turn has come.
func describedWayBack(a *action) *event.WayBack {
	return &event.WayBack{Effects: a.described.Effects, Destructive: a.described.Destructive, Undeclared: a.described.Undeclared}
}

// outgrows says what a rollback would do now that was not shown with its step; one
// that destroys nothing needs nobody to see it.
func outgrows(now, shown *event.WayBack) []string {
	if !now.Destructive {
		return nil
	}
	var was plan.Deed
	if shown != nil {
		was = plan.Deed{Destructive: shown.Destructive, Undeclared: shown.Undeclared, Effects: shown.Effects}
	}
	is := plan.Deed{Destructive: now.Destructive, Undeclared: now.Undeclared, Effects: now.Effects}
	return is.Outgrows("its rollback", &was)
}

// ask puts what a step would do before the person at the terminal, where their yes
// counts; elsewhere the step waits, and the run ends without it unless somebody
// attends it.
func (r *run) ask(t *task, s *state, d plan.Decision, a *action) next {
	now := r.clock.Now()
	if s.askedAt.IsZero() {
		s.askedAt = now
	}
	until := s.expires()
	if !until.IsZero() && !now.Before(until) {
		return r.unapproved(s, d)
	}
	waiting := event.Event{Type: event.StepWaiting, Step: s.address, WaitsFor: "person", Message: d.Reason}
	if !until.IsZero() {
		waiting.Until = &until
	}
	if a.wanted != nil {
		given, _ := r.valid(s, a)
		waiting.Approval = &event.Approval{Message: a.wanted.Message, Approvers: a.wanted.Approvers, Count: a.wanted.Count, Given: given}
	}
	waiting.Attempt = &event.Attempt{
		Number: s.attempts + 1, Action: s.does(), Fallback: s.label(), TakesBack: s.rolling, WayBack: a.wayBack, Effects: a.described.Effects,
		Destructive: a.described.Destructive, Impact: a.described.Impact, Command: plan.Shell(a.described.Command),
	}
	r.say(waiting)
	s.asks = d.Reason
	operator := r.opts.Run.Operator
	given, _ := r.valid(s, a)
	asks := r.opts.Ask != nil && (r.opts.Everybody || a.may(operator) && !(slices.Contains(given, operator) && a.count() > 1))
	if !asks {
		return r.attend(t, s, until, func() next {
			if !until.IsZero() && !r.clock.Now().Before(until) {
				return r.unapproved(s, d)
			}
			if now, _ := r.valid(s, a); len(now) > len(given) {
				return restart
			}
			return goOn
		})
	}
	q := Question{
		Step: s.address, Title: s.step.Title, Action: s.does(), Fallback: s.label(), TakesBack: s.rolling, WayBack: a.wayBack, Reason: d.Reason,
		Destructive: a.described.Destructive, Effects: a.described.Effects, Impact: a.described.Impact,
		Sample: a.described.Sample, Summary: a.described.Summary, Command: plan.Shell(a.described.Command),
	}
	var yes bool
	var err error
	ctx, cancel := context.WithCancel(r.context(s))
	if !until.IsZero() {
		ctx, cancel = clock.WithDeadline(ctx, r.clock, until, nil)
	}
	defer cancel()
	r.asking.start(r.clock.Now())
	failed := t.call(func() { yes, err = r.opts.Ask(ctx, q) })
	r.asking.stop(r.clock.Now())
	if failed != nil {
		err = failed
	}
	switch {
	case r.cutShort(s):
		return leave
	case err != nil && !until.IsZero() && !r.clock.Now().Before(until):
		return r.unapproved(s, d)
	case err != nil: // the terminal is gone: somebody answers elsewhere
		s.waits = true
		return leave
	case !yes:
		r.end(s, blocked, 17, "declined at the terminal")
		return leave
	}
	for _, by := range r.voices(a) {
		r.takeApproval(s, Approval{By: by, At: r.clock.Now(), Shown: true, Effects: a.described.Effects, Impact: a.described.Impact, Fallback: s.label(), WayBack: a.wayBack})
	}
	return restart
}

// voices are those for whom the person at the terminal speaks.
func (r *run) voices(a *action) []string {
	voices := []string{r.opts.Run.Operator}
	if !r.opts.Everybody || a.wanted == nil {
		return voices
	}
	if len(a.wanted.Approvers) > 0 {
		return a.wanted.Approvers
	}
	for n := 2; n <= a.wanted.Count; n++ {
		voices = append(voices, fmt.Sprintf("%s %d", r.opts.Run.Operator, n))
	}
	return voices
}

// inboxPause is how often it is looked whether people have answered elsewhere.
const inboxPause = time.Second

// attend waits until people have answered elsewhere, where the run is attended;
// else the step waits and the run ends without it. answered says what comes then;
// goOn: nothing yet.
func (r *run) attend(t *task, s *state, until time.Time, answered func() next) next {
	if r.opts.Inbox == nil {
		s.waits = true
		return leave
	}
	r.notifyWaiting([]*state{s})
	r.asking.start(r.clock.Now())
	defer func() { r.asking.stop(r.clock.Now()) }()
	for {
		pause := inboxPause
		if left := until.Sub(r.clock.Now()); !until.IsZero() && left < pause {
			pause = max(left, 0)
		}
		if t.sleep(r.context(s), pause) != nil {
			r.cutShort(s)
			return leave
		}
		var said Said
		var err error
		if failed := t.call(func() { said, err = r.opts.Inbox() }); failed != nil || err != nil {
			r.warn("what people have answered cannot be read: " + errors.Join(failed, err).Error())
			s.waits = true
			return leave
		}
		for _, approval := range said.Approved[s.address] {
			r.takeApproval(s, approval)
		}
		if answer, ok := said.Answers[s.address]; ok {
			r.opts.Answers[s.address] = answer
		}
		if what := answered(); what != goOn {
			return what
		}
	}
}

// unapproved ends a step that nobody has approved in time.
func (r *run) unapproved(s *state, d plan.Decision) next {
	r.end(s, failed, 17, "nobody has approved it within "+plan.Seconds(s.step.Approval.Timeout)+": "+d.Reason)
	return leave
}

// does is the operation that a person is asked about; empty: a gate's.
func (s *state) does() string {
	switch {
	case s.step.Call != nil:
		return "calls " + s.step.Call.File
	case s.step.Action == nil:
		return ""
	}
	return s.action().Type()
}
