package apply

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// finish evaluates the outputs and says how the run ended.
func (r *run) finish(ctx context.Context) Result {
	result := Result{Outputs: make(map[string]any), Acted: r.acted, Over: r.over}
	for _, s := range r.steps {
		if r.opts.Only != nil && !r.opts.Only[s.address] {
			continue
		}
		result.Steps = append(result.Steps, StepResult{s.address, s.status, s.reason})
		if s.waits {
			result.Waiting = append(result.Waiting, s.address)
		}
		if s.status == unknown {
			result.Unknown = append(result.Unknown, s.address)
		}
	}
	for _, o := range r.rb.Outputs {
		v, diags := r.observer.Scope.Value(ctx, o.Value, cty.DynamicPseudoType, eval.Extra{})
		if diags.HasErrors() {
			r.warn("output " + o.Name + " has no value: " + plan.Explain(diags))
			result.Outputs[o.Name] = nil
			continue
		}
		result.Outputs[o.Name] = plan.Plain(v, o.Sensitive)
	}
	result.Outcome = r.outcome()
	reason := r.halt
	if r.recordErr != nil {
		reason = r.recordErr.Error()
	}
	r.say(event.Event{Type: event.RunFinished, Outcome: result.Outcome, Outputs: result.Outputs, Message: reason, Warnings: r.warnings})
	_ = r.settle() // its error is in recordErr
	result.Warnings = r.warnings
	result.RecordError = r.recordErr
	if r.recordErr == nil {
		result.RecordError = r.logErr
	}
	return result
}

// outcome is the first that matches (ADR 0002).
func (r *run) outcome() string {
	waits, bad, stuck, open := false, false, false, false
	for _, s := range r.steps {
		if r.opts.Only != nil && !r.opts.Only[s.address] {
			continue
		}
		waits = waits || s.waits
		bad = bad || s.status != "" && !s.well()
		stuck = stuck || s.status == blocked && !s.well()
		open = open || s.status == unknown
	}
	switch {
	case r.recordErr != nil, r.logErr != nil, open && !r.interrupted, r.timedOut:
		return Failed
	case !bad && !waits:
		return Succeeded // also where the signal came too late to stop anything
	case r.interrupted:
		return Interrupted
	case waits:
		return Waiting
	case !r.acted && stuck:
		return Blocked
	}
	return Failed
}
