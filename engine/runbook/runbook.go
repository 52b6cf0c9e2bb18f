// Package runbook turns HCL files into a Runbook: its blocks as plain structs,
// expressions and bodies undecoded with their ranges, references found by
// walking the syntax, and the edges that follow from them. It evaluates
// nothing, needs no provider schema and starts nothing.
package runbook

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/address"
)

// Runbook is one loaded file with what it includes. It is not changed after
// Load and may be shared.
type Runbook struct {
	Name        string
	Title       string
	Description string
	Owner       string
	Severity    string // low, medium, high, critical, or empty
	Labels      map[string]string
	Timeout     time.Duration // zero: none
	OnFailure   OnFailure     // Stop unless said
	MaxParallel int           // 4 unless said

	File  string // as given, cleaned
	Dir   string // absolute folder of File
	Range hcl.Range

	Variables map[string]*Variable
	Locals    map[string]*Local
	Providers map[string]*Provider // by reference: postgres, postgres.replica
	Checks    map[string]*Check
	Steps     []*Step // source order
	Outputs   []*Output
	Notices   []*Notice // the file's own first, each file's in source order; none where it is called

	// Diagnosis names the checks whose values an expression reads, in a when or
	// elsewhere, by name: they are observed together before the first action.
	Diagnosis []string

	// Sources holds the text of every file read, by the file name that ranges
	// use: for diagnostics, and for the record.
	Sources map[string][]byte
	Files   []string // the names in Sources, in the order read: the runbook's own first

	// Bodies holds what was parsed of this runbook's own file and of what it
	// includes, by the same names: for those who read the syntax.
	Bodies map[string]*hclsyntax.Body

	size       int  // steps, those of what it calls too
	overfull   bool // Load found more mistakes than it lists
	incomplete bool // an included file could not be read: names that are missing may be in it
}

// OnFailure says what a step that ended badly means for the rest.
type OnFailure string

// The failure policies.
const (
	Stop     OnFailure = "stop"
	Continue OnFailure = "continue"
	RollBack OnFailure = "rollback"
	Ignore   OnFailure = "ignore"
)

// Variable is a `variable` block.
type Variable struct {
	Name        string
	Type        cty.Type           // DynamicPseudoType unless said; optional attributes with their defaults applied by eval
	TypeExpr    hcl.Expression     // nil unless said
	Defaults    *typeexpr.Defaults // of optional attributes in Type; nil: none
	Default     cty.Value          // cty.NilVal: none
	DefaultExpr hcl.Expression     // as written; nil: none
	Description string
	Sensitive   bool
	Nullable    bool   // true unless said
	Env         string // environment variable to read
	File        string // file to read, relative to the runbook
	Validations []*Validation
	Reached     bool // something that is planned, run or checked leads to it: it is asked for
	Range       hcl.Range
}

// Validation is a `validation` block of a variable.
type Validation struct {
	Condition hcl.Expression
	Message   hcl.Expression
	Range     hcl.Range
}

// Local is one argument of a `locals` block.
type Local struct {
	Name  string
	Expr  hcl.Expression
	Range hcl.Range

	References []Reference // of its own expression
	Order      int         // of evaluation: higher than that of every local it uses
	Static     bool        // reaches no step and no check, also not through other locals
}

// Provider is a `provider` block.
type Provider struct {
	Name  string
	Alias string   // empty: the default configuration
	Body  hcl.Body // the configuration, alias taken out
	Range hcl.Range
}

// Ref is how operations name this configuration: postgres or postgres.replica.
func (p *Provider) Ref() string {
	if p.Alias == "" {
		return p.Name
	}
	return p.Name + "." + p.Alias
}

// Check is a top-level `check` block.
type Check struct {
	Assertion
	Description string
	ForEach     hcl.Expression // nil: it is one check; else one for each key
}

// CheckUse names a check that an assertion looks with.
type CheckUse struct {
	Name  string
	Key   hcl.Expression // check.x[KEY]; nil: the check itself, or all of its instances
	Range hcl.Range
}

// Assertion is the body of a check, precondition, goal or verify. Exactly one
// of Probe and Checks is set, or neither, where Assert stands alone.
type Assertion struct {
	Kind      string // check, precondition, goal, verify
	Name      string
	Place     string // check.x, step.x.goal.g
	Probe     *Operation
	Checks    []CheckUse     // the checks named by check = or checks =, in order
	All       bool           // written as checks = […]
	Assert    hcl.Expression // nil: result.ok
	Message   hcl.Expression // nil: the probe's summary
	Within    *time.Duration // nil where not said, as for the next two
	Every     *time.Duration
	Timeout   *time.Duration
	HoldFor   *time.Duration // nil where not said
	Tolerate  *int           // likewise
	Otherwise string         // precondition: block (default) or skip
	Range     hcl.Range
}

// The defaults of an assertion (language.md).
const (
	DefaultEvery   = 2 * time.Second
	DefaultTimeout = 10 * time.Second
)

// Operation is a `probe` or `action` block.
type Operation struct {
	Provider  string   // postgres
	Name      string   // query
	Ref       string   // the provider configuration used: postgres or postgres.replica
	Body      hcl.Body // its arguments; engine words taken out
	Sensitive bool
	Range     hcl.Range

	LabelRange hcl.Range // "postgres.query"
}

// Type is the operation as people write it: postgres.query.
func (o *Operation) Type() string { return o.Provider + "." + o.Name }

// Step is a `step` block: at most one of Action, Probe and Call is set; a step
// with none of them is a gate.
type Step struct {
	Name          string
	Index         int // place in Runbook.Steps
	Title         string
	Description   string
	When          hcl.Expression // nil: always true
	ForEach       hcl.Expression // nil: it is one step; else one for each key
	MaxParallel   int            // instances at once; zero: all
	Preconditions []*Assertion
	Goals         []*Assertion
	Verifies      []*Assertion
	Action        *Operation
	Probe         *Operation
	Call          *Call
	Fallbacks     []*Fallback    // in the order they are tried
	Rollback      *Rollback      // nil: what it does is not taken back
	Approval      *Approval      // nil: no person is asked because of it
	NoReturn      bool           // point_of_no_return: a rollback never crosses it
	Retry         *Retry         // nil: none
	Limit         hcl.Expression // nil: none
	Timeout       time.Duration  // zero: none
	OnFailure     OnFailure      // the step's own, else the runbook's
	Always        bool
	Range         hcl.Range

	Uses       []Use    // of results: of other steps, and its own by self
	Edges      []Edge   // to earlier or other steps, each target once, the strongest kind kept
	WhenChecks []string // checks that When reads, through locals too: the diagnosis
}

// Fallback is what a step does instead where its action, and each fallback
// before this one, failed or did not bring about its goals.
type Fallback struct {
	Label  string
	Action *Operation
	Range  hcl.Range
}

// Rollback is how what a step did is taken back.
type Rollback struct {
	Action    *Operation
	Verifies  []*Assertion
	DependsOn []*Step // whose rollbacks come first, where there are any to do
	Range     hcl.Range
}

// Approval is whose yes a step wants before it acts.
type Approval struct {
	Message   hcl.Expression // nil: none
	When      hcl.Expression // nil: always
	Approvers hcl.Expression // a list of identities; nil: anybody
	Count     int            // how many different ones, at least 1
	Timeout   time.Duration  // since it was asked; zero: for ever
	Range     hcl.Range
}

// Call is a `call` block: another runbook, whose steps become part of this one's.
type Call struct {
	Runbook   *Runbook // shared by all calls of the same file; nil where it could not be loaded
	File      string   // as written
	Variables []CallVariable
	Range     hcl.Range
}

// CallVariable is a value that a call gives to a variable of what it calls.
type CallVariable struct {
	Name  string
	Value hcl.Expression
	Range hcl.Range // of its name
}

// Operation is the step's action or probe, or nil for a gate and a call.
func (s *Step) Operation() *Operation {
	if s.Action != nil {
		return s.Action
	}
	return s.Probe
}

// Actions lists what the step may do: its action, its fallbacks', its rollback's.
func (s *Step) Actions() []*Operation {
	var all []*Operation
	add := func(op *Operation) {
		if op != nil {
			all = append(all, op)
		}
	}
	add(s.Action)
	for _, f := range s.Fallbacks {
		add(f.Action)
	}
	if s.Rollback != nil {
		add(s.Rollback.Action)
	}
	return all
}

// Assertions lists what the step looks at, its rollback's verifications too.
func (s *Step) Assertions() []*Assertion {
	all := slices.Concat(s.Preconditions, s.Goals, s.Verifies)
	if s.Rollback != nil {
		all = append(all, s.Rollback.Verifies...)
	}
	return all
}

// Retry says how often an action is tried again after a failure that is known
// to have changed nothing, or where doing it again is harmless.
type Retry struct {
	Attempts int           // tries in all
	Delay    time.Duration // before the second
	Factor   float64       // by which the delay grows from try to try
	MaxDelay time.Duration
	Jitter   float64        // share of the delay that is added at most
	When     hcl.Expression // over error.code and error.message; nil: always
	Range    hcl.Range
}

// The defaults of a retry.
const (
	DefaultRetryDelay    = 5 * time.Second
	DefaultRetryFactor   = 2
	DefaultRetryMaxDelay = time.Minute
)

// Address is the step's address: step.x.
func (s *Step) Address() string { return "step." + s.Name }

// EdgeKind says what a step wants of one it comes after.
type EdgeKind int

// The kinds of edge, weakest first.
const (
	Order EdgeKind = iota // written order: it merely comes before
	Wait                  // its status is read: it must have ended, however
	Need                  // depends_on, or its values are read: it must have ended well
)

// Edge joins a step to one that must end first.
type Edge struct {
	To    *Step
	Kind  EdgeKind
	Range hcl.Range // the reference, the depends_on entry, or the step itself for written order
}

// Output is an `output` block.
type Output struct {
	Name        string
	Value       hcl.Expression
	Description string
	Sensitive   bool
	Uses        []Use // of results
	Range       hcl.Range
}

// Notice is a `notify` or an `escalation` block: an action that tells people what
// becomes of the run.
type Notice struct {
	Kind   string // notify or escalation
	Name   string
	On     []string       // notify: what it tells of, in the order of Tells
	After  time.Duration  // escalation: since the run has started
	When   hcl.Expression // escalation; nil: always
	Action *Operation     // nil only beside an error
	Range  hcl.Range
}

// Address is what the notice is called in records and tests: notify.oncall.
func (n *Notice) Address() string { return n.Kind + "." + n.Name }

// Tells lists what a notify can tell of: that the run has started, that it waits
// for a person, and how it has ended.
func Tells() []string {
	return []string{"started", "waiting", "failed", "blocked", "interrupted", "succeeded", "rolled_back"}
}

// Instance is the address of one instance of the step: step.x["k"].
func (s *Step) Instance(key string) string { return address.New(s.Name).Instance(key).String() }

// Unknown is the address of instances that are not known yet: step.x[*].
func (s *Step) Unknown() string { return address.New(s.Name).Unknown().String() }

// Statuses lists how a step can end, worst first.
func Statuses() []string {
	return []string{"rollback_failed", "unknown", "failed", "interrupted", "blocked", "not_run", "rolled_back", "done", "satisfied", "skipped"}
}
