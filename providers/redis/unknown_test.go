package redis_test

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/redis"
	"github.com/runbook-engine/runbook/providers/schema"
)

// With nothing known, an action still says where it may strike.
func TestDescribeKnowsNothing(t *testing.T) {
	h := harness(t, nil)
	for _, op := range redis.Provider().Schema().Operations {
		if op.Kind != schema.Action {
			continue
		}
		args := map[string]any{}
		for _, a := range op.Arguments.Attributes {
			args[a.Name] = cty.UnknownVal(a.Type.WithoutOptionalAttributesDeep())
		}
		d := h.Describe(op.Name, args)
		if d.Failure != nil || len(d.Effects) == 0 || d.Summary == "" || d.Destructive != op.MayDestroy {
			t.Errorf("%s: %+v", op.Name, d)
		}
	}
}
