// Package eval turns expressions into values: scopes that hold only what an
// expression names, the functions, unknown values, sensitive marks, and the
// bounds that keep an evaluation short and small. It reads variables from their
// sources. It looks at nothing outside the runbook's folder and starts nothing.
package eval

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Run is what expressions see as run.* values.
type Run struct {
	ID          string
	StartedAt   time.Time
	Operator    string
	Environment string
}

// RunValue is run.* for expressions; summary is in it unless it is NilVal.
func RunValue(run Run, summary cty.Value) cty.Value {
	values := map[string]cty.Value{
		"id":          cty.StringVal(run.ID),
		"started_at":  cty.UnknownVal(cty.String),
		"operator":    cty.StringVal(run.Operator),
		"environment": cty.StringVal(run.Environment),
	}
	if !run.StartedAt.IsZero() {
		values["started_at"] = cty.StringVal(run.StartedAt.UTC().Format(time.RFC3339))
	}
	if summary != cty.NilVal {
		values["summary"] = summary
	}
	return cty.ObjectVal(values)
}

// Values gives what is known of steps and checks while a runbook is planned or
// run. It is called for nothing but the names that an expression uses, and must
// be safe for concurrent use. Parts that are not known yet are unknown values.
type Values interface {
	// Step is an object with result, status, started_at, finished_at, and by
	// name goal and verify, each an object with holds and result. Of a step with
	// a for_each it is an object of these by key.
	Step(name string) cty.Value
	// Status is the worst status of a step's instances. It is asked of steps
	// with a for_each only.
	Status(name string) cty.Value
	// Check is an object with status, holds and result. Of a check with a
	// for_each it is an object of these by key.
	Check(name string) cty.Value
}

// Extra is what is in scope at one place only. Zero fields are not in scope.
type Extra struct {
	Result    cty.Value // result: what an assertion's probe answered
	Self      cty.Value // self.result: what the step's own action returned
	Error     cty.Value // error, in retry.when
	EachKey   cty.Value
	EachValue cty.Value
	Roots     map[string]cty.Value // whole roots by name, before all others: what only the tests of a runbook see
}

// Scope evaluates the expressions of one runbook within one plan or run. It is
// safe for concurrent use.
type Scope struct {
	rb        *runbook.Runbook
	vars      map[string]cty.Value
	values    Values
	roots     map[string]cty.Value // run and path
	functions map[string]function.Function
	binder    binder
	compiled  sync.Map     // hcl.Expression → *compiled
	slow      atomic.Int32 // evaluations that were too slow

	mu      sync.Mutex
	statics map[string]static // static locals that are evaluated
}

type static struct {
	value cty.Value
	diags hcl.Diagnostics
}

// New returns a scope. vars holds the values of variables as Variables gives
// them; one that is missing is unknown. values may be nil where no expression
// that reads steps or checks is evaluated; they are unknown then.
func New(rb *runbook.Runbook, vars map[string]cty.Value, run Run, values Values) *Scope {
	forEach := map[string]bool{}
	for _, step := range rb.Steps {
		if step.ForEach != nil {
			forEach[step.Name] = true
		}
	}
	table := functions(rb.Dir)
	return &Scope{
		rb:     rb,
		binder: binder{forEach, &templates{rb.Dir, table}},
		vars:   vars,
		values: values,
		roots: map[string]cty.Value{
			"run":  RunValue(run, cty.NilVal),
			"path": cty.ObjectVal(map[string]cty.Value{"runbook": cty.StringVal(rb.Dir)}),
		},
		functions: table,
		statics:   map[string]static{},
	}
}

// Truth is the answer of a condition.
type Truth int

// The answers. The zero value is Unknown.
const (
	Unknown Truth = iota // it needs a value that is not known yet
	True
	False
)

// Value evaluates an expression and converts it to the wanted type;
// cty.DynamicPseudoType takes any. The value may be unknown, wholly or in
// parts, and carries its marks. With an error it is unknown.
func (s *Scope) Value(ctx context.Context, expr hcl.Expression, want cty.Type, x Extra) (cty.Value, hcl.Diagnostics) {
	return s.evaluation(ctx, x).value(expr, want)
}

// Condition evaluates a condition. Where it cannot be evaluated the answer is
// Unknown and the diagnostics, which have an error then, say why: it does not
// hold.
func (s *Scope) Condition(ctx context.Context, expr hcl.Expression, x Extra) (Truth, hcl.Diagnostics) {
	return s.evaluation(ctx, x).condition(expr)
}
