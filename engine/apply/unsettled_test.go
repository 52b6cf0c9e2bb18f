package apply_test

import (
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
)

// An unknown outcome is not ignored either where it is inside of a call that may
// fail: nothing that needs the call goes on.
func TestUnknownInsideOfACallIsNotIgnored(t *testing.T) {
	tr := calling(t, call("  on_failure = \"ignore\"\n")+step("needs", set+"depends_on = [step.x]\n")+step("after", set),
		map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("a", set)})
	tr.settling = schema.Manual
	dies(tr, false)
	tr.expect(tr.run(), "failed: x=failed x.step.a=unknown needs=not_run after=not_run")
	tr.opts.Resolve = map[string]string{"step.x.step.a": "fail"}
	tr.expect(tr.again(), "succeeded: x=failed x.step.a=failed needs=done after=done")
}

// The steps of a call that its roll did not come to have a status too.
func TestRollEndsTheStepsOfItsCalls(t *testing.T) {
	tr := calling(t, strings.Replace(call("  max_parallel = 1\n"), "call", "for_each = [\"k\", \"l\"]\n call", 1), map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("a", set)})
	tr.act = partly("a")
	tr.expect(tr.run(), `failed: x["k"]=failed x["k"].step.a=failed x["l"]=not_run x["l"].step.a=not_run`)
}
