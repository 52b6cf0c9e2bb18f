package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Phase tells a look ahead from the real thing.
type Phase int

// The phases.
const (
	Planning Phase = iota
	Applying
)

// Truth is what is known of a condition.
type Truth int

// The truths. Errs is a probe that could not look; NotKnown needs a value that
// an earlier step has yet to produce.
const (
	Fails Truth = iota
	Holds
	Errs
	NotKnown
)

// Answer is a truth and why.
type Answer struct {
	Truth  Truth
	Reason string
	Within time.Duration // of a precondition: how long it may still be waited for
}

// Want names what Decide must be told before it can go further down the table.
type Want string

// The wants, in the order of the table.
const (
	WantNothing       Want = ""
	WantWhen          Want = "when"
	WantGoals         Want = "goals"
	WantPreconditions Want = "preconditions"
	WantCapture       Want = "capture"
	WantArguments     Want = "arguments"
	WantPreview       Want = "preview"
	WantPerson        Want = "person"
	WantLock          Want = "lock"
)

// Facts is what is known of one step so far. Nil slices and pointers are not
// known yet: Decide asks for them one after another, so that nothing is looked
// at that does not matter.
type Facts struct {
	Phase Phase
	Step  *runbook.Step
	// Onward: rows 2 to 13 lie behind, it is the turn of one of its fallbacks or of
	// its rollback.
	Onward bool
	// Unproved: it has acted and not all proofs held: that its goals do is not enough.
	Unproved bool

	Blocker string // row 1: why an ancestor stands in the way; empty: none does
	Pending string // planning: the nearest ancestor that acts or is deferred first; empty: none

	When          *Answer
	Goals         []Answer // as Step.Goals
	Preconditions []Answer // as Step.Preconditions
	Capture       *Answer  // Holds: it was looked at
	Arguments     *Answer  // Fails: they can never work; NotKnown: not before earlier steps have run
	Preview       *Previewed
	Person        *Answer // Fails: somebody has to be asked and has not answered
	Lock          *Answer // Fails: another run holds what this step would write
}

// Previewed is what the preview of an action told.
type Previewed struct {
	Failed      string // why there is no preview; empty: there is one
	OverLimit   string // which bound the measured impact exceeds; empty: none
	Destructive bool
	Limited     bool // a limit is set
}

// Verdict is what Decide says: one of the decisions of a plan, or at apply also
// NotRun, Await and Act, or Look where Want names what is missing.
type Verdict string

// The verdicts.
const (
	Look      Verdict = "look"
	Run       Verdict = "run"
	Satisfied Verdict = "satisfied"
	Skipped   Verdict = "skipped"
	Block     Verdict = "blocked"
	Deferred  Verdict = "deferred"
	NotRun    Verdict = "not_run"
	Await     Verdict = "await" // Want says for what: preconditions, person or lock
)

// Decision is one match in the table.
type Decision struct {
	Row       int // 1–19, as in engine.md; 0 while Verdict is Look
	Verdict   Verdict
	Want      Want
	Tentative bool
	Reason    string
	Asks      bool // planning: a person will be asked
	Warnings  []string
}

// Decide is the decision table: the first row that matches the facts, for plan,
// apply and resume alike. It is pure.
func Decide(f Facts) Decision {
	planning := f.Phase == Planning
	tentative := planning && f.Pending != ""

	// 1
	if f.Blocker != "" && !f.Step.Always {
		verdict := NotRun
		if planning {
			verdict = Block
		}
		return Decision{Row: 1, Verdict: verdict, Reason: f.Blocker}
	}

	if f.Onward {
		return decideAction(f, tentative)
	}

	// 2–4
	if f.Step.When != nil {
		if f.When == nil {
			return Decision{Verdict: Look, Want: WantWhen}
		}
		switch f.When.Truth {
		case NotKnown:
			return Decision{Row: 2, Verdict: Deferred, Reason: either(f.When.Reason, "`when` is not known yet")}
		case Errs:
			return Decision{Row: 3, Verdict: Block, Reason: f.When.Reason}
		case Fails:
			return Decision{Row: 4, Verdict: Skipped, Reason: either(f.When.Reason, "`when` is false")}
		}
	}

	// 5–7
	if len(f.Step.Goals) > 0 {
		if f.Goals == nil {
			return Decision{Verdict: Look, Want: WantGoals}
		}
		if a, ok := first(f.Goals, NotKnown); ok {
			return Decision{Row: 5, Verdict: Deferred, Reason: a.Reason}
		}
		if _, ok := first(f.Goals, Fails, Errs); !ok && !f.Unproved {
			return Decision{Row: 6, Verdict: Satisfied, Tentative: tentative, Reason: reasons(f.Goals, Holds)}
		}
	}

	// 8–11
	if len(f.Step.Preconditions) > 0 {
		if f.Preconditions == nil {
			return Decision{Verdict: Look, Want: WantPreconditions}
		}
		if d, matched := decidePreconditions(f); matched {
			return d
		}
	}

	switch {
	case f.Step.Probe != nil:
		return decideCapture(f, tentative)
	case f.Step.Call != nil: // from here on its steps decide
		return decidePerson(f, Decision{Row: 19, Verdict: Run, Tentative: tentative, Reason: why(f)})
	case f.Step.Action == nil && len(f.Step.Verifies) == 0 && f.Step.Approval == nil: // 12
		return Decision{Row: 12, Verdict: Satisfied, Tentative: tentative, Reason: either(reasons(f.Preconditions, Holds), "a gate with nothing in its way")}
	case f.Step.Action == nil:
		reason := "verifies " + names(f.Step.Verifies)
		if len(f.Step.Verifies) == 0 {
			reason = "it wants an approval"
		}
		return decidePerson(f, Decision{Row: 19, Verdict: Run, Tentative: tentative, Reason: reason})
	}
	return decideAction(f, tentative)
}

func decidePreconditions(f Facts) (Decision, bool) {
	a, ok := first(f.Preconditions, Fails, Errs, NotKnown)
	if !ok {
		return Decision{}, false
	}
	if f.Phase == Planning && f.Pending == "" && a.Truth == NotKnown {
		return Decision{Row: 8, Verdict: Deferred, Reason: a.Reason}, true
	}
	if f.Phase == Planning && f.Pending != "" {
		return Decision{Row: 8, Verdict: Deferred, Reason: fmt.Sprintf("does not hold yet (%s); %s runs before it", a.Reason, f.Pending)}, true
	}
	var skip, block *Answer
	var longest time.Duration
	for i := range f.Preconditions {
		answer, p := &f.Preconditions[i], f.Step.Preconditions[i]
		switch {
		case answer.Truth == Holds:
		case answer.Within > 0:
			longest = max(longest, answer.Within)
		case answer.Truth == Fails && p.Otherwise == "skip":
			skip = answer
		case block == nil:
			block = answer
		}
	}
	switch {
	case longest > 0 && skip == nil && block == nil && f.Phase == Planning:
		return Decision{Row: 9, Verdict: Deferred, Reason: fmt.Sprintf("waits up to %s: %s", Seconds(longest), a.Reason)}, true
	case longest > 0 && skip == nil && block == nil:
		return Decision{Row: 9, Verdict: Await, Want: WantPreconditions, Reason: a.Reason}, true
	case skip != nil:
		return Decision{Row: 10, Verdict: Skipped, Reason: skip.Reason}, true
	}
	return Decision{Row: 11, Verdict: Block, Reason: block.Reason}, true
}

func decideCapture(f Facts, tentative bool) Decision {
	switch {
	case f.Capture == nil:
		return Decision{Verdict: Look, Want: WantCapture}
	case f.Capture.Truth == Holds || f.Phase == Applying:
		return Decision{Row: 13, Verdict: Run, Tentative: tentative, Reason: f.Capture.Reason}
	case tentative || f.Capture.Truth == NotKnown:
		return Decision{Row: 13, Verdict: Deferred, Reason: f.Capture.Reason}
	}
	return Decision{Row: 13, Verdict: Block, Reason: f.Capture.Reason}
}

// decidePerson is row 17 for a gate or a call that wants an approval.
func decidePerson(f Facts, run Decision) Decision {
	switch {
	case f.Step.Approval == nil:
		return run
	case f.Person == nil:
		return Decision{Verdict: Look, Want: WantPerson}
	case f.Person.Truth != Fails:
		return run
	case f.Phase == Applying:
		return Decision{Row: 17, Verdict: Await, Want: WantPerson, Reason: f.Person.Reason}
	}
	run.Row, run.Asks = 17, true
	return run
}

// decideAction walks rows 14 to 19. Rows 14 and 16 to 18 are notes on the one
// decision to run (ADR 0002): the row named is the first that matched.
func decideAction(f Facts, tentative bool) Decision {
	run := Decision{Row: 19, Verdict: Run, Tentative: tentative, Reason: why(f)}
	note := func(row int, warning string) {
		if run.Row == 19 {
			run.Row = row
		}
		if warning != "" {
			run.Warnings = append(run.Warnings, warning)
		}
	}
	if f.Arguments == nil {
		return Decision{Verdict: Look, Want: WantArguments}
	}
	switch {
	case f.Arguments.Truth == NotKnown && f.Phase == Planning:
		note(14, f.Arguments.Reason)
	case f.Arguments.Truth != Holds:
		return Decision{Row: 15, Verdict: Block, Reason: f.Arguments.Reason}
	case f.Preview == nil:
		return Decision{Verdict: Look, Want: WantPreview}
	default:
		switch p := f.Preview; {
		case p.OverLimit != "":
			return Decision{Row: 15, Verdict: Block, Reason: p.OverLimit}
		case p.Failed != "" && tentative:
			note(15, "no preview before "+f.Pending+" has run: "+p.Failed)
		case p.Failed != "" && (p.Destructive || p.Limited):
			return Decision{Row: 15, Verdict: Block, Reason: "its effect could not be measured: " + p.Failed}
		case p.Failed != "":
			note(16, "no preview: "+p.Failed)
		}
	}
	if f.Person == nil {
		return Decision{Verdict: Look, Want: WantPerson}
	}
	if f.Person.Truth == Fails {
		if f.Phase == Applying {
			return Decision{Row: 17, Verdict: Await, Want: WantPerson, Reason: f.Person.Reason}
		}
		note(17, "")
		run.Asks = true
	}
	if f.Lock == nil {
		return Decision{Verdict: Look, Want: WantLock}
	}
	if f.Lock.Truth == Fails {
		if f.Phase == Applying {
			return Decision{Row: 18, Verdict: Await, Want: WantLock, Reason: f.Lock.Reason}
		}
		note(18, f.Lock.Reason)
	}
	return run
}

// why says what makes an action run: the goals that do not hold, or that
// nothing says it is done already.
func why(f Facts) string {
	if len(f.Step.Goals) == 0 && f.Step.Call != nil {
		return "calls " + f.Step.Call.File
	}
	if len(f.Step.Goals) == 0 {
		return "it has no goal that could say it is done already"
	}
	return reasons(f.Goals, Fails, Errs)
}

// Seconds prints a duration as people write it: 5m, 1h30m, 2s.
func Seconds(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

func first(answers []Answer, truths ...Truth) (Answer, bool) {
	for _, truth := range truths {
		for _, a := range answers {
			if a.Truth == truth {
				return a, true
			}
		}
	}
	return Answer{}, false
}

func reasons(answers []Answer, truths ...Truth) string {
	var said []string
	for _, a := range answers {
		for _, truth := range truths {
			if a.Truth == truth && a.Reason != "" {
				said = append(said, a.Reason)
			}
		}
	}
	return strings.Join(said, "; ")
}

func names(assertions []*runbook.Assertion) string {
	said := make([]string, len(assertions))
	for i, a := range assertions {
		said[i] = a.Name
	}
	return strings.Join(said, ", ")
}

func either(s, fallback string) string {
	if s != "" {
		return s
	}
	return fallback
}
