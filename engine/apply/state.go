package apply

import (
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// The statuses of language.md that this package gives.
const (
	done        = "done"
	satisfied   = "satisfied"
	skipped     = "skipped"
	blocked     = "blocked"
	failed      = "failed"
	unknown     = "unknown"
	interrupted = "interrupted"
	notRun      = "not_run"

	rolledBack     = "rolled_back"
	rollbackFailed = "rollback_failed"
)

// state is what has become of one step so far, or of one instance of it. The
// state of a step with a for_each stands for all of its instances.
type state struct {
	frame     *frame
	step      *runbook.Step
	address   string
	extra     eval.Extra // what its expressions see of the instance
	instances []*state   // of a step with a for_each, once they are known
	inner     *frame     // the steps that it calls, once it has begun to
	order     int        // place in the order of the source
	lived     bool       // it had its turn: where it has no status, it waits

	status     string // empty: not ended
	reason     string
	row        int    // of the decision table, that it ended by
	waits      bool   // for a person: the run ends without it
	asks       string // what a person was last asked
	startedAt  time.Time
	finishedAt time.Time

	result   cty.Value // NilVal: none
	goals    []plan.Sighting
	verifies []plan.Sighting

	fallback int      // how many of its fallbacks had their turn, the one that has it now too
	onward   bool     // a fallback's turn has come just now: rows 2 to 13 lie behind
	unproved bool     // it was done, its proofs did not all hold, and so it acts again
	intentAt int64    // place in the record of its first INTENT
	ended    string   // how it ended, not counting how it was taken back
	endedAt  int64    // likewise its place in the record
	touched  bool     // an attempt before the last may have changed something
	mutated  bool     // and it says what
	reached  int      // of its fallbacks, the last whose turn came, on record
	lateAt   int64    // place of its last INTENT, where an always step acted after a runbook had stopped; else 0
	lateOf   string   // which: the address of the call, empty for the outermost
	spared   bool     // on record it ended badly, and nothing was taken back because of that
	takenUp  bool     // it was gone on with; what is left begins at row 1
	lost     bool     // nothing of its result is on record
	former   []*state // of a for_each: instances on record that it does not have any more, and that have ended

	rolling  bool           // it is, or was, being taken back
	approved *event.WayBack // what its rollback may do without asking again: it was approved with the step

	attempts   int             // made so far, over all processes
	generation int             // grows with each attempt that ended for certain: the key changes with it
	last       *event.Attempt  // the last attempt; its State is empty while nobody knows
	carried    bool            // on record, an attempt before the last, under the same key, has no known end
	inherited  bool            // an earlier process made the last attempt
	tries      int             // attempts of this process
	retryable  *schema.Failure // of the last attempt, where another may follow
	failure    *schema.Failure // how the last attempt of this process failed for certain; nil: it did not
	clocked    bool            // actLeft is set
	actLeft    time.Duration   // of the step's timeout, for attempts and the pauses between them
	repeated   int             // attempts this process made again after an unknown outcome
	open       string          // why nobody knows how the last attempt ended; empty: it is known

	approvals []Approval // on record
	askedAt   time.Time  // when people were first asked to approve it; zero: not, or it has acted since

	question  *schema.Question   // that an attempt ended with, and nobody has answered
	answers   cty.Value          // to the question before the next attempt; NilVal: none
	unkept    []schema.Attribute // parts of the result that are on no record: unknown until somebody tells
	unsettled bool               // of a call: nobody knows how a step inside has ended

	rollEnd string // why its roll ended; empty: it goes on
	halts   string // what keeps those after it from starting; empty: nothing
}

func ok(status string) bool { return status == done || status == satisfied || status == skipped }

// well tells whether those that need this step may go on.
func (s *state) well() bool {
	if len(s.instances) > 0 {
		return !slices.ContainsFunc(s.instances, func(i *state) bool { return !i.well() })
	}
	return s.wellAs(s.status)
}

// wellAs tells whether they may where it ends so.
func (s *state) wellAs(status string) bool {
	return ok(status) || (status == failed || status == blocked) && s.step.OnFailure == runbook.Ignore && !s.unsettled
}

// newState is the state of a step of the frame, or of an instance of one.
func (f *frame) newState(step *runbook.Step, address string, x eval.Extra) *state {
	return &state{frame: f, step: step, address: f.linked.Under(address), extra: x}
}

// all is a step's instances, or itself where it has none.
func (s *state) all() []*state {
	if len(s.instances) == 0 {
		return []*state{s}
	}
	return s.instances
}

// value is step.NAME for expressions.
func (s *state) value() cty.Value {
	if s.step.ForEach != nil {
		object := make(map[string]cty.Value, len(s.instances))
		for _, i := range s.instances {
			object[i.key()] = i.object()
		}
		return cty.ObjectVal(object)
	}
	return s.object()
}

// key is the instance's.
func (s *state) key() string { return s.extra.EachKey.AsString() }

func (s *state) object() cty.Value {
	text := func(t time.Time) cty.Value {
		if t.IsZero() {
			return cty.NullVal(cty.String)
		}
		return cty.StringVal(t.UTC().Format(time.RFC3339))
	}
	result := s.resultOrNull()
	status := cty.NullVal(cty.String)
	if s.status != "" {
		status = cty.StringVal(s.status)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"status":      status,
		"result":      result,
		"started_at":  text(s.startedAt),
		"finished_at": text(s.finishedAt),
		"goal":        plan.Sightings(s.step.Goals, s.goals),
		"verify":      plan.Sightings(s.step.Verifies, s.verifies),
	})
}

// before reads row 1 off the steps this one comes after.
func (r *run) before(s *state) string {
	blocker := ""
	for _, e := range s.step.Edges {
		to := s.frame.steps[e.To.Index]
		if to.status == "" {
			continue // left out by --target
		}
		if !to.well() {
			why := to.address + ", which ended " + to.status
			if blocker == "" && e.Kind == runbook.Need {
				blocker = "it needs " + why
			}
		}
		if to.halts != "" {
			s.halts = to.halts
			if blocker == "" {
				blocker = to.halts
			}
		}
	}
	return either(blocker, s.frame.halted())
}

// failed is how the last attempt failed for certain, where a status would hide
// that; empty: it did not. What failed in an earlier process is hidden only where
// this one does not come to it: else it starts at row 1, and may be skipped.
func (s *state) failed(status string) string {
	switch {
	case s.failure != nil:
		return s.failure.Error()
	case status != notRun || s.last == nil || s.last.State != schema.FailedClean && s.last.State != schema.FailedPartial:
		return ""
	case s.last.Failure == nil:
		return "its last attempt failed"
	}
	return s.last.Failure.Error()
}

// end gives a step its one status, or tells how it was taken back.
// While nobody knows how its last attempt ended, nothing that merely stops it
// may hide that.
func (r *run) end(s *state, status string, row int, reason string) {
	if s.rolling {
		r.endBack(s, status, row, reason)
		return
	}
	switch status {
	case skipped, blocked, interrupted, notRun:
		if s.open == "" {
			break
		}
		status, reason = unknown, s.open+"; and now: "+reason
	}
	switch status {
	case skipped, blocked, notRun: // nor that it failed, where it was to be tried again
		if failure := s.failed(status); failure != "" {
			status, reason = failed, failure+"; and now: "+reason
		}
	}
	s.status, s.reason, s.row = status, reason, row
	s.finishedAt = r.clock.Now()
	e := event.Event{Type: event.StepFinished, Step: s.address, Title: s.step.Title, Status: status, Row: row, Message: reason}
	if !s.startedAt.IsZero() {
		e.DurationSeconds = max(0, s.finishedAt.Sub(s.startedAt).Seconds()) // on record since before a clock was set back
	}
	e.Ignored = !ok(status) && s.well()
	if r.bringsBack(s) {
		s.frame.back = either(s.frame.back, s.address)
		e.Rollback = s.frame.back
	}
	at := r.say(e)
	s.ended = status
	if e.Rollback != "" && s.frame.backAt == 0 {
		s.frame.backAt = at
	}
	if s.endedAt == 0 || !s.inherited { // without a new attempt it has not ended anew
		s.endedAt = at
	}
	switch status {
	case failed, blocked, unknown:
		switch policy := s.step.OnFailure; {
		case policy == runbook.Ignore && status != unknown && !s.unsettled:
			r.warn(s.address + " " + status + " and is ignored: " + reason)
		case policy != runbook.Continue:
			s.halts = "it comes after " + s.address + ", which ended " + status
			why := stopped(s.address, status)
			if e.Rollback != "" { // of a step that is taken back, nothing else says why it ended so
				why += ": " + reason
			}
			s.frame.stop(why)
		}
	case notRun: // it did not fail, and stops only what comes after it
		if policy := s.step.OnFailure; policy != runbook.Ignore && policy != runbook.Continue {
			s.halts = either(s.halts, "it comes after "+s.address+", which ended "+status)
		}
	}
}

func stopped(step, status string) string {
	return "the run stopped after " + step + " ended " + status
}

func (r *run) warn(text string) { r.warnings = append(r.warnings, text) }

// keyed tells whether an action may be tried again under the same key.
func keyed(class schema.Settling) bool {
	return class == schema.Idempotent || class == schema.Keyed
}
