package host

import (
	"context"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// The states that each call may end in; Ask only where the schema says so.
var (
	observeEnds = []schema.State{schema.Done, schema.FailedClean}
	actEnds     = []schema.State{schema.Done, schema.FailedClean, schema.FailedPartial, schema.Unknown}
	settleEnds  = []schema.State{schema.Done, schema.FailedClean, schema.FailedPartial, schema.Running, schema.Unknown}
)

// proper makes of an outcome that no provider may give what is certain of it:
// a probe has not looked, and of an action nobody knows. A failure without a
// reason gets one.
func (h *Host) proper(provider string, op schema.Operation, o schema.Outcome, states []schema.State) schema.Outcome {
	problem := ""
	switch {
	case o.State == schema.Ask && slices.Contains(states, schema.Ask):
		if o.Question == nil {
			problem = "asks without a question"
		} else if err := o.Question.Answers.Check(); err != nil {
			problem = fmt.Sprintf("asks for what nobody can answer: %v", err)
		}
	case !slices.Contains(states, o.State):
		problem = fmt.Sprintf("ended %s, which it cannot", o.State)
	case o.State == schema.Done && o.Failure != nil:
		problem = "says that it is done, and that it failed: " + o.Failure.Message
	case o.State == schema.Done && o.Result == cty.NilVal:
		problem = "says that it is done, and gives no result"
	}
	if problem != "" {
		o = schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{
			Code: "bad_outcome", Message: fmt.Sprintf("%s.%s %s", provider, op.Name, problem),
			Remedy: "that is a bug of provider " + provider,
		}}
		if op.Kind == schema.Probe {
			o.State = schema.FailedClean
		}
	}
	if (o.State == schema.FailedClean || o.State == schema.FailedPartial) && o.Failure == nil {
		o.Failure = &schema.Failure{Code: "no_reason", Message: fmt.Sprintf("%s.%s failed and gives no reason", provider, op.Name)}
	}
	return o
}

// ends are the states that an action may end in.
func (h *Host) ends(ctx context.Context, provider string, op schema.Operation) []schema.State {
	s, err := h.Schema(ctx, provider)
	if err != nil {
		return actEnds
	}
	if known := s.Operation(schema.Action, op.Name); known != nil && known.Asks {
		return append(slices.Clone(actEnds), schema.Ask)
	}
	return actEnds
}
