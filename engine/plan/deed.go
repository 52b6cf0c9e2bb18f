package plan

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Deed is what a step does only where something has gone wrong: a fallback, or
// its rollback. It is described, and not previewed: what it would hit depends on
// what went wrong.
type Deed struct {
	Label       string          `json:"label,omitempty"` // of a fallback
	Action      string          `json:"action"`
	Destructive bool            `json:"destructive"`
	Undeclared  bool            `json:"undeclared,omitempty"` // effects not known
	Effects     []schema.Effect `json:"effects"`
	Command     string          `json:"command"`
	Unknown     []string        `json:"unknown,omitempty"` // arguments not known until the step has acted
	Warning     string          `json:"warning,omitempty"` // why it cannot be described
}

// FallbackAddress and RollbackAddress say who touches what, and for whom a backend
// is called: step.x.fallback.LABEL, step.x.rollback.
func FallbackAddress(step, label string) string { return step + ".fallback." + label }

// RollbackAddress is that of a step's rollback.
func RollbackAddress(step string) string { return step + ".rollback" }

// deeds describes what a step would do where something goes wrong.
func (l *looker) deeds(ctx context.Context, said *Step) {
	step, x := l.standing.step, l.standing.extra
	said.Fallbacks, said.Rollback = nil, nil
	for _, f := range step.Fallbacks {
		d := l.deed(At(ctx, FallbackAddress(said.Address, f.Label)), said, f.Action, x)
		d.Label = f.Label
		said.Fallbacks = append(said.Fallbacks, *d)
	}
	if step.Rollback != nil {
		x.Self = cty.DynamicVal
		said.Rollback = l.deed(At(ctx, RollbackAddress(said.Address)), said, step.Rollback.Action, x)
	}
}

func (l *looker) deed(ctx context.Context, said *Step, op *runbook.Operation, x eval.Extra) *Deed {
	deed := &Deed{Action: op.Type(), Effects: []schema.Effect{}}
	d, _, unknown, err := l.observer.Describe(ctx, op, x)
	if err != nil {
		deed.Warning = err.Error()
		return deed
	}
	deed.Destructive, deed.Undeclared, deed.Command, deed.Unknown = d.Destructive, d.Undeclared, Shell(d.Command), unknown
	deed.Effects = append(deed.Effects, d.Effects...)
	return deed
}

// touches visits what a step may touch, and by which of its actions.
func (s *Step) touches(visit func(by string, effects []schema.Effect)) {
	visit(s.Address, s.Effects)
	for _, f := range s.Fallbacks {
		visit(FallbackAddress(s.Address, f.Label), f.Effects)
	}
	if s.Rollback != nil {
		visit(RollbackAddress(s.Address), s.Rollback.Effects)
	}
}
