package plan

import (
	"context"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Wanted is whose yes a step's approval wants.
type Wanted struct {
	Message   string   `json:"message,omitempty"`
	Approvers []string `json:"approvers,omitempty"` // identities; empty: anybody
	Count     int      `json:"count"`               // how many of them, at least 1
}

// String is "an approval by 2 of ana, ben: MESSAGE".
func (w *Wanted) String() string {
	text := "an approval"
	switch {
	case len(w.Approvers) > 0 && w.Count > 1:
		text += fmt.Sprintf(" by %d of %s", w.Count, strings.Join(w.Approvers, ", "))
	case len(w.Approvers) > 0:
		text += " by " + strings.Join(w.Approvers, " or ")
	case w.Count > 1:
		text = fmt.Sprintf("approvals by %d people", w.Count)
	}
	if w.Message != "" {
		text += ": " + w.Message
	}
	return text
}

// Wants is the approval that a step wants before it acts; nil: none. What cannot
// be known yet counts as wanted. An error is the author's mistake, told in one
// line.
func (o *Observer) Wants(ctx context.Context, step *runbook.Step, x eval.Extra) (*Wanted, error) {
	rule := step.Approval
	if rule == nil {
		return nil, nil
	}
	if rule.When != nil {
		truth, diags := o.Scope.Condition(ctx, rule.When, x)
		if diags.HasErrors() {
			return nil, fmt.Errorf("the `when` of its approval cannot be evaluated: %s", Explain(diags))
		}
		if truth == eval.False {
			return nil, nil
		}
	}
	wanted := &Wanted{Count: rule.Count}
	if rule.Message != nil {
		wanted.Message, _ = o.Scope.Text(ctx, rule.Message, x) // what it cannot say is left out
	}
	if rule.Approvers == nil {
		return wanted, nil
	}
	v, diags := o.Scope.Value(ctx, rule.Approvers, cty.List(cty.String), x)
	switch {
	case diags.HasErrors():
		return nil, fmt.Errorf("the approvers of its approval cannot be evaluated: %s", Explain(diags))
	case !v.IsWhollyKnown():
		return wanted, nil
	case v.ContainsMarked():
		return nil, fmt.Errorf("the approvers of its approval are sensitive")
	case v.IsNull() || v.LengthInt() == 0:
		return nil, fmt.Errorf("its approval names nobody who may give it")
	}
	for _, name := range v.AsValueSlice() {
		if name.IsNull() {
			return nil, fmt.Errorf("the approvers of its approval contain null")
		}
		wanted.Approvers = append(wanted.Approvers, name.AsString())
	}
	return wanted, nil
}
