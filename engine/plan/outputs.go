package plan

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
)

func (l *level) outputs(ctx context.Context) []Output {
	outputs := make([]Output, 0, len(l.frame.Runbook.Outputs))
	for _, o := range l.frame.Runbook.Outputs {
		out := Output{Name: o.Name}
		v, diags := l.observer.Scope.Value(ctx, o.Value, cty.DynamicPseudoType, eval.Extra{})
		switch {
		case diags.HasErrors():
			out.Known = !l.isPending() // null, as at apply
			l.plan.Warnings = append(l.plan.Warnings, "as things stand, output "+o.Name+" has no value: "+Explain(diags))
		case v.IsWhollyKnown():
			out.Known = true
			out.Value = Plain(v, o.Sensitive)
		}
		outputs = append(outputs, out)
	}
	return outputs
}

// isPending tells whether a step of this level acts or is deferred.
func (l *level) isPending() bool {
	for _, n := range l.steps {
		if n.pending != "" {
			return true
		}
	}
	return false
}

// Outputs is what a called runbook returns: an object of its outputs. One that
// cannot be evaluated is null, which warn, if set, is told.
func Outputs(ctx context.Context, frame *eval.Frame, scope *eval.Scope, warn func(string)) cty.Value {
	object := make(map[string]cty.Value, len(frame.Runbook.Outputs))
	for _, o := range frame.Runbook.Outputs {
		v, diags := scope.Value(ctx, o.Value, cty.DynamicPseudoType, eval.Extra{})
		if diags.HasErrors() {
			if warn != nil {
				warn("output " + o.Name + " of " + frame.Address + " has no value: " + Explain(diags))
			}
			v = cty.NullVal(cty.DynamicPseudoType)
		}
		if o.Sensitive {
			v = redact.Mark(v)
		}
		object[o.Name] = v
	}
	return cty.ObjectVal(object)
}
