package rehearse

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// aftermath is what an invariant sees of the steps: what expressions saw in the
// end, and whether a step has acted.
type aftermath struct {
	*backend
	acts     map[string]int    // by address, of what calls it too: attempts, but for those that only asked a person
	statuses map[string]string // by address
}

func newAftermath(b *backend) aftermath {
	a := aftermath{backend: b, acts: map[string]int{}, statuses: map[string]string{}}
	for _, e := range b.record.events {
		n := 0
		switch {
		case e.Type == event.ActionStarted:
			n = 1
		case e.Type == event.ActionFinished && e.Attempt.State == schema.Ask:
			n = -1
		default:
			continue
		}
		for p := parts(e.Step); len(p) > 0; p = p[:len(p)-1] {
			a.acts[address.Of(p...).String()] += n
		}
	}
	for _, s := range b.result.Steps {
		a.statuses[s.Address] = s.Status
	}
	return a
}

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
	if a.result.Values == nil {
		for at := range a.statuses {
			if p := parts(at); len(p) == 1 && p[0].Name == name && p[0].Which == address.One {
				instances[p[0].Key] = cty.ObjectVal(a.parts(at, nil))
			}
		}
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
	parts := map[string]cty.Value{"acted": cty.BoolVal(a.acts[address] > 0)}
	for _, part := range partsOf("step") {
		if parts[part] = cty.NullVal(cty.DynamicPseudoType); seen[part] != cty.NilVal {
			parts[part] = seen[part]
		}
	}
	if seen == nil {
		if status := a.statuses[address]; status != "" {
			parts["status"] = cty.StringVal(status)
		}
	}
	return parts
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
