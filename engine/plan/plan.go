// Package plan says what a runbook would do, learned by looking at the real
// systems and never by guessing. Decide holds the one decision table that plan,
// apply and resume share; Make looks at everything once and returns a Plan.
// Nothing here changes a system, and nothing here writes to a terminal.
package plan

import (
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

// FormatVersion is the version of the plan JSON.
const FormatVersion = "1.0"

// The outcomes of a plan.
const (
	NothingToDo = "nothing_to_do"
	Changes     = "changes"
	Blocked     = "blocked"
)

// Plan is the answer of one look at the systems. It is plain data.
type Plan struct {
	FormatVersion string    `json:"format_version"`
	Runbook       string    `json:"runbook"`
	Title         string    `json:"title,omitempty"`
	File          string    `json:"file"`
	CreatedAt     time.Time `json:"created_at"`
	Operator      string    `json:"operator,omitempty"`
	Environment   string    `json:"environment,omitempty"`
	Outcome       string    `json:"outcome"`
	Digest        string    `json:"digest"`              // sha256 over everything but itself and the times
	Steps         []Step    `json:"steps"`               // source order
	Diagnosis     []Check   `json:"diagnosis,omitempty"` // checks that a `when` reads: the causes and those ruled out
	BlastRadius   []Effect  `json:"effects,omitempty"`   // per resource, over all steps that would run
	Outputs       []Output  `json:"outputs,omitempty"`
	Notices       []Notice  `json:"notices,omitempty"` // whom the run would tell, and when
	Warnings      []string  `json:"warnings,omitempty"`
	Estimate      *Estimate `json:"estimate,omitempty"` // nil: no earlier run to learn from
}

// Step is what would become of one step.
type Step struct {
	Address       string          `json:"address"`
	Title         string          `json:"title,omitempty"`
	Decision      string          `json:"decision"` // run|satisfied|skipped|blocked|deferred
	Tentative     bool            `json:"tentative"`
	Row           int             `json:"row"` // of the decision table
	Reason        string          `json:"reason"`
	Action        string          `json:"action"`
	Probe         string          `json:"probe,omitempty"`
	Call          string          `json:"call,omitempty"`   // the file of the runbook that it calls
	Caller        string          `json:"caller,omitempty"` // the step that calls the runbook it is part of
	From          string          `json:"from,omitempty"`   // of a call: which of its steps decided it
	Destructive   bool            `json:"destructive"`
	Approval      bool            `json:"approval"`             // a person will be asked
	Asks          bool            `json:"asks,omitempty"`       // by the action itself
	Wanted        *Wanted         `json:"wanted,omitempty"`     // whose yes its approval wants
	Undeclared    bool            `json:"undeclared,omitempty"` // effects not known: runs alone
	Effects       []schema.Effect `json:"effects"`
	Impact        schema.Impact   `json:"impact"` // by unit; empty: nothing was counted
	Sample        []string        `json:"sample,omitempty"`
	Summary       string          `json:"summary,omitempty"` // what the preview said
	Command       string          `json:"command"`
	Unknown       []string        `json:"unknown,omitempty"`            // arguments not known until earlier steps have run
	Fallbacks     []Deed          `json:"fallbacks,omitempty"`          // what it does instead where its action does not bring it about, in order
	Rollback      *Deed           `json:"rollback,omitempty"`           // its way back; nil: there is none
	NoReturn      bool            `json:"point_of_no_return,omitempty"` // a rollback never crosses it
	OnFailure     string          `json:"on_failure"`
	Preconditions []Check         `json:"preconditions"`
	Goals         []Check         `json:"goals"`
	Verify        []Check         `json:"verify"`          // never looked at by plan: holds is null
	Value         string          `json:"value,omitempty"` // what a capture read, secrets taken out
	DependsOn     []string        `json:"depends_on,omitempty"`
	Warnings      []string        `json:"warnings,omitempty"`
}

// Check is one assertion's answer.
type Check struct {
	Name    string `json:"name"`
	Step    string `json:"step,omitempty"` // diagnosis: the step that calls the runbook whose check it is
	Probe   string `json:"probe,omitempty"`
	Holds   *bool  `json:"holds"`            // null: not looked at, unknown, or the probe erred
	Status  string `json:"status,omitempty"` // diagnosis: holds|fails|errors
	Message string `json:"message"`
}

// Effect is what one resource would suffer, and from which steps.
type Effect struct {
	schema.Effect
	Steps []string `json:"steps"` // step.x, or where something goes wrong step.x.fallback.LABEL, step.x.rollback
}

// Output is an output's value as far as it is known.
type Output struct {
	Name  string `json:"name"`
	Value any    `json:"value"` // JSON value; null where unknown
	Known bool   `json:"known"`
}
