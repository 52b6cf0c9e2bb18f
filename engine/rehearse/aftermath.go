package rehearse

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// aftermath is what an invariant sees of the steps: what expressions saw in the
// end, and whether a step has acted.
type aftermath struct{ *backend }

// Step implements eval.Values.
func (a aftermath) Step(name string) cty.Value {
	steps := a.frame.Runbook.Steps
	at := slices.IndexFunc(steps, func(s *runbook.Step) bool { return s.Name == name })
	if at < 0 {
		return cty.DynamicVal
	}
	step := steps[at]
	if step.ForEach == nil {
		return cty.ObjectVal(a.parts(step.Address(), a.seen(name)))
	}
	instances := map[string]cty.Value{}
	for key, v := range a.seen(name) {
		instances[key] = cty.ObjectVal(a.parts(step.Instance(key), v.AsValueMap()))
	}
	return cty.ObjectVal(instances)
}

// seen is what expressions saw of a step in the end, by part or by key.
func (a aftermath) seen(name string) map[string]cty.Value {
	values := a.result.Values
	if values == nil {
		return nil // apply did nothing at all
	}
	v := values.Step(name)
	if !v.IsKnown() || !v.Type().IsObjectType() {
		return nil
	}
	return v.AsValueMap()
}

// parts adds what only an invariant sees, and what is not there.
func (a aftermath) parts(address string, seen map[string]cty.Value) map[string]cty.Value {
	parts := map[string]cty.Value{"acted": cty.BoolVal(a.acted(address))}
	for _, part := range partsOf("step") {
		if parts[part] = cty.NullVal(cty.DynamicPseudoType); seen[part] != cty.NilVal {
			parts[part] = seen[part]
		}
	}
	if seen == nil {
		if status := a.status(address); status != "" {
			parts["status"] = cty.StringVal(status)
		}
	}
	return parts
}

// acted tells whether an action of a step, or of what it calls, was begun.
func (a aftermath) acted(address string) bool {
	return slices.ContainsFunc(a.record.events, func(e event.Event) bool {
		return e.Type == event.ActionStarted && (e.Step == address || strings.HasPrefix(e.Step, address+"."))
	})
}

func (a aftermath) status(address string) string {
	for _, s := range a.result.Steps {
		if s.Address == address {
			return s.Status
		}
	}
	return ""
}

// Status implements eval.Values.
func (a aftermath) Status(name string) cty.Value {
	if values := a.result.Values; values != nil {
		return values.Status(name)
	}
	var statuses []string
	for _, s := range a.result.Steps {
		if plainly(s.Address) == "step."+name {
			statuses = append(statuses, s.Status)
		}
	}
	if len(statuses) == 0 {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(plan.Worst(statuses))
}

// Check implements eval.Values: an invariant sees none.
func (a aftermath) Check(string) cty.Value { return cty.DynamicVal }
