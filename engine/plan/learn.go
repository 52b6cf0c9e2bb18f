package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// looker finds out, for one step, what Decide wants to know.
type looker struct {
	*level
	standing    *standing
	captured    cty.Value
	goals       []Sighting
	arguments   cty.Value
	unknown     []string
	description schema.Description
}

func (l *looker) learn(ctx context.Context, want Want, f *Facts) {
	step, said, x := l.standing.step, &l.standing.said, l.standing.extra
	switch want {
	case WantWhen:
		f.When = l.observer.When(ctx, step, l.diagnosis, x)
	case WantGoals:
		l.goals = l.observer.LookAll(ctx, &l.round, step.Goals, x)
		f.Goals = fill(said.Goals, l.goals)
		if l.forced(l.standing) && allHold(f.Goals) {
			f.Goals = []Answer{{Truth: Fails, Reason: "forced though its goal holds"}}
		}
	case WantPreconditions:
		f.Preconditions = fill(said.Preconditions, l.observer.LookAll(ctx, &l.round, step.Preconditions, x))
	case WantCapture:
		s := l.observer.Probe(At(ctx, said.Address), &l.round, step.Probe, x, runbook.DefaultTimeout)
		if s.Truth == Holds {
			l.captured = s.Result
			said.Value = redact.Display(s.Result)
		}
		f.Capture = &s.Answer
	case WantArguments:
		f.Arguments = l.learnArguments(ctx, said)
	case WantPreview:
		f.Preview = l.preview(ctx, said)
	case WantPerson:
		f.Person = &Answer{Truth: Holds}
		wanted, err := l.observer.Wants(ctx, step, x)
		said.Wanted = wanted
		switch {
		case err != nil:
			f.Person = &Answer{Truth: Fails, Reason: err.Error()}
		case wanted != nil:
			f.Person = &Answer{Truth: Fails, Reason: wanted.String()}
		case said.Destructive:
			f.Person = &Answer{Truth: Fails, Reason: "it is destructive: a person has to see what it hits"}
		case said.Rollback != nil && said.Rollback.Destructive:
			f.Person = &Answer{Truth: Fails, Reason: RollbackDestroys}
		case l.observer.asks(ctx, step.Action):
			said.Asks = true
			f.Person = &Answer{Truth: Fails, Reason: "it asks a person"}
		}
	case WantLock:
		f.Lock = &Answer{Truth: Holds}
		if l.opts.Locked != nil {
			if holder := l.opts.Locked(said.Effects); holder != "" {
				f.Lock = &Answer{Truth: Fails, Reason: holder}
			}
		}
	}
}

// RollbackDestroys is why a step asks a person whose own action destroys nothing.
const RollbackDestroys = "its rollback is destructive: a person has to see what it would hit"

func (l *looker) learnArguments(ctx context.Context, said *Step) *Answer {
	d, arguments, unknown, err := l.observer.Describe(At(ctx, said.Address), l.standing.step.Action, l.standing.extra)
	if err != nil {
		return &Answer{Truth: Fails, Reason: err.Error()}
	}
	l.description, l.arguments, l.unknown = d, arguments, unknown
	tell(said, d)
	l.deeds(ctx, said)
	if len(unknown) > 0 {
		said.Unknown = unknown
		return &Answer{Truth: NotKnown, Reason: "not known before earlier steps have run: " + strings.Join(unknown, ", ")}
	}
	return &Answer{Truth: Holds}
}

func (l *looker) preview(ctx context.Context, said *Step) *Previewed {
	step := l.standing.step
	limits, err := l.observer.Limits(ctx, step, l.standing.extra)
	if err != nil {
		return &Previewed{OverLimit: err.Error()}
	}
	p := &Previewed{Destructive: l.description.Destructive, Limited: len(limits) > 0}
	if l.opts.Offline {
		return p
	}
	d, err := l.observer.Preview(At(ctx, said.Address), step.Action, l.arguments, limits, l.description)
	if err != nil {
		p.Failed = err.Error()
		return p
	}
	tell(said, d)
	p.Destructive = d.Destructive
	p.OverLimit = l.observer.OverLimit(ctx, step.Action, d.Impact, limits)
	return p
}

// asks tells whether an action asks a person before it does anything.
func (o *Observer) asks(ctx context.Context, op *runbook.Operation) bool {
	provider, err := o.Schemas.Schema(ctx, op.Provider)
	if err != nil {
		return false
	}
	spec := provider.Operation(schema.Action, op.Name)
	return spec != nil && spec.Asks
}

func tell(said *Step, d schema.Description) {
	said.Effects = append([]schema.Effect{}, d.Effects...)
	said.Undeclared = d.Undeclared
	said.Destructive = d.Destructive
	said.Command = Shell(d.Command)
	said.Impact = d.Impact
	said.Sample = d.Sample
	said.Summary = d.Summary
}

// Describe evaluates an action's arguments and asks its provider what they
// would touch; both without I/O. The names of arguments not yet known come third.
func (o *Observer) Describe(ctx context.Context, op *runbook.Operation, x eval.Extra) (schema.Description, cty.Value, []string, error) {
	arguments, unknown, err := o.Arguments(ctx, op, schema.Action, x)
	if err != nil {
		return schema.Description{}, cty.NilVal, nil, err
	}
	d, err := o.Backend.Describe(ctx, o.Frame.Ref(op.Ref), schema.Operation{
		Name: op.Name, Kind: schema.Action, Arguments: arguments, Unknown: unknown, Timeout: describeTimeout,
	})
	err = late(ctx, err, describeTimeout)
	if err == nil && d.Failure != nil {
		err = d.Failure
	}
	if err != nil {
		return d, arguments, unknown, fmt.Errorf("%s: %w", op.Type(), err)
	}
	return d, arguments, unknown, nil
}

// Preview measures what an action would hit, bounded like one look. What it
// does not tell is taken from the description.
func (o *Observer) Preview(ctx context.Context, op *runbook.Operation, arguments cty.Value, limits schema.Impact, described schema.Description) (schema.Description, error) {
	provider, err := o.Schemas.Schema(ctx, op.Provider)
	if err != nil {
		return described, err
	}
	if spec := provider.Operation(schema.Action, op.Name); spec == nil || !spec.Previews {
		return described, nil
	}
	d, err := o.Backend.Preview(ctx, o.Frame.Ref(op.Ref), schema.Operation{
		Name: op.Name, Kind: schema.Action, Arguments: arguments, Limits: limits, Timeout: previewTimeout,
	})
	err = late(ctx, err, previewTimeout)
	if err == nil && d.Failure != nil {
		err = d.Failure
	}
	if err != nil {
		return described, fmt.Errorf("%s: %w", op.Type(), err)
	}
	return d, nil
}

// describeTimeout bounds one Describe, which is pure. previewTimeout bounds one
// preview: it may count more than a look reads.
const (
	describeTimeout = 10 * time.Second
	previewTimeout  = 30 * time.Second
)

// Limits evaluates a step's limit; nil where it has none.
func (o *Observer) Limits(ctx context.Context, step *runbook.Step, x eval.Extra) (schema.Impact, error) {
	if step.Limit == nil {
		return nil, nil
	}
	v, diags := o.Scope.Value(ctx, step.Limit, cty.Map(cty.Number), x)
	if diags.HasErrors() {
		return nil, fmt.Errorf("limit: %s", Explain(diags))
	}
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() || v.IsNull() {
		return nil, fmt.Errorf("limit: it needs a value that is not known yet")
	}
	limits := make(schema.Impact)
	for unit, n := range v.AsValueMap() {
		if n.IsNull() {
			return nil, fmt.Errorf("limit: %s is null", unit)
		}
		limits[unit], _ = n.AsBigFloat().Int64()
	}
	return limits, nil
}

// OverLimit names the first bound that the impact exceeds, or that nobody would
// keep: it was not counted, and the action does not enforce it. Empty: all is
// within.
func (o *Observer) OverLimit(ctx context.Context, op *runbook.Operation, impact, limits schema.Impact) string {
	var enforced []string
	if provider, err := o.Schemas.Schema(ctx, op.Provider); err == nil {
		if spec := provider.Operation(schema.Action, op.Name); spec != nil {
			enforced = spec.Enforces
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(limits)) {
		n, counted := impact[unit]
		switch {
		case !counted && slices.Contains(enforced, unit):
		case !counted:
			return fmt.Sprintf("limit names %s, which the preview did not count", unit)
		case n > limits[unit]:
			return fmt.Sprintf("it would hit %d %s, the limit is %d", n, unit, limits[unit])
		}
	}
	return ""
}

// LookAll looks at all assertions of one kind side by side, once.
func (o *Observer) LookAll(ctx context.Context, round *Round, assertions []*runbook.Assertion, x eval.Extra) []Sighting {
	sightings := make([]Sighting, len(assertions))
	clock.Together(o.clock(), len(assertions), func(i int) { sightings[i] = o.Look(ctx, round, assertions[i], x) })
	return sightings
}

// When evaluates a step's `when` after a diagnosis.
func (o *Observer) When(ctx context.Context, step *runbook.Step, d *Diagnosis, x eval.Extra) *Answer {
	truth, diags := o.Scope.Condition(ctx, step.When, x)
	switch {
	case diags.HasErrors():
		return &Answer{Truth: Errs, Reason: "`when` cannot be evaluated: " + d.erred(step.WhenChecks) + Explain(diags)}
	case truth == eval.Unknown:
		return &Answer{Truth: NotKnown, Reason: "its `when` is decided once earlier steps have run"}
	case truth == eval.True:
		return &Answer{Truth: Holds}
	}
	return &Answer{Truth: Fails, Reason: "its `when` is false" + o.because(ctx, step.When, d, x)}
}

func fill(checks []Check, sightings []Sighting) []Answer {
	answers := make([]Answer, len(sightings))
	for i, s := range sightings {
		answers[i] = s.Answer
		checks[i].Message = s.Reason
		if s.Truth == Holds || s.Truth == Fails {
			holds := s.Truth == Holds
			checks[i].Holds = &holds
		}
	}
	return answers
}

func allHold(answers []Answer) bool {
	_, bad := first(answers, Fails, Errs, NotKnown)
	return !bad
}
