package plan

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Notice is whom the run would tell, and when.
type Notice struct {
	Address      string          `json:"address"`                 // notify.oncall
	On           []string        `json:"on,omitempty"`            // of a notify: what it tells of
	AfterSeconds float64         `json:"after_seconds,omitempty"` // of an escalation
	Action       string          `json:"action"`
	Effects      []schema.Effect `json:"effects"`
	Command      string          `json:"command"` // without what is told
}

// notices says whom the run would tell, and warns of what could not be told; of an
// escalation whose `when` is false nothing is said.
func (m *maker) notices(ctx context.Context) {
	x := eval.Extra{Roots: map[string]cty.Value{"run": eval.RunValue(m.opts.Run, cty.UnknownVal(cty.String))}}
	for _, n := range m.root.frame.Runbook.Notices {
		if n.When != nil {
			// One that would not be told needs nothing to be told with. What cannot be
			// evaluated is told of by the run, as everything about a `when` of it is.
			if truth, diags := m.root.observer.Scope.Condition(ctx, n.When, x); truth == eval.False && !diags.HasErrors() {
				continue
			}
		}
		said := Notice{Address: n.Address(), On: n.On, AfterSeconds: n.After.Seconds(), Action: n.Action.Type()}
		d, _, _, err := m.root.observer.Describe(At(ctx, n.Address()), n.Action, x)
		why := ""
		if err != nil {
			why = err.Error()
		} else {
			why = Untellable(n.Action, d)
		}
		if why != "" {
			m.plan.Warnings = append(m.plan.Warnings, n.Address()+" would tell nobody: "+why)
		}
		said.Effects, said.Command = append([]schema.Effect{}, d.Effects...), Shell(d.Command)
		m.plan.Notices = append(m.plan.Notices, said)
	}
}

// Untellable is why an action cannot be what tells people; empty: it can.
func Untellable(op *runbook.Operation, d schema.Description) string {
	if d.Destructive {
		return op.Type() + " is destructive here: a person has to see what it hits, and nobody is asked. Give it to a step"
	}
	return ""
}
