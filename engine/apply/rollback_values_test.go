package apply_test

import (
	"context"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// No rollback begins inside of a call while elsewhere an outcome is unknown.
func TestInnerRollbackWhileUnknownOutside(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {\n on_failure = \"rollback\"\n}\n" + step("p", set+undo) + step("q", set)}
	tr := calling(t, step("u", set+"depends_on = []\n")+call("depends_on = []\n"), other)
	tr.settling = schema.Manual
	tr.takesOf = func(name string) time.Duration {
		return map[string]time.Duration{"q": 10 * time.Second, "u": 5 * time.Second}[name]
	}
	tr.ends(map[string]schema.State{"q": schema.FailedClean, "u": schema.Unknown})
	tr.expect(tr.run(), "failed: u=unknown x=failed x.step.p=done x.step.q=failed")
}

// A sensitive result is not known, and not null, in a rollback of another process.
func TestSensitiveResultIsNull(t *testing.T) {
	tr := virtualTrial(t, "step \"a\" {\n action \"fake.set\" {\n name = \"a\"\n value = \"on\"\n sensitive = true\n}\n rollback {\n action \"fake.set\" {\n name = \"undo-a\"\n value = try(self.result.value, \"NOTHING\")\n touches = try(\"fake://host/${self.result.value}\", \"fake://host/ALL\")\n}\n}\n}\n"+step("b", set+back))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.run()
	tr.crashed(event.StepFinished, "step.b")
	delete(tr.values, "undo-a")
	tr.expect(tr.again(), "failed: a=rollback_failed b=failed")
}

// The second interrupt leaves always steps interrupted.
func TestKilledRollbackLeavesAlwaysWithoutStatus(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+back)+step("last", set+"always = true\n"))
	interrupt, kill := make(chan struct{}), make(chan struct{})
	tr.opts.Interrupt, tr.opts.Kill = interrupt, kill
	tr.takes = time.Second
	tr.act = func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		if name == "undo-a" {
			close(interrupt)
			close(kill)
		}
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "broken"}}, name == "b"
	}
	tr.expect(tr.run(), "interrupted: a=rolled_back b=failed last=interrupted")
}
