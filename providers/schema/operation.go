package schema

import (
	"encoding/json"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// Mode is how strongly an effect touches its resource.
type Mode string

// The modes, weakest first. Only read agrees with read; every other pair of
// modes on one resource conflicts.
const (
	Read   Mode = "read"
	Write  Mode = "write"
	Delete Mode = "delete"
)

// Effect is one resource an action touches. Resource is a URL without
// credentials; it covers every resource that lies under it.
type Effect struct {
	Resource string `json:"resource"`
	Mode     Mode   `json:"mode"`
}

// Impact is what a preview counted, by unit (rows, keys, objects, bytes …).
type Impact map[string]int64

// MarshalJSON writes an object also where nothing was counted.
func (i Impact) MarshalJSON() ([]byte, error) {
	if i == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]int64(i))
}

// Operation is one call of a probe or action. Arguments are wholly known and
// unmarked when they reach a provider; in Describe, arguments that are not yet
// known are null and named in Unknown.
type Operation struct {
	Name        string
	Kind        Kind
	Arguments   cty.Value
	Unknown     []string
	Handle      string        // names this call to Cancel
	AttemptLock string        // path of the file locked while an attempt works; actions only
	Key         string        // idempotency key; actions only
	Deadline    time.Time     // zero: none
	Timeout     time.Duration // becomes a Deadline once the provider is asked: waiting for a turn does not count; zero: none
	Limits      Impact        // nil: none
	Answers     cty.Value     // what a person answered to the Question; cty.NilVal: not asked yet
}

// Description says what an action would do. Describe fills everything but
// Impact and Sample without I/O; Preview reads the backend and fills those too.
type Description struct {
	Effects     []Effect
	Undeclared  bool // the effects are not known: the action runs alone
	Destructive bool
	Settling    Settling // empty: the schema's
	Command     []string // equivalent argv, secrets as $NAME
	Summary     string
	Impact      Impact
	Sample      []string
	Failure     *Failure // the arguments can never work, or the preview failed
}

// State is how far an operation got.
type State string

// The states. A missing Outcome is Unknown.
const (
	Unknown       State = "unknown"
	Done          State = "done"
	FailedClean   State = "failed_clean"   // certain that nothing was changed
	FailedPartial State = "failed_partial" // certain that it ended, something may have changed
	Running       State = "running"        // Settle only: still at work in the backend
	Ask           State = "ask"            // a person has to answer Question first
)

// Outcome is the final word on an operation. A probe that answered is Done; one
// that could not look is FailedClean with a Failure.
type Outcome struct {
	State    State
	Result   cty.Value // object with ok and summary; cty.NilVal where there is none
	Failure  *Failure
	Question *Question
}

// Progress is a line of log, or how far an action is. Done and Total are in the
// action's own unit; a Total of 0 means that it is not known.
type Progress struct {
	Stream  string // stdout, stderr, or empty for the provider's own words
	Message string
	Done    float64
	Total   float64
}

// Question is what a person must answer before an action can go on.
type Question struct {
	Message string
	Answers Object // what to fill in; empty: a confirmation
}

// Failure is a provider's typed error.
type Failure struct {
	Code      string `json:"code"` // stable, lower_snake_case, such as connection_refused
	Message   string `json:"message"`
	Remedy    string `json:"remedy,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
	// RetryAfterSeconds is how long the backend wants to be left alone before the
	// next try, as in Retry-After; 0: it does not say.
	RetryAfterSeconds float64 `json:"retry_after_seconds,omitempty"`

	Argument string `json:"argument,omitempty"` // the argument at fault
}

// Error implements error: message and remedy in one line.
func (f *Failure) Error() string {
	if f.Remedy == "" {
		return f.Message
	}
	return f.Message + "; " + f.Remedy
}
