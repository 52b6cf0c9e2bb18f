package apply_test

import (
	"github.com/google/go-cmp/cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Off a terminal, a retry and two destructive deeds: nobody ever comes to the fallback.
func TestApprovingAFallbackBeginsAtTheOwnActionAgain(t *testing.T) {
	destroying := func(name string) string {
		return "action \"fake.set\" {\n name = \"" + name + "\"\n value = \"on\"\n destroys = true\n}\n"
	}
	tr := virtualTrial(t, step("x", destroying("x")+"retry {\n attempts = 2\n}\nfallback \"y\" {\n"+destroying("y")+"}\n"))
	tr.ends(map[string]schema.State{"x": schema.FailedClean})
	for range 8 {
		r := tr.again()
		if r.Outcome != apply.Waiting {
			return
		}
		// what engine.answered does with `runbook approve`
		for _, e := range tr.record.events {
			if e.Type == event.StepWaiting && e.WaitsFor == "person" {
				tr.opts.Approved["step.x"] = []apply.Approval{{Shown: true, Effects: e.Attempt.Effects, Impact: e.Attempt.Impact, Fallback: e.Attempt.Fallback, WayBack: e.Attempt.WayBack}}
			}
		}
	}
	t.Error("the fallback was approved again and again, and never had its turn")
}

// The runbook's timeout does not bound a rollback by hand.
func TestTimeoutOfTheRunbook(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo))
	tr.run()
	tr.rb.Timeout = 30 * time.Second
	tr.takes = time.Minute
	tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
	r := tr.again()
	tr.expect(r, "rolled_back: a=rolled_back")
}

// Taking back locks what it may touch, and not what will never run.
func TestLocksOfARollbackByHand(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set)+step("c", set))
	tr.ends(map[string]schema.State{"b": schema.FailedClean})
	tr.run()
	tr.opts.History = slices.Clone(tr.record.events)
	tr.opts.TakeBack = true
	if diff := cmp.Diff([]schema.Effect{{Resource: "fake://host/undo-a", Mode: schema.Write}}, apply.Remaining(t.Context(), tr.opts)); diff != "" {
		t.Error(diff)
	}
}

// What asked for a secret is taken back like all else, and not asked anew.
func TestSensitiveAnswerAndBack(t *testing.T) {
	q := schema.Question{Message: "which?", Answers: schema.Object{Attributes: []schema.Attribute{{Name: "value", Type: cty.String, Doc: "x", Required: true, Sensitive: true}}}}
	tr := virtualTrial(t, step("q", asks+strings.ReplaceAll(undo, "NAME", "q"))+step("b", set+undo))
	w := &asker{world: tr.world, question: q}
	tr.opts.Backend = w
	tr.opts.Answers = map[string]apply.Answer{}
	tr.settling = schema.Idempotent
	tr.expect(tr.run(), "waiting: q= b=")
	tr.opts.Answers = map[string]apply.Answer{"step.q": {Yes: true, Values: map[string]string{"value": "s3cret"}}}
	tr.expect(tr.again(), "succeeded: q=done b=done")
	tr.opts.TakeBack = true
	tr.expect(tr.again(), "rolled_back: q=rolled_back b=rolled_back")
}
