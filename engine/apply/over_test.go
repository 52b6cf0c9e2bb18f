package apply_test

import (
	"testing"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A run is over once an always step has acted after it stopped, also where that
// step calls what acts.
func TestRunIsOverOnceWhatAnAlwaysStepCallsHasActed(t *testing.T) {
	tr := calling(t, step("a", set)+step("b", set)+call("  always = true\n"), map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("back", set)})
	failing(tr, 1, schema.FailedClean, "broken")
	r := tr.run()
	tr.expect(r, "failed: a=failed b=not_run x=done x.step.back=done")
	if !r.Over {
		t.Error("the run is not over")
	}
	tr.expect(tr.again(), "failed: a=failed b=not_run x=done x.step.back=done")
}

// What has stopped inside of a call, and come to its always steps, is over by
// itself: the rest of the run goes on.
func TestCallIsOverByItself(t *testing.T) {
	tr := calling(t, call("  on_failure = \"continue\"\n")+step("after", set),
		map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("a", set) + step("b", set) + step("back", set+"always = true\n")})
	failing(tr, 1, schema.FailedClean, "broken")
	r := tr.run()
	tr.expect(r, "failed: x=failed x.step.a=failed x.step.b=not_run x.step.back=done after=done")
	if r.Over {
		t.Error("the run is over")
	}
	tr.crashed(event.StepFinished, "step.x")
	tr.expect(tr.again(), "failed: x=failed x.step.a=failed x.step.b=not_run x.step.back=done after=done")
}
