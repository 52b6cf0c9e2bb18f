package rehearse

import (
	"context"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Act implements apply.Backend.
func (b *backend) Act(ctx context.Context, ref string, op schema.Operation, _ func(schema.Progress)) schema.Outcome {
	operation, step, at := operationOf(ref, op), place(ctx), doer(ctx)
	talks := b.talks(ctx, ref, op)
	if talks && op.Answers == cty.NilVal && !b.spoils(at) {
		return b.Ask(ctx, ref, op) // it has not begun yet
	}
	b.calls[operation]++
	b.acted.note(operation, at)
	b.began[at] = true
	if b.steps(at) {
		b.reach(site{step: step, at: at, subject: deed(step, at)})
	}
	a, ok := answer{}, talks
	if !talks {
		a, ok = b.answer(ctx, operation, schema.Action)
	}
	switch {
	case !ok:
		return schema.Outcome{State: schema.FailedClean, Failure: notMocked}
	case b.clock.Sleep(ctx, a.takes) != nil:
		return schema.Outcome{State: schema.FailedPartial, Failure: &schema.Failure{Code: "cancelled", Message: operation + " was cancelled in mid-action"}}
	case b.goesWrong(at, FailsClean):
		return schema.Outcome{State: schema.FailedClean, Failure: b.fault.failure()}
	case b.goesWrong(at, FailsPartly):
		return schema.Outcome{State: schema.FailedPartial, Failure: b.fault.failure()}
	case b.goesWrong(at, UnknownUndone):
		return schema.Outcome{State: schema.Unknown, Failure: b.fault.failure()}
	case a.clean:
		return schema.Outcome{State: schema.FailedClean, Failure: failure(a.fails)}
	case a.fails != "":
		return schema.Outcome{State: schema.FailedPartial, Failure: failure(a.fails)}
	}
	outcome := schema.Outcome{State: schema.Done, Result: a.returns}
	if talks {
		if outcome = b.Ask(ctx, ref, op); outcome.State == schema.Ask {
			return outcome
		}
	}
	b.changed.note(operation, at)
	switch {
	case b.goesWrong(at, UnknownDone):
		return schema.Outcome{State: schema.Unknown, Failure: b.fault.failure()}
	case b.crashesAt(at):
		b.crash()
		a.unknown = true
	}
	if a.unknown {
		return schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Code: "unknown", Message: "nobody heard how " + operation + " ended"}}
	}
	return judged(outcome)
}

// steps tells whether a place is a step's: what tells people cannot go wrong in a
// way that matters to a run.
func (b *backend) steps(at string) bool { return strings.HasPrefix(at, "step.") }

// judged is an outcome as the SDK makes it: an action that is done and not ok
// has failed.
func judged(o schema.Outcome) schema.Outcome {
	if o.State != schema.Done || o.Result == cty.NilVal || !o.Result.Type().HasAttribute("ok") || !o.Result.GetAttr("ok").RawEquals(cty.False) {
		return o
	}
	return schema.Outcome{State: schema.FailedPartial, Result: o.Result, Failure: &schema.Failure{Code: "not_ok", Message: plan.Summary(o.Result)}}
}

// Settle implements apply.Backend: a mock knows nothing that a goal does not.
func (b *backend) Settle(context.Context, string, schema.Operation) schema.Outcome {
	return schema.Outcome{State: schema.Unknown}
}

// crashesAt tells whether the engine is to die there.
func (b *backend) crashesAt(step string) bool {
	return b.crashAfter != "" && (step == b.crashAfter || plainly(step) == b.crashAfter)
}

// crash ends the engine: nothing is recorded any more, nothing goes on.
func (b *backend) crash() {
	b.crashed = true
	b.cut()
}

var code = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// failure is what fails = "code or message" means.
func failure(said string) *schema.Failure {
	if code.MatchString(said) {
		return &schema.Failure{Code: said, Message: said}
	}
	return &schema.Failure{Code: "mocked", Message: said}
}
