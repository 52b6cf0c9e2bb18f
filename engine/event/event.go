// Package event holds the facts of a run, one plain struct each. A fact is
// journalled first and shown afterwards: screen, JSON and `runs show` all read
// these and nothing else. The package decides nothing and writes nothing.
package event

import (
	"encoding/json"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

// FormatVersion is the version of the event JSON.
const FormatVersion = "1.0"

// Type names what happened.
type Type string

// The types of event. Log and Progress go to the step's log file, all others to
// the journal.
const (
	RunStarted     Type = "run_started" // also on resume, with Resumed set
	StepStarted    Type = "step_started"
	StepWaiting    Type = "step_waiting" // for a person, a lock, or an observation to hold
	ActionStarted  Type = "action_started"
	Log            Type = "log"
	Progress       Type = "progress"
	ActionFinished Type = "action_finished"
	Observed       Type = "observed"
	StepFinished   Type = "step_finished"
	NoticeStarted  Type = "notice_started" // people are about to be told something, by a notify or an escalation
	NoticeFinished Type = "notice_finished"
	RunFinished    Type = "run_finished"
)

// Event is one fact. Seq grows by one from 1 within a run, over all types.
// Which fields are set depends on Type.
type Event struct {
	FormatVersion string    `json:"format_version"`
	Seq           int64     `json:"seq"`
	Time          time.Time `json:"time"`
	Type          Type      `json:"type"`
	Run           string    `json:"run"`
	Step          string    `json:"step,omitempty"` // step.x
	Message       string    `json:"message,omitempty"`

	// run_started
	Start *Start `json:"start,omitempty"`
	// run_finished: succeeded|failed|blocked|waiting|interrupted|rolled_back
	Outcome  string         `json:"outcome,omitempty"`
	Outputs  map[string]any `json:"outputs,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	// Cancelled: somebody gave the run up after its last process: it does not go on.
	Cancelled bool `json:"cancelled,omitempty"`

	// step_started, step_finished
	Title  string `json:"title,omitempty"`
	Status string `json:"status,omitempty"` // step_finished: a status of language.md
	Row    int    `json:"row,omitempty"`    // the row of the decision table that decided
	// Ignored: it ended badly, and by its on_failure that counts as ended well.
	Ignored bool `json:"ignored,omitempty"`
	// Rollback is the step because of which what was done is taken back, or
	// RollbackByHand. step_finished: that was decided as this step ended;
	// step_started: this step is now taken back.
	Rollback string `json:"rollback,omitempty"`

	// observed
	Observation *Observation `json:"observation,omitempty"`

	// notice_started and notice_finished: what is told; by which attempt is in Attempt
	Notice *Notice `json:"notice,omitempty"`

	// action_started (the INTENT) and action_finished (the outcome)
	Attempt *Attempt `json:"attempt,omitempty"`

	// log, progress
	Stream string  `json:"stream,omitempty"`
	Done   float64 `json:"done,omitempty"`
	Total  float64 `json:"total,omitempty"`

	// step_waiting: person|lock|observation|retry
	WaitsFor string     `json:"waits_for,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
	Question *Question  `json:"question,omitempty"` // what the person has to answer, where it is more than a yes to an action
	// Approval is what a step_waiting wants, or of an observed one what was approved.
	Approval *Approval `json:"approval,omitempty"`

	DurationSeconds float64 `json:"duration_seconds,omitempty"`
}

// RollbackByHand is the Rollback of what a person takes back.
const RollbackByHand = "runbook rollback"

// Start says what run this is and who began it.
type Start struct {
	Runbook     string            `json:"runbook"`
	Title       string            `json:"title,omitempty"`
	File        string            `json:"file"`
	Dir         string            `json:"dir,omitempty"`       // the file's folder, absolute
	StartedAt   time.Time         `json:"started_at,omitzero"` // run.started_at, also of a resume
	Operator    string            `json:"operator"`
	Host        string            `json:"host"`
	PID         int               `json:"pid"`
	Environment string            `json:"environment,omitempty"`
	Version     string            `json:"version"`
	PlanDigest  string            `json:"plan_digest,omitempty"`
	Providers   map[string]string `json:"providers,omitempty"` // name → version, of a third party's its hash, and the schema's
	Sources     map[string]string `json:"sources,omitempty"`   // path → text without secrets, so that a run can be read and resumed without the checkout
	Digests     map[string]string `json:"digests,omitempty"`   // path → SHA-256 of the file, what is written out where a secret belongs left out
	Variables   json.RawMessage   `json:"variables,omitempty"` // values that are not sensitive, as JSON with types
	Steps       []string          `json:"steps,omitempty"`     // the addresses known at the start, in source order
	Targets     []string          `json:"targets,omitempty"`   // the steps that the run is limited to, with all before them; a resume is too
	Force       []string          `json:"force,omitempty"`     // the steps that act though they are satisfied; in a resume too
	Approved    bool              `json:"approved,omitempty"`  // somebody said yes to the plan; else no step may act
	TakeBack    bool              `json:"take_back,omitempty"` // a person has it taken back
	Resumed     bool              `json:"resumed,omitempty"`
}

// Observation is the answer of one assertion or capture.
type Observation struct {
	Kind    string          `json:"kind"` // check|precondition|goal|verify|capture|answer|approval
	Name    string          `json:"name"`
	Probe   string          `json:"probe,omitempty"`
	Holds   *bool           `json:"holds"` // null: could not be looked at
	Message string          `json:"message,omitempty"`
	Looks   int             `json:"looks,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"` // value and type; absent where sensitive
	// ResultFile is where a large result is: in the record only, instead of Result.
	ResultFile *File           `json:"result_file,omitempty"`
	Failure    *schema.Failure `json:"failure,omitempty"`
	Final      bool            `json:"final,omitempty"` // a diagnosis, capture, answer or settled goal that resume keeps
	By         string          `json:"by,omitempty"`    // answer: who gave it
	// TakesBack: it is of the step's rollback.
	TakesBack bool   `json:"takes_back,omitempty"`
	Note      string `json:"note,omitempty"` // answer: what they said to it
}

// Approval is whose yes a step wants, or what somebody has said yes to.
type Approval struct {
	Message   string   `json:"message,omitempty"`
	Approvers []string `json:"approvers,omitempty"` // who may give it; empty: anybody
	Count     int      `json:"count,omitempty"`     // how many different ones
	Given     []string `json:"given,omitempty"`     // who has

	At       time.Time       `json:"at,omitzero"`        // when it was given
	Fallback string          `json:"fallback,omitempty"` // label of the fallback that it is to
	WayBack  *WayBack        `json:"way_back,omitempty"` // how it would be taken back
	Effects  []schema.Effect `json:"effects,omitempty"`
	Impact   schema.Impact   `json:"impact,omitempty"`
}

// Question is what an action has asked.
type Question struct {
	Message string             `json:"message"`
	Answers []schema.Attribute `json:"answers,omitempty"` // what to fill in; none: it wants a confirmation
}

// Notice is something that people are told: by a notify, or by an escalation.
type Notice struct {
	Address string `json:"address"`         // notify.oncall
	On      string `json:"on,omitempty"`    // of a notify: what it tells of, such as failed
	Waits   []Wait `json:"waits,omitempty"` // on waiting: what waits for a person
}

// Wait is a step that waits for a person before an attempt.
type Wait struct {
	Step    string `json:"step"`
	Attempt int    `json:"attempt"`
}

// Attempt is one try of an action.
type Attempt struct {
	Number      int             `json:"number"` // from 1
	Action      string          `json:"action"`
	Fallback    string          `json:"fallback,omitempty"`   // label of the fallback that it is of; empty: the step's own action
	TakesBack   bool            `json:"takes_back,omitempty"` // it is of the step's rollback
	Key         string          `json:"key,omitempty"`
	Lock        string          `json:"lock,omitempty"`
	Settling    schema.Settling `json:"settling,omitempty"`
	Effects     []schema.Effect `json:"effects,omitempty"`
	Undeclared  bool            `json:"undeclared,omitempty"` // the effects are not known: nothing else acts meanwhile
	Destructive bool            `json:"destructive,omitempty"`
	Impact      schema.Impact   `json:"impact,omitempty"`
	Command     string          `json:"command,omitempty"`
	ApprovedBy  string          `json:"approved_by,omitempty"`   // who said yes to it, where a person had to
	Note        string          `json:"note,omitempty"`          // and why
	WayBack     *WayBack        `json:"way_back,omitempty"`      // how it would be taken back, which is approved with it
	AfterStop   bool            `json:"after_stop,omitempty"`    // an always step's, after the run stopped or was interrupted: the run is over
	AfterStopOf string          `json:"after_stop_of,omitempty"` // the same within a call: what that step calls is over, the run is not

	State  schema.State    `json:"state,omitempty"` // action_finished
	Result json.RawMessage `json:"result,omitempty"`
	// ResultFile is where a large result is: in the record only, instead of Result.
	ResultFile *File `json:"result_file,omitempty"`
	// Unkept are the parts of the result that are sensitive, such as values.token.
	// They are on no record.
	Unkept  []schema.Attribute `json:"unkept,omitempty"`
	Failure *schema.Failure    `json:"failure,omitempty"`
	Settled string             `json:"settled,omitempty"` // how an unknown outcome was settled: goal|settle|person
	Log     *File              `json:"log,omitempty"`
}

// WayBack is what a step's rollback would do, as far as it is known before the
// step has acted.
type WayBack struct {
	Action      string          `json:"action"`
	Effects     []schema.Effect `json:"effects,omitempty"`
	Destructive bool            `json:"destructive,omitempty"`
	Undeclared  bool            `json:"undeclared,omitempty"` // the effects are not known
	Command     string          `json:"command,omitempty"`
}

// File names a file of a run by what is in it: what a step has logged so far, or
// a large result.
type File struct {
	Path   string `json:"path"` // from the run's folder
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Sink takes events one after another; calls never overlap. An error means that
// the fact is not recorded: nothing new may start.
type Sink interface {
	Emit(Event) error
}
