package runbook

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// results checks the parts of results that references name: result.x against
// the probe looked with, self.result.x against the step's own operations, and
// step.y.result.x against those of step y. A nil schema is not known.
func (v *validator) results(refs []Reference, looked *schema.OperationSchema, self []*schema.OperationSchema) {
	for _, r := range refs {
		if r.Guarded || v.diags.Full() {
			continue
		}
		switch r.Root {
		case "result":
			v.part(r, r.Traversal[1:], looked)
		case "self":
			if r.Attr == "" && r.Name == "" {
				continue
			}
			v.part(r, r.Rest, self...)
		case "step":
			v.part(r, afterResult(r), v.operationsOf(r)...)
		case "check":
			if c := v.rb.Checks[r.Name]; c != nil && r.Attr == "result" && !c.All {
				v.part(r, afterResult(r), v.probeOf(&c.Assertion))
			}
		}
	}
}

// afterResult is what a reference reads of a result: PART in step.x.result.PART
// or step.x.goal.g.result.PART.
func afterResult(r Reference) hcl.Traversal {
	depth := 1
	if r.Attr != "result" {
		depth = 3
	}
	return r.Rest[min(depth, len(r.Rest)):]
}

// operationsOf are the schemas of the operations whose result a reference to a
// step may look into.
func (v *validator) operationsOf(r Reference) []*schema.OperationSchema {
	s := v.steps[r.Name]
	if s == nil {
		return nil
	}
	switch r.Attr {
	case "result":
		return v.own(s)
	case "goal", "verify":
		list := s.Goals
		if r.Attr == "verify" {
			list = s.Verifies
		}
		if len(r.Rest) < 3 {
			return nil
		}
		if part, ok := stepName(r.Rest[2]); !ok || part != "result" {
			return nil
		}
		for _, a := range list {
			if a.Name == r.Sub && !a.All {
				return []*schema.OperationSchema{v.probeOf(a)}
			}
		}
	}
	return nil
}

// own are the schemas of what a step's result may come from: its probe, or its
// action and its fallbacks.
func (v *validator) own(s *Step) []*schema.OperationSchema {
	if s.Probe != nil {
		return []*schema.OperationSchema{v.spec(s.Probe, schema.Probe)}
	}
	specs := []*schema.OperationSchema{v.spec(s.Action, schema.Action)}
	for _, f := range s.Fallbacks {
		specs = append(specs, v.spec(f.Action, schema.Action))
	}
	return specs
}

// spec is the schema of an operation; nil where it is not known.
func (v *validator) spec(op *Operation, kind schema.Kind) *schema.OperationSchema {
	if op == nil || v.known[op.Provider] == nil {
		return nil
	}
	return v.known[op.Provider].Operation(kind, op.Name)
}

// part reports a reference whose next element is no part of the result of one of
// the operations that it may be of.
func (v *validator) part(r Reference, rest hcl.Traversal, of ...*schema.OperationSchema) {
	if len(rest) == 0 {
		return
	}
	attr, ok := rest[0].(hcl.TraverseAttr)
	if !ok {
		return
	}
	for _, op := range of {
		if op == nil || op.Result.Attribute(attr.Name) != nil {
			continue
		}
		names := make([]string, len(op.Result.Attributes))
		for i, a := range op.Result.Attributes {
			names[i] = a.Name
		}
		d := diag.UnknownName.At(attr.SrcRange, "The result of %s has no %q; it has %s.", op.Name, attr.Name, list(names, "and"))
		v.add(diag.Suggest(d, diag.Nearest(attr.Name, names)))
		return
	}
}
