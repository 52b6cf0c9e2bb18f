package eval

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
)

// Instance is one of those that a for_each makes.
type Instance struct {
	Key   string
	Value cty.Value
}

// maxInstances bounds one for_each.
const maxInstances = 5000

// Extra is what expressions of the instance see of it.
func (i Instance) Extra() Extra {
	return Extra{EachKey: cty.StringVal(i.Key), EachValue: i.Value}
}

// Instances evaluates a for_each: the elements of a map or object by key, those
// of a set of strings in order, those of a list of distinct strings in the
// list's order. known is false where it needs a value that is not known yet.
func (s *Scope) Instances(ctx context.Context, expr hcl.Expression) (instances []Instance, known bool, diags hcl.Diagnostics) {
	v, diags := s.Value(ctx, expr, cty.DynamicPseudoType, Extra{})
	if diags.HasErrors() {
		return nil, false, diags
	}
	bad := func(format string, args ...any) ([]Instance, bool, hcl.Diagnostics) {
		return nil, false, hcl.Diagnostics{diag.InvalidForEach.At(expr.Range(), format, args...)}
	}
	switch t := v.Type(); {
	case count(v) > maxInstances:
		return bad("It makes %d instances; %d is the most. Let one instance work on many elements.", count(v), maxInstances)
	case v.IsMarked():
		return bad("What it loops over is sensitive, and its keys would be part of addresses, which are shown and recorded.")
	case v.IsNull():
		return bad("What it loops over is null. An empty map or list skips the step.")
	case !v.IsKnown():
		return nil, false, nil
	case t.IsMapType() || t.IsObjectType():
		elements := v.AsValueMap()
		for _, key := range slices.Sorted(maps.Keys(elements)) {
			instances = append(instances, Instance{Key: key, Value: elements[key]})
		}
		return instances, true, nil
	case t.IsSetType() || t.IsListType() || t.IsTupleType():
		seen := map[string]bool{}
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			switch {
			case e.IsMarked():
				return bad("An element of what it loops over is sensitive, and it would be part of addresses, which are shown and recorded.")
			case e.Type() != cty.String && e.IsKnown() || e.IsNull():
				return bad("It takes a map, or a set or list of strings; this one holds a %s. Loop over a map whose keys are names.", e.Type().FriendlyName())
			case !e.IsKnown():
				return nil, false, nil
			case seen[e.AsString()]:
				return bad("%q is in the list twice, and the strings are the keys.", e.AsString())
			}
			seen[e.AsString()] = true
			instances = append(instances, Instance{Key: e.AsString(), Value: e})
		}
		return instances, true, nil
	}
	return bad("It takes a map, or a set or list of strings, not a %s.", v.Type().FriendlyName())
}
