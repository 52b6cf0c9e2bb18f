package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Backend is what looking ahead needs of the providers. A ref names a provider
// configuration: postgres or postgres.replica. It ends a call with
// context.DeadlineExceeded once the operation's Timeout has passed since the
// provider was asked.
type Backend interface {
	Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error)
	Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error)
	Observe(ctx context.Context, ref string, op schema.Operation) (schema.Outcome, error)
}

// Schemas answers what operations take and give, without starting anything.
type Schemas interface {
	Schema(ctx context.Context, provider string) (*schema.Provider, error)
}

// Observer looks at the assertions and probes of one frame. It changes nothing
// and is safe for concurrent use.
type Observer struct {
	Frame   *eval.Frame
	Scope   *eval.Scope
	Values  eval.Values // what Scope reads of steps and checks
	Schemas Schemas
	Backend Backend
	Clock   clock.Clock // bounds looks; nil: the machine's
	Offline bool        // everything that needs a look is not known
}

// Sighting is one look's answer.
type Sighting struct {
	Answer
	Probe   string // postgres.query; empty where nothing was probed
	Result  cty.Value
	Failure *schema.Failure
}

// Patience is how an assertion is waited for.
type Patience struct {
	Within   time.Duration // until it holds
	Every    time.Duration // between looks
	Timeout  time.Duration // of one look
	HoldFor  time.Duration // that it must then hold
	Tolerate int           // looks in a row that may miss meanwhile
}

// Patience returns how an assertion is waited for, its check's own where it says
// nothing.
func (o *Observer) Patience(a *runbook.Assertion) Patience {
	a = o.follow(a)
	return Patience{
		Within: or(a.Within, 0), Every: or(a.Every, runbook.DefaultEvery), Timeout: or(a.Timeout, runbook.DefaultTimeout),
		HoldFor: or(a.HoldFor, 0), Tolerate: or(a.Tolerate, 0),
	}
}

func or[T any](said *T, unsaid T) T {
	if said == nil {
		return unsaid
	}
	return *said
}

// Look observes an assertion once, with within and hold_for taken as zero. The answer's
// Within tells what the assertion would have allowed.
func (o *Observer) Look(ctx context.Context, round *Round, a *runbook.Assertion, x eval.Extra) Sighting {
	ctx, q, err := o.ask(ctx, a, x)
	var s Sighting
	foretold, known := o.foretold(ctx, a)
	switch {
	case known:
		s = Sighting{Answer: foretold}
	case err != nil:
		s = Sighting{Answer: Answer{Truth: Errs, Reason: err.Error()}}
	case q.All:
		s = o.lookAll(ctx, round, q)
	default:
		s = o.lookOne(ctx, round, q)
	}
	s.Within = o.Patience(a).Within
	return s
}

func (o *Observer) lookAll(ctx context.Context, round *Round, q question) Sighting {
	uses := o.every(q.Checks)
	if len(uses) == 0 {
		return Sighting{Answer: Answer{Truth: Fails, Reason: q.Name + " does not hold: there is no check to look at"}}
	}
	sightings := make([]Sighting, len(uses))
	names := make([]string, len(uses))
	clock.Together(o.clock(), len(uses), func(i int) {
		part := q.Assertion
		part.All, part.Checks, part.Name = false, uses[i:i+1], uses[i].Name
		names[i] = o.named(ctx, uses[i], q.writer)
		sightings[i] = o.Look(ctx, round, &part, q.writer)
	})
	worst := Sighting{Answer: Answer{Truth: Holds}}
	var bad, good []string
	for i, s := range sightings {
		said := names[i] + ": " + s.Reason
		if s.Truth == Holds {
			good = append(good, said)
			continue
		}
		bad = append(bad, said)
		if worst.Truth == Holds || s.Truth == Fails {
			worst = s
		}
	}
	worst.Reason = strings.Join(bad, "; ")
	if len(bad) == 0 {
		worst.Reason = strings.Join(good, "; ")
	}
	return worst
}

func (o *Observer) lookOne(ctx context.Context, round *Round, q question) Sighting {
	timeout := o.Patience(&q.Assertion).Timeout
	s := Sighting{Answer: Answer{Truth: Holds}}
	if q.Probe != nil {
		s = o.Probe(ctx, round, q.Probe, q.probe, timeout)
		if s.Truth != Holds {
			return s
		}
		q.assert.Result, q.message.Result = s.Result, s.Result
	}
	a := &q.Assertion
	truth, diags := o.truth(ctx, a.Assert, q.assert, s.Result)
	s.Truth = truth
	switch {
	case diags.HasErrors():
		s.Reason = o.said(ctx, a.Message, q.message, notHolding(a, s)) + "; it cannot be evaluated: " + Explain(diags)
	case truth == NotKnown:
		s.Reason = a.Name + " needs a value that is not known yet"
	case truth == Fails:
		s.Reason = o.said(ctx, a.Message, q.message, notHolding(a, s))
	default:
		s.Reason = Summary(s.Result)
	}
	return s
}

func (o *Observer) truth(ctx context.Context, assert hcl.Expression, x eval.Extra, result cty.Value) (Truth, hcl.Diagnostics) {
	if assert == nil {
		ok, _ := attribute(result, "ok")
		switch {
		case ok == cty.NilVal || ok.IsNull():
			return Fails, nil
		case !ok.IsKnown():
			return NotKnown, nil
		}
		return truthOf(ok.True()), nil
	}
	truth, diags := o.Scope.Condition(ctx, assert, x)
	if diags.HasErrors() {
		return Fails, diags
	}
	switch truth {
	case eval.True:
		return Holds, nil
	case eval.Unknown:
		return NotKnown, nil
	}
	return Fails, nil
}

func truthOf(b bool) Truth {
	if b {
		return Holds
	}
	return Fails
}

// said is the author's message, or the fallback where there is none or it
// cannot be told.
func (o *Observer) said(ctx context.Context, message hcl.Expression, x eval.Extra, fallback string) string {
	if message == nil {
		return fallback
	}
	text, diags := o.Scope.Text(ctx, message, x)
	if diags.HasErrors() {
		return fallback
	}
	return text
}

func notHolding(a *runbook.Assertion, s Sighting) string {
	if s.Result == cty.NilVal {
		return a.Name + " does not hold"
	}
	if a.Assert == nil {
		return Summary(s.Result)
	}
	return a.Name + " does not hold" + observed(s)
}

// observed says what the probe saw: its summary, and its values where short.
func observed(s Sighting) string {
	if s.Result == cty.NilVal {
		return ""
	}
	said := " (" + s.Probe + ": " + Summary(s.Result)
	if shown := redact.Display(s.Result); len(shown) <= 200 {
		said += "; observed " + shown
	}
	return said + ")"
}

// Probe asks one probe, once. Truth is Holds where it answered, whatever the
// answer.
func (o *Observer) Probe(ctx context.Context, round *Round, op *runbook.Operation, x eval.Extra, timeout time.Duration) Sighting {
	s := Sighting{Probe: op.Type()}
	arguments, unknown, err := o.Arguments(ctx, op, schema.Probe, x)
	switch {
	case err != nil:
		s.Truth, s.Reason = Errs, err.Error()
		return s
	case len(unknown) > 0:
		s.Truth, s.Reason = NotKnown, fmt.Sprintf("%s needs %s, not known yet", op.Type(), strings.Join(unknown, ", "))
		return s
	case o.Offline:
		s.Truth, s.Reason = NotKnown, op.Type()+" is not looked at offline"
		return s
	}
	outcome, err := round.observe(ctx, o, op, arguments, timeout)
	if err == nil && outcome.State != schema.Done && outcome.Failure == nil {
		err = errors.New("it ended without an answer")
	}
	if err == nil && outcome.Failure != nil {
		s.Failure, err = outcome.Failure, outcome.Failure
	}
	if err != nil {
		s.Truth, s.Reason = Errs, fmt.Sprintf("%s could not look: %s", op.Type(), err)
		return s
	}
	s.Truth, s.Result = Holds, outcome.Result
	if op.Sensitive {
		s.Result = redact.Mark(s.Result)
	}
	s.Reason = Summary(s.Result)
	return s
}

// Arguments evaluates an operation's arguments against its schema and names
// those that are not wholly known. An error is the author's mistake, told in one line.
func (o *Observer) Arguments(ctx context.Context, op *runbook.Operation, kind schema.Kind, x eval.Extra) (cty.Value, []string, error) {
	provider, err := o.Schemas.Schema(ctx, op.Provider)
	if err != nil {
		return cty.NilVal, nil, err
	}
	spec := provider.Operation(kind, op.Name)
	if spec == nil {
		return cty.NilVal, nil, fmt.Errorf("provider %s has no %s %q", op.Provider, kind, op.Name)
	}
	value, diags := o.Scope.Body(ctx, op.Body, spec.Arguments, x)
	if diags.HasErrors() {
		return cty.NilVal, nil, errors.New(Explain(diags))
	}
	var unknown []string
	for _, a := range spec.Arguments.Attributes {
		if v, ok := attribute(value, a.Name); ok && !v.IsWhollyKnown() {
			unknown = append(unknown, a.Name)
		}
	}
	return value, unknown, nil
}

// clock is what bounds looks.
func (o *Observer) clock() clock.Clock {
	if o.Clock == nil {
		return clock.Real{}
	}
	return o.Clock
}

// Summary is what a result says of itself in one line.
func Summary(result cty.Value) string {
	v, ok := attribute(result, "summary")
	if !ok || v == cty.NilVal || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// attribute reads one attribute of an object, marks of the whole taken off; a
// sensitive text reads as such.
func attribute(object cty.Value, name string) (cty.Value, bool) {
	if object == cty.NilVal {
		return cty.NilVal, false
	}
	sensitive := object.HasMark(redact.Sensitive)
	object, _ = object.Unmark()
	if object.IsNull() || !object.IsKnown() || !object.Type().IsObjectType() || !object.Type().HasAttribute(name) {
		return cty.NilVal, false
	}
	v := object.GetAttr(name)
	if (sensitive || v.HasMark(redact.Sensitive)) && v.Type() == cty.String {
		return cty.StringVal("(sensitive)"), true
	}
	v, _ = v.Unmark()
	return v, true
}

// longestDetail bounds what one mistake says, in bytes: some functions quote what
// they are given.
const longestDetail = 1000

// Explain tells diagnostics in one line.
func Explain(diags hcl.Diagnostics) string {
	var said []string
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		text := strings.Join(strings.Fields(d.Detail), " ")
		if len(text) > longestDetail {
			text = strings.ToValidUTF8(text[:longestDetail], "") + "…"
		}
		if d.Subject != nil {
			text += fmt.Sprintf(" (%s:%d)", d.Subject.Filename, d.Subject.Start.Line)
		}
		said = append(said, text)
	}
	return strings.Join(said, "; ")
}
