package rehearse

import (
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// mocked are the frames with their mocked checks looking at their mocks.
func mocked(frame *eval.Frame, mocks []*mock) *eval.Frame {
	return frame.With(func(rb *runbook.Runbook) *runbook.Runbook {
		changed := *rb
		changed.Checks = maps.Clone(rb.Checks)
		for _, m := range mocks {
			name, ok := strings.CutPrefix(m.operation, checkProvider+".")
			if !ok || rb.Checks[name] == nil {
				continue
			}
			check := *rb.Checks[name]
			check.Probe = &runbook.Operation{Provider: checkProvider, Name: name, Ref: checkProvider, Body: emptyBody(), Range: check.Range}
			check.Checks, check.All, check.Assert, check.Message = nil, false, nil, nil
			changed.Checks[name] = &check
		}
		return &changed
	})
}

// object makes a result, with null for what is not given.
func object(types schema.Object, given map[string]cty.Value) cty.Value {
	values := map[string]cty.Value{"ok": cty.True, "summary": cty.StringVal("(mock)")}
	for _, a := range types.Attributes {
		if _, set := values[a.Name]; !set {
			values[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
		}
	}
	for name, v := range given {
		values[name] = v
	}
	return cty.ObjectVal(values)
}
