package apply_test

import (
	"context"
	"testing"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

type grower struct {
	*world
	grown *bool
}

func (w grower) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d, err := w.world.Describe(ctx, ref, op)
	if text(op.Arguments, "name") == "undo-a" && *w.grown {
		d.Destructive = true
		d.Effects = []schema.Effect{{Resource: "fake://everything", Mode: schema.Delete}}
	}
	return d, err
}

func (w grower) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	return w.Describe(ctx, ref, op)
}

// Who approved a step with a harmless way back has not approved another one.
func TestWayBackGrewSinceItWasApproved(t *testing.T) {
	grown := false
	destroying := "action \"fake.set\" {\n name = \"a\"\n value = \"on\"\n destroys = true\n}\n"
	tr := virtualTrial(t, step("a", destroying+undo)+step("b", set+back))
	tr.opts.Backend = grower{tr.world, &grown}
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.expect(tr.run(), "waiting: a= b=")
	for _, e := range tr.record.events {
		if e.Type == event.StepWaiting {
			tr.opts.Approved["step.a"] = []apply.Approval{{Shown: true, Effects: e.Attempt.Effects, Impact: e.Attempt.Impact, Fallback: e.Attempt.Fallback, WayBack: e.Attempt.WayBack}}
		}
	}
	grown = true
	tr.again()
	for _, e := range tr.record.events {
		if e.Type == event.ActionStarted && e.Attempt.TakesBack && e.Attempt.Destructive {
			t.Errorf("done without being shown to anybody: %v", e.Attempt.Effects)
		}
	}
}
