package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// finish evaluates the outputs, and tells and says how the run ended.
func (r *run) finish(ctx context.Context) Result {
	r.unalarm()
	result := Result{Outputs: make(map[string]any), Acted: r.acted(), Over: r.root.late > 0 && !(r.opts.TakeBack && r.root.backward != backOver), Values: r.root}
	r.root.each(func(s *state) {
		if r.left(s) {
			return
		}
		result.Steps = append(result.Steps, StepResult{s.address, s.status, s.reason})
		if s.waits {
			result.Waiting = append(result.Waiting, s.address)
		}
		if s.status == unknown {
			result.Unknown = append(result.Unknown, s.address)
		}
	})
	for _, o := range r.root.rb.Outputs {
		v, diags := r.root.observer.Scope.Value(ctx, o.Value, cty.DynamicPseudoType, eval.Extra{})
		if diags.HasErrors() {
			r.warn("output " + o.Name + " has no value: " + plan.Explain(diags))
			result.Outputs[o.Name] = nil
			continue
		}
		result.Outputs[o.Name] = plan.Plain(v, o.Sensitive)
	}
	result.Outcome = r.outcome()
	reason := r.root.halt
	if r.opts.TakeBack && result.Outcome != RolledBack {
		reason = "not all of it was taken back"
	}
	r.notifyEnd(result.Outcome, reason)
	r.loop.run()
	if r.recordErr != nil { // now, or before
		result.Outcome, reason = Failed, r.recordErr.Error()
	}
	result.AsWanted = r.opts.TakeBack && result.Outcome == RolledBack
	r.missing()
	r.unused()
	r.say(event.Event{Type: event.RunFinished, Outcome: result.Outcome, Outputs: result.Outputs, Message: reason, Warnings: r.warnings})
	_ = r.settle() // its error is in recordErr
	result.Warnings = r.warnings
	result.RecordError = r.recordErr
	if r.recordErr == nil {
		result.RecordError = r.logErr
	}
	return result
}

// missing warns of steps on record that the runbook does not have any more, and
// that may have changed something.
func (r *run) missing() {
	for _, step := range slices.Sorted(maps.Keys(r.past)) {
		changed := slices.ContainsFunc(r.past[step], func(e *event.Event) bool {
			return e.Type == event.ActionFinished && e.Attempt.State != schema.FailedClean && e.Attempt.State != schema.Ask
		})
		if changed && !r.root.rb.Has(step) {
			r.warn(step + " is not in the runbook any more: what it did stays, and is not looked at")
		}
	}
}

// unused warns of a person's words that nothing asked for: whoever gave them may
// take the step for settled.
func (r *run) unused() {
	for _, step := range slices.Sorted(maps.Keys(r.opts.Resolve)) {
		r.warn(fmt.Sprintf("--resolve %s=%s was not used: nobody had to say how that step ended", step, r.opts.Resolve[step]))
	}
}

// left tells whether --target leaves a step out.
func (r *run) left(s *state) bool {
	return s.frame == r.root && r.opts.Only != nil && !r.opts.Only[s.step.Address()]
}

// outcome is the first that matches (ADR 0002).
func (r *run) outcome() string {
	waits, open := false, false
	r.root.each(func(s *state) {
		waits = waits || s.waits
		open = open || s.status == unknown
	})
	bad, stuck := r.badly(r.root)
	switch {
	case r.recordErr != nil, r.logErr != nil, open && !r.interrupted:
		return Failed
	case !waits && !open && r.root.backward == backOver && r.root.whole && r.wentBack():
		return RolledBack
	case r.root.timedOut:
		return Failed
	case !bad && !waits && r.root.back == "":
		return Succeeded // also where the signal came too late to stop anything
	case r.interrupted:
		return Interrupted
	case waits:
		return Waiting
	case !r.acted() && stuck:
		return Blocked
	}
	return Failed
}

// wentBack tells whether something was taken back, and all that was to be.
func (r *run) wentBack() bool {
	back, wrong := false, false
	r.root.each(func(s *state) {
		back = back || s.status == rolledBack
		wrong = wrong || s.status == rollbackFailed
	})
	return back && !wrong
}

// badly tells whether a step of a frame ended badly, and whether one is blocked
// that did, or that made its call do so.
func (r *run) badly(f *frame) (bad, stuck bool) {
	for _, step := range f.steps {
		for _, s := range step.all() {
			if r.left(s) || s.status == "" || s.well() {
				continue
			}
			bad = true
			stuck = stuck || s.status == blocked
			if s.inner != nil {
				_, inside := r.badly(s.inner)
				stuck = stuck || inside
			}
		}
	}
	return bad, stuck
}
