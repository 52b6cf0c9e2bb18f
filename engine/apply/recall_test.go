package apply_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
)

// A step with a for_each that did not come to its instances in the first process
// and did in the second is what it came to last: also for a call that has ended,
// whose outputs a third process reads again.
func TestInstancesOutliveThatTheyWereNotRun(t *testing.T) {
	const rolled = `
step "roll" {
  for_each = ["a", "b"]
  action "fake.set" {
    name  = each.key
    value = "on"
  }
}
output "how" {
  value = step.roll.status
}
`
	tr := calling(t, step("first", set)+call("  on_failure = \"continue\"\n")+step("last", set+"when = step.x.result.how == \"done\"\n"),
		map[string]string{"other.hcl": "runbook \"other\" {}\n" + rolled})
	tr.settling = schema.Manual
	failing := func(name string) {
		tr.act = partly(name)
	}
	failing("first")
	tr.expect(tr.run(), "failed: first=failed x=not_run x.step.roll=not_run last=not_run")
	tr.opts.Resolve = map[string]string{"step.first": "retry"}
	failing("last")
	tr.expect(tr.again(), `failed: first=done x=done x.step.roll["a"]=done x.step.roll["b"]=done last=failed`)
	tr.opts.Resolve = map[string]string{"step.last": "retry"}
	tr.act, tr.calls = nil, nil
	tr.expect(tr.again(), `succeeded: first=done x=done x.step.roll["a"]=done x.step.roll["b"]=done last=done`)
	if diff := cmp.Diff([]string{"last"}, tr.calls); diff != "" {
		t.Error(diff)
	}
}
