package plan_test

import (
	"context"
	"testing"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// buggy is a backend with a bug of ours in it.
type buggy struct{ world }

func (*buggy) Observe(context.Context, string, schema.Operation) (schema.Outcome, error) {
	panic("boom")
}

// A panic in a look is reported at the top of the program, not in its midst.
func TestPanicInALookReachesTheCaller(t *testing.T) {
	f := frame(t, load(t, `
check "a" {
  probe "fake.get" {
    name = "a"
  }
}
check "b" {
  probe "fake.get" {
    name = "b"
  }
}
`))
	w := &buggy{}
	caught := clock.Caught(func() {
		_, _ = plan.LookAt(t.Context(), f, nil, plan.Options{Schemas: w, Backend: w}, clock.Real{})
	})
	if caught == nil || caught.Value != "boom" {
		t.Error(caught)
	}
}
