package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// act makes one attempt and goes on from its outcome, rows 20 to 23. It tells
// whether the step has ended; if not, it starts again at row 1.
func (r *run) act(t *task, s *state, a *action) bool {
	defer r.exclusion.release(a.claim)
	if halted := s.halted(); halted != "" {
		r.end(s, notRun, 1, halted)
		return true
	}
	if r.holding(s) != nil {
		return false // what was done is taken back first, and then all is looked at again
	}
	ctx, cancel := r.acting(s)
	defer cancel()
	if s.step.Timeout > 0 && s.actLeft <= 0 && !s.rolling {
		return r.failed(s, &schema.Failure{Code: "timeout", Message: errTimeout{s.step.Timeout}.Error()})
	}
	op := r.operation(s, a)
	deadline, bounded := ctx.Deadline()
	if bounded {
		op.Deadline = deadline
	}
	r.intend(s, a, op)
	var outcome schema.Outcome
	begun := r.clock.Now()
	if err := t.call(func() {
		outcome = r.opts.Backend.Act(s.at(ctx), s.frame.linked.Ref(s.action().Ref), op, func(p schema.Progress) { r.progress(s, p) })
	}); err != nil {
		r.end(s, notRun, 19, err.Error())
		return true
	}
	s.actLeft -= r.clock.Now().Sub(begun)
	r.exclusion.finishActing(a.claim)
	if outcome.State == schema.Ask && outcome.Question == nil {
		outcome = schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Code: "no_question", Message: s.action().Type() + " asked a person, and did not say what"}}
	}
	if outcome.Failure != nil {
		outcome.Failure = late(ctx, outcome.Failure)
	}
	r.ended(s, outcome, begun, "")
	return r.after(t, s, outcome, ctx)
}

// acting is the context of a step's attempts: it ends with the second signal,
// and at the step's own timeout.
func (r *run) acting(s *state) (context.Context, context.CancelFunc) {
	if s.step.Timeout == 0 || s.rolling {
		return context.WithCancel(r.acts)
	}
	if !s.clocked {
		s.clocked, s.actLeft = true, s.step.Timeout // for all attempts together
	}
	return clock.WithDeadline(r.acts, r.clock, r.clock.Now().Add(s.actLeft), errTimeout{s.step.Timeout})
}

// late names the step's timeout where that is what ended an attempt.
func late(ctx context.Context, failure *schema.Failure) *schema.Failure {
	timeout, ok := context.Cause(ctx).(errTimeout)
	if !ok {
		return failure
	}
	named := *failure
	named.Message = timeout.Error() + "; " + named.Message
	return &named
}

// failed goes on from an attempt that ended for certain, rows 21 and 22: with a
// fallback, or the step has failed. It tells whether the step has ended.
func (r *run) failed(s *state, failure *schema.Failure) bool {
	if s.open != "" {
		r.end(s, unknown, 23, fmt.Sprintf("%s; done again it failed: %s; nobody knows what came of the first: %s", s.open, failure.Error(), r.settleHint(s)))
		return true
	}
	row, reason := 22, failure.Error()
	if s.last.State == schema.FailedClean {
		row, reason = 21, reason+" (nothing was changed)"
	}
	if s.tries > 1 {
		reason = fmt.Sprintf("%s; tried %d times", reason, s.tries)
	}
	return r.failedAt(s, row, reason)
}

// failedAt is failed where the row is known.
func (r *run) failedAt(s *state, row int, reason string) bool {
	if r.fallBack(s, reason) {
		return false
	}
	status, untried := failed, s.unfallen()
	if untried != "" && r.context(s).Err() != nil { // a resume tries it
		status = interrupted
	}
	r.end(s, status, row, reason+untried)
	return true
}

type errTimeout struct{ after time.Duration }

func (e errTimeout) Error() string {
	return "the step's timeout of " + plan.Seconds(e.after) + " has passed"
}

func (r *run) operation(s *state, a *action) schema.Operation {
	number := s.attempts + 1
	return schema.Operation{
		Name:        s.action().Name,
		Kind:        schema.Action,
		Arguments:   a.arguments,
		Handle:      fmt.Sprintf("%s/%s/%d", r.opts.Run.ID, s.address, number),
		AttemptLock: r.opts.Record.AttemptLock(s.address, number),
		Key:         Key(r.opts.Run.ID, s.doer(), s.generation),
		Limits:      a.limits,
		Answers:     s.answers,
	}
}

// Key is the idempotency key of what a step of a run does: by its own action, a
// fallback or its rollback. It changes only with generation, which grows when an
// attempt has ended for certain.
func Key(run, doer string, generation int) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s\n%s\n%d", run, doer, generation)))
	return hex.EncodeToString(sum[:16])
}

// intend says the INTENT: it is durable before the action begins.
func (r *run) intend(s *state, a *action, op schema.Operation) {
	class := r.classOf(s.action(), a.described)
	s.attempts++
	s.tries++
	s.inherited = false
	var stopped *frame
	after := ""
	if stopped = s.frame.stoppedIn(); s.rolling || s.frame.comesBack() {
		stopped = nil // it is not over by that
	}
	if stopped != nil {
		after = stopped.linked.Address
	}
	s.follow()
	s.last = &event.Attempt{
		Number: s.attempts, Action: s.action().Type(), Fallback: s.label(), TakesBack: s.rolling, WayBack: a.wayBack, Key: op.Key, Lock: op.AttemptLock, Settling: class,
		Effects: a.described.Effects, Undeclared: a.described.Undeclared, Destructive: a.described.Destructive, Impact: a.described.Impact,
		Command: plan.Shell(a.described.Command), AfterStop: stopped == r.root, AfterStopOf: after,
	}
	if a.wanted != nil || a.described.Destructive || a.wayBack != nil && a.wayBack.Destructive {
		if s.last.ApprovedBy, s.last.Note = r.approver(s, a); s.last.ApprovedBy != "" {
			s.approve()
		}
	}
	s.askedAt = time.Time{}
	r.intended(s.last, 1)
	said := *s.last
	at := r.say(event.Event{Type: event.ActionStarted, Step: s.address, Attempt: &said})
	s.intended(&said, at)
}

// intended keeps the place of an INTENT in the record.
func (s *state) intended(a *event.Attempt, at int64) {
	if a.TakesBack {
		return
	}
	if s.intentAt == 0 {
		s.intentAt = at
	}
	if s.lateAt, s.lateOf = 0, a.AfterStopOf; a.AfterStop || a.AfterStopOf != "" {
		s.lateAt = at
	}
}

// intended counts an attempt; one that only asked a person is taken off again.
func (r *run) intended(attempt *event.Attempt, n int) {
	r.intents += n
	if !attempt.AfterStop && attempt.AfterStopOf == "" {
		return
	}
	for _, f := range r.root.all() {
		if f.linked.Address == attempt.AfterStopOf {
			f.late += n
		}
	}
}

// acted tells whether an INTENT exists: something may have been changed.
func (r *run) acted() bool { return r.intents > 0 }

// spec is what the schema says of a step's action; nil where there is none.
// Schemas are recorded or in-process: reading one is no I/O worth a bound.
func (r *run) spec(s *state) *schema.OperationSchema {
	provider, err := r.opts.Schemas.Schema(context.Background(), s.action().Provider)
	if err != nil {
		return nil
	}
	return provider.Operation(schema.Action, s.action().Name)
}

// ended says an attempt's outcome. settled tells how it was found out where the
// attempt itself did not say.
func (r *run) ended(s *state, o schema.Outcome, begun time.Time, settled string) {
	s.last.State, s.last.Failure, s.last.Settled = o.State, o.Failure, settled
	s.came(s.last)
	failing := o.State == schema.FailedClean || o.State == schema.FailedPartial || o.State == schema.Ask
	// That a repeat failed, or asked, says nothing of the attempt before it that nobody saw
	// the end of: that stays open, and so does its key.
	if !(failing && settled == "" && s.open != "") {
		s.open = ""
	}
	switch o.State {
	case schema.Done:
		s.failure = nil
		if s.action().Sensitive && o.Result != cty.NilVal {
			o.Result = redact.Mark(o.Result)
		}
		if !s.rolling {
			s.result = o.Result
		}
		s.last.Result, s.last.Unkept = encode(withoutSecrets(o.Result)), unkept(o.Result)
	case schema.FailedClean, schema.FailedPartial:
		if s.open == "" {
			s.generation++
		}
	case schema.Ask:
		s.question, s.answers = o.Question, cty.NilVal
		s.tries--
		r.intended(s.last, -1)
	}
	if !s.changed() {
		s.intentAt = 0
	}
	pin, err := r.opts.Record.Pin(s.address)
	if err != nil {
		r.warn("the log of " + s.address + " is not complete: " + err.Error())
		r.unlogged(err)
	}
	s.last.Log = pin
	said := *s.last
	e := event.Event{Type: event.ActionFinished, Step: s.address, Attempt: &said, Message: word(o)}
	if !begun.IsZero() {
		e.DurationSeconds = r.clock.Now().Sub(begun).Seconds()
	}
	r.say(e)
}

// word is what an outcome says in one line.
func word(o schema.Outcome) string {
	switch {
	case o.Failure != nil:
		return o.Failure.Error()
	case o.Question != nil:
		return o.Question.Message
	}
	return plan.Summary(o.Result)
}

// after goes on from an attempt's outcome.
func (r *run) after(t *task, s *state, o schema.Outcome, ctx context.Context) bool {
	switch o.State {
	case schema.Done:
		return r.prove(t, s, 20)
	case schema.FailedClean, schema.FailedPartial:
		failure := &schema.Failure{Message: word(o)}
		if o.Failure != nil {
			failure = o.Failure
		}
		s.failure = failure
		if s.step.Retry != nil && (o.State == schema.FailedClean || keyed(s.last.Settling)) {
			s.retryable = failure
			return false
		}
		return r.failed(s, failure)
	case schema.Ask:
		return false
	default:
		reason := word(o)
		if timeout, ok := context.Cause(ctx).(errTimeout); ok {
			if o.Failure == nil {
				reason = timeout.Error()
			}
			s.repeated = math.MaxInt // its time is up: again only in a later resume
		}
		return r.find(t, s, reason)
	}
}

// prove is row 20: goals and verifications must hold, each within its time; of a
// rollback its own verifications. It tells whether the step has ended.
func (r *run) prove(t *task, s *state, row int) bool {
	self := s.extra
	self.Self = s.resultOrNull()
	ofGoals, ofVerifies := s.proofs()
	goals := make([]plan.Sighting, len(ofGoals))
	verifies := make([]plan.Sighting, len(ofVerifies))
	if r.willWait(s) {
		r.waiting(s, "observation", "until its goals and verifications hold")
	}
	t.each(2, func(t *task, i int) {
		if i == 0 {
			r.until(t, s, ofGoals, goals, s.extra)
			return
		}
		r.until(t, s, ofVerifies, verifies, self)
	})
	if !s.rolling {
		s.goals, s.verifies = goals, verifies
	}
	bad := append(r.unproved(s, "goal", ofGoals, goals), r.unproved(s, "verify", ofVerifies, verifies)...)
	switch {
	case len(bad) == 0:
		r.end(s, done, row, said(s, goals, verifies))
	case r.context(s).Err() != nil:
		r.end(s, interrupted, row, "not proved yet: "+strings.Join(bad, "; "))
	default:
		return r.failedAt(s, row, strings.Join(bad, "; "))
	}
	return true
}

// proofs are the goals and verifications that must hold once the step has acted.
func (s *state) proofs() (goals, verifies []*runbook.Assertion) {
	if s.rolling {
		return nil, s.step.Rollback.Verifies
	}
	return s.step.Goals, s.step.Verifies
}

func (r *run) willWait(s *state) bool {
	goals, verifies := s.proofs()
	for _, a := range slices.Concat(goals, verifies) {
		if p := s.frame.observer.Patience(a); p.Within > 0 || p.HoldFor > 0 {
			return true
		}
	}
	return false
}

func (r *run) unproved(s *state, kind string, assertions []*runbook.Assertion, seen []plan.Sighting) []string {
	var bad []string
	for i, sighting := range seen {
		r.observed(s, kind, assertions[i].Name, sighting, 0, true)
		if sighting.Truth != plan.Holds {
			bad = append(bad, fmt.Sprintf("%s %q does not hold: %s", kind, assertions[i].Name, sighting.Reason))
		}
	}
	return bad
}

func said(s *state, goals, verifies []plan.Sighting) string {
	var words []string
	result := s.result
	if s.rolling {
		result = decode(s.last.Result)
	}
	if text := plan.Summary(result); text != "" {
		words = append(words, text)
	}
	for _, seen := range append(append([]plan.Sighting{}, goals...), verifies...) {
		if seen.Reason != "" {
			words = append(words, seen.Reason)
		}
	}
	return strings.Join(words, "; ")
}

// resultOrNull is what its action returned. What is not on record is not known to
// what is taken back: null would say that there was none.
func (s *state) resultOrNull() cty.Value {
	if s.lost && s.frame.takenBack() {
		return cty.DynamicVal
	}
	if s.result == cty.NilVal {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return s.result
}
