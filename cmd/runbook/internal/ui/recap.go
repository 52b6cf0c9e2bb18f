package ui

import (
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Recap remembers of a run's events what its last screen needs. It is an
// event.Sink; the zero value is ready. Events of several processes of one run
// (a resume) go into the same Recap, in order.
type Recap struct {
	run      string
	start    event.Start
	began    time.Time
	steps    []*stepRecap
	byName   map[string]*stepRecap // the same, by address
	divided  map[string]bool       // steps whose instances stand in their place
	outcome  string
	message  string
	outputs  map[string]any
	warnings []string
	seconds  float64
	back     bool // what was done is, or was, taken back: how a step ended stands
	over     bool // an always step has run after a stop: resume does no more than settle
}

// stepRecap is what a Recap remembers of one step.
type stepRecap struct {
	address      string
	title        string
	status       string
	message      string
	begun        bool            // it has begun, and its end is not on record
	ignored      bool            // it ended badly, and that counts as well
	waits        string          // what it waits for, while it does
	asked        *event.Attempt  // what the person it waits for has to say yes to
	question     *event.Question // or to answer
	attempt      *event.Attempt
	wayBack      bool   // it has done what its rollback could take back
	said         string // the last attempt's message
	observations []event.Observation
	log          []string
}

// logTail is how many log lines the last screen shows.
const logTail = 20

// Emit takes one event in. It never fails.
func (r *Recap) Emit(e event.Event) error {
	if e.Run != "" {
		r.run = e.Run
	}
	switch e.Type {
	case event.RunStarted:
		r.begin(e)
		return nil
	case event.RunFinished:
		r.outcome, r.message, r.outputs, r.warnings = e.Outcome, e.Message, e.Outputs, e.Warnings
		if r.seconds = lasted(r.began, e); e.Cancelled {
			r.cancelled()
		}
		return nil
	}
	if e.Type == event.ActionStarted && e.Attempt != nil {
		r.over = r.over || e.Attempt.AfterStop
	}
	r.back = r.back || e.Rollback != ""
	if e.Step != "" {
		r.step(e.Step).take(e)
	}
	return nil
}

// cancelled says of all that had not ended that it does not go on.
func (r *Recap) cancelled() {
	r.outcome, r.seconds = "cancelled", 0 // how long it lay there is nothing to tell
	for _, s := range r.steps {
		s.begun, s.waits = false, ""
	}
}

func (r *Recap) begin(e event.Event) {
	if e.Start == nil {
		return
	}
	r.start, r.began = *e.Start, e.Time
	r.start.Sources, r.start.Digests = nil, nil
	r.outcome, r.message, r.outputs, r.warnings = "", "", nil, nil
	if r.back = r.back || e.Start.TakeBack; !r.back {
		for _, s := range r.steps {
			s.again()
		}
	}
	for _, address := range e.Start.Steps {
		if !r.divided[address] {
			r.step(address)
		}
	}
}

// Ended says how the run stands where its record does not: running, or crashed.
// An outcome on record is kept.
func (r *Recap) Ended(outcome string) {
	if r.outcome == "" {
		r.outcome = outcome
	}
}

// Steps are the addresses of all steps seen, in source order.
func (r *Recap) Steps() []string {
	return addressesOf(r.steps)
}

// step returns what is remembered of an address, from now on if need be.
func (r *Recap) step(address string) *stepRecap {
	s := r.byName[address]
	if s == nil {
		if r.byName == nil {
			r.byName = make(map[string]*stepRecap)
		}
		s = &stepRecap{address: address}
		r.byName[address] = s
		r.place(s)
	}
	return s
}

// place puts a step that the run's beginning did not name where a reader looks
// for it: an instance in the place of its step, with those before it; a step of
// a call after that call.
func (r *Recap) place(s *stepRecap) {
	under := ""
	if at := strings.LastIndex(s.address, "[\""); at > 0 && strings.HasSuffix(s.address, "\"]") {
		under = s.address[:at]
		if step := r.byName[under]; step != nil && step.status == "" && !step.begun {
			r.steps[slices.Index(r.steps, step)] = s
			delete(r.byName, under)
			if r.divided == nil {
				r.divided = make(map[string]bool)
			}
			r.divided[under] = true
			return
		}
		under += "["
	} else if at := strings.LastIndex(s.address, ".step."); at > 0 {
		under = s.address[:at]
	}
	for i := len(r.steps) - 1; under != "" && i >= 0; i-- {
		if strings.HasPrefix(r.steps[i].address, under) {
			r.steps = slices.Insert(r.steps, i+1, s)
			return
		}
	}
	r.steps = append(r.steps, s)
}

// again forgets how a step stood before a resume: what did not end well ends
// anew.
func (s *stepRecap) again() {
	switch s.status {
	case "done", "satisfied", "skipped":
		return
	}
	s.status, s.message, s.waits, s.observations = "", "", "", nil
	s.begun = s.attempt != nil && s.attempt.State == "" // until that is settled
}

func (s *stepRecap) take(e event.Event) {
	switch e.Type {
	case event.StepStarted:
		s.title, s.status, s.message, s.begun, s.waits = e.Title, "", "", true, ""
	case event.StepWaiting:
		s.begun, s.waits, s.message, s.asked, s.question = true, e.WaitsFor, e.Message, e.Attempt, e.Question
	case event.ActionStarted, event.ActionFinished:
		s.attempt, s.said, s.waits = e.Attempt, e.Message, ""
		clean := e.Attempt != nil && (e.Attempt.State == schema.FailedClean || e.Attempt.State == schema.Ask)
		s.wayBack = s.wayBack || e.Type == event.ActionFinished && e.Attempt != nil && e.Attempt.WayBack != nil && !clean
		s.begun = true // a resume does not start again what was cut off
	case event.Log:
		if s.log = append(s.log, e.Message); len(s.log) > logTail {
			s.log = slices.Delete(s.log, 0, 1)
		}
	case event.Observed:
		if e.Observation != nil && e.Observation.Kind == "answer" {
			s.waits, s.begun = "", s.begun && s.status == "" // a finished step may have been asked about its result
		}
		s.observe(e.Observation)
	case event.StepFinished:
		s.status, s.message, s.begun, s.waits, s.ignored = e.Status, e.Message, false, "", e.Ignored
		if e.Title != "" {
			s.title = e.Title
		}
	}
}

// observe keeps the last answer of each assertion.
func (s *stepRecap) observe(o *event.Observation) {
	if o == nil {
		return
	}
	for i := range s.observations {
		if known := &s.observations[i]; known.Kind == o.Kind && known.Name == o.Name && known.TakesBack == o.TakesBack {
			*known = *o
			return
		}
	}
	s.observations = append(s.observations, *o)
}

// stage says which part of a step ended it badly, and what that part said.
func (s *stepRecap) stage() (part, message string) {
	switch {
	case s.status == "unknown":
		part, message = "action", s.said
	case s.status == "rollback_failed":
		if s.attempt == nil || !s.attempt.TakesBack || s.attempt.State == schema.Done {
			return s.failing("verify")
		}
		part, message = "rollback", s.said
	case s.status == "blocked":
		return s.failing("precondition")
	case s.attempt != nil && s.attempt.State != schema.Done:
		part, message = "action", s.said
	case s.attempt != nil:
		return s.failing("goal", "verify")
	default:
		return s.failing("capture", "precondition", "goal", "verify")
	}
	if s.attempt != nil {
		part += " " + attemptName(s.attempt)
		if message == "" {
			message = failureText(s.attempt.Failure)
		}
	}
	return part, message
}

// failing is the first observation of the given kinds that does not hold.
func (s *stepRecap) failing(kinds ...string) (part, message string) {
	for _, o := range s.observations {
		if slices.Contains(kinds, o.Kind) && (o.Holds == nil && o.Failure != nil || o.Holds != nil && !*o.Holds) {
			if o.Message == "" && o.Failure != nil {
				o.Message = failureText(o.Failure)
			}
			return o.Kind + " " + o.Name, o.Message
		}
	}
	return "", s.message
}

// with are the addresses of the steps that ended with one of the statuses; the
// empty one means those that have not begun and wait for nobody.
func (r *Recap) with(statuses ...string) []string {
	var found []string
	for _, s := range r.steps {
		if slices.Contains(statuses, s.status) && !s.ignored && !s.begun && s.waits != waitsForPerson {
			found = append(found, s.address)
		}
	}
	return found
}

// ignored are the steps that ended badly, which counts as well.
func (r *Recap) ignored() []string {
	var found []string
	for _, s := range r.steps {
		if s.ignored {
			found = append(found, s.address)
		}
	}
	return found
}

// canGoBack tells whether a rollback could take back anything that was done.
func (r *Recap) canGoBack() bool {
	return slices.ContainsFunc(r.steps, func(s *stepRecap) bool { return s.wayBack && s.status != "rolled_back" })
}

// stuck is why a resume does not do what a step failed at again by itself; empty:
// it does.
func (s *stepRecap) stuck() string {
	a := s.attempt
	switch {
	case a == nil:
		return ""
	case a.State == schema.Done:
		return "it was done, and its proof does not hold"
	case a.State == schema.FailedPartial && a.Settling != schema.Idempotent && a.Settling != schema.Keyed:
		return "it failed, and may have changed something"
	}
	return ""
}

// underway are the steps that have begun, and neither ended nor wait for a
// person. After a crash nobody has seen how they went on.
func (r *Recap) underway() []*stepRecap {
	return slices.DeleteFunc(slices.Clone(r.steps), func(s *stepRecap) bool { return !s.begun || s.waits == waitsForPerson })
}

// waitsForPerson is the word of a step_waiting event.
const waitsForPerson = "person"

// waiting are the steps that wait for a person.
func (r *Recap) waiting() []*stepRecap {
	return slices.DeleteFunc(slices.Clone(r.steps), func(s *stepRecap) bool { return s.waits != waitsForPerson })
}

// Waiting are the addresses of the steps that wait for a person.
func (r *Recap) Waiting() []string {
	return addressesOf(r.waiting())
}
