package runbook

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// results checks the parts of results that references name: result.x against
// the probe looked with, self.result.x against the step's own operation, and
// step.y.result.x against that of step y. A nil schema is not known.
func (v *validator) results(refs []Reference, looked, self *schema.OperationSchema) {
	for _, r := range refs {
		if r.Guarded {
			continue
		}
		switch r.Root {
		case "result":
			v.part(r, r.Traversal[1:], looked)
		case "self":
			if r.Attr == "" && r.Name == "" {
				continue
			}
			v.part(r, r.Rest, self)
		case "step":
			v.part(r, afterResult(r), v.operationOf(r))
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

// operationOf is the schema of the operation whose result a reference to a step
// looks into; nil where it looks at none.
func (v *validator) operationOf(r Reference) *schema.OperationSchema {
	s := v.steps[r.Name]
	if s == nil {
		return nil
	}
	switch r.Attr {
	case "result":
		op, kind := s.Action, schema.Action
		if op == nil {
			op, kind = s.Probe, schema.Probe
		}
		if op == nil || v.known[op.Provider] == nil {
			return nil
		}
		return v.known[op.Provider].Operation(kind, op.Name)
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
				return v.probeOf(a)
			}
		}
	}
	return nil
}

// part reports a reference whose next element is no part of the result.
func (v *validator) part(r Reference, rest hcl.Traversal, op *schema.OperationSchema) {
	if op == nil || len(rest) == 0 {
		return
	}
	attr, ok := rest[0].(hcl.TraverseAttr)
	if !ok || op.Result.Attribute(attr.Name) != nil {
		return
	}
	names := make([]string, len(op.Result.Attributes))
	for i, a := range op.Result.Attributes {
		names[i] = a.Name
	}
	d := diag.UnknownName.At(attr.SrcRange, "The result of %s has no %q; it has %s.", op.Name, attr.Name, list(names, "and"))
	v.add(diag.Suggest(d, diag.Nearest(attr.Name, names)))
}
