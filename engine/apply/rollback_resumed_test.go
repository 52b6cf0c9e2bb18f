package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// What comes after an always step, inside a call or of a for_each, is taken back by
// a second process too.
func TestAfterAnAlwaysStep(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set+undo)}
	source := step("a", set+undo) + step("last", set+"always = true\n") +
		"step \"e\" {\n for_each = [\"k\"]\n" + strings.ReplaceAll(set+undo, "NAME", "e-${each.key}") + "}\n" + call("") + step("z", set+undo)
	tr := calling(t, source, other)
	tr.settling = schema.Manual
	tr.expect(tr.run(), "succeeded: a=done last=done e[\"k\"]=done x=done x.step.p=done z=done")
	tr.opts.History = slices.Clone(tr.record.events)
	var shown []string
	for _, s := range apply.Back(t.Context(), tr.opts).Steps {
		shown = append(shown, s.Address)
	}
	if diff := cmp.Diff([]string{"step.z", "step.x.step.p", "step.e[\"k\"]", "step.a"}, shown); diff != "" {
		t.Error(diff)
	}
	tr.opts.TakeBack, tr.opts.Start.TakeBack = true, true
	r := tr.again()
	tr.expect(r, "rolled_back: a=rolled_back last=done e[\"k\"]=rolled_back x=rolled_back x.step.p=rolled_back z=rolled_back")
}

// A rollback inside of a call survives a crash.
func TestInnerRollbackLostByACrash(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {\n on_failure = \"rollback\"\n}\n" + step("first", set+"always = true\n") + step("p", set+undo) + step("q", set)}
	tr := calling(t, call("on_failure = \"continue\"\n"), other)
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"q": schema.FailedClean})
	tr.expect(tr.run(), "failed: x=failed x.step.first=done x.step.p=rolled_back x.step.q=failed")
	tr.record.events = cut(tr.record.events, func(e event.Event) bool { return e.Type == event.StepFinished && e.Rollback != "" })
	tr.calls = nil
	r := tr.again()
	tr.expect(r, "failed: x=failed x.step.first=done x.step.p=rolled_back x.step.q=failed")
}

// A resume does not cross the point of no return.
func TestResumeCrossesThePointOfNoReturn(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo+"on_failure = \"continue\"\n")+step("b", set+"point_of_no_return = true\n")+step("c", set+back))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"a": schema.FailedPartial, "c": schema.FailedClean})
	tr.run()
	tr.crashed(event.StepFinished, "step.b") // killed before c
	tr.calls = nil
	tr.again()
	if strings.Contains(calls(tr), "undo-a") {
		t.Error("step.a ended before the point of no return began, and is taken back")
	}
}

// A resume does not forget that a rollback failed.
func TestFailedRollbackIsForgotten(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back)+step("last", set+"always = true\n"))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"c": schema.FailedClean, "undo-b": schema.FailedPartial})
	tr.expect(tr.run(), "failed: a=rolled_back b=rollback_failed c=failed last=done")
	r := tr.again()
	tr.expect(r, "failed: a=rolled_back b=rollback_failed c=failed last=done")
}

// A run is not rolled back where some of it was left.
func TestRolledBackThoughTheRestWasNot(t *testing.T) {
	tr := virtualTrial(t, step("a", set+undo)+step("b", set+undo)+step("c", set+back)+step("last", set+"always = true\n"))
	tr.settling = schema.Manual
	tr.ends(map[string]schema.State{"c": schema.FailedClean, "undo-b": schema.Unknown})
	r := tr.run()
	tr.opts.Resolve = map[string]string{"step.b": apply.ResolveDone}
	r = tr.again()
	if r.Outcome == apply.RolledBack {
		t.Error("rolled_back, and step.a was not taken back, nor does anything say so")
	}
}
