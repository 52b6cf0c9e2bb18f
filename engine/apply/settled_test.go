package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Where the engine was killed and Settle finds that nothing was changed, one
// resume is enough: it was asked to go on, and nothing is in doubt.
func TestResumeActsAfterACleanFind(t *testing.T) {
	tr := newTrial(t, step("a", set)+step("b", set))
	tr.settling = schema.Keyed
	tr.run()
	tr.crashed(event.ActionStarted, "step.a")
	delete(tr.values, "a")
	tr.world.settle = func(string) schema.Outcome {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "never committed"}}
	}
	tr.calls = nil
	tr.expect(tr.again(), "succeeded: a=done b=done")
	if diff := cmp.Diff([]string{"a", "b"}, tr.calls); diff != "" {
		t.Error(diff)
	}
	var settled []string
	for _, e := range tr.record.events {
		if e.Type == event.ActionFinished && e.Step == "step.a" {
			settled = append(settled, e.Attempt.Settled+" "+string(e.Attempt.State))
		}
	}
	if diff := cmp.Diff([]string{"settle failed_clean", " done"}, settled); diff != "" {
		t.Error(diff)
	}
}

// The attempt that a resume made itself is not made again by it.
func TestResumeActsOnceAfterACleanFind(t *testing.T) {
	tr := newTrial(t, step("a", set))
	tr.settling = schema.Keyed
	tr.run()
	tr.crashed(event.ActionStarted, "step.a")
	tr.calls = nil
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.Unknown}, true
	}
	tr.world.settle = func(string) schema.Outcome {
		return schema.Outcome{State: schema.FailedClean, Result: cty.NilVal}
	}
	tr.expect(tr.again(), "failed: a=failed")
	if diff := cmp.Diff([]string{"a"}, tr.calls); diff != "" {
		t.Error(diff)
	}
}

// Who finds an orphan at work is told how to see it, and what to do after it.
func TestOrphanIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrial(t, step("a", set))
		tr.record.held["step.a.1"] = true
		dies(tr, false)
		r := tr.run()
		tr.expect(r, "failed: a=unknown")
		for _, part := range []string{"`fuser -v ", "`runbook resume r1`"} {
			if !strings.Contains(r.Steps[0].Reason, part) {
				t.Errorf("%q is not in: %s", part, r.Steps[0].Reason)
			}
		}
	})
}
