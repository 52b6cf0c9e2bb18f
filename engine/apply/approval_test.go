package apply_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

func approval(body string) string { return "  approval {\n" + body + "\n  }\n" }

// says is what somebody says yes to: switch a, as it was shown.
func says(by string, at time.Time) apply.Approval {
	return apply.Approval{By: by, At: at, Shown: true, Effects: []schema.Effect{{Resource: "fake://host/a", Mode: schema.Write}}, Impact: schema.Impact{"rows": 0}}
}

func TestApproval(t *testing.T) {
	begun := time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)
	wider := says("ana", begun)
	wider.Effects = []schema.Effect{{Resource: "fake://host/other", Mode: schema.Write}}
	tests := map[string]struct {
		source string
		given  []apply.Approval
		want   string
		asks   string // what is said to whom it waits for
	}{
		"nobody has": {step("a", set+approval(`message = "Ask first."`)), nil, "waiting: a=", "an approval: Ask first."},
		"one has":    {step("a", set+approval("")), []apply.Approval{says("ana", begun)}, "succeeded: a=done", ""},
		"who may":    {step("a", set+approval(`approvers = ["ana", "ben"]`)), []apply.Approval{says("ben", begun)}, "succeeded: a=done", ""},
		"who may not": {step("a", set+approval(`approvers = ["ana"]`)), []apply.Approval{says("eve", begun)}, "waiting: a=",
			"an approval by ana (eve may not give it)"},
		"one of two":     {step("a", set+approval(`count = 2`)), []apply.Approval{says("ana", begun)}, "waiting: a=", "approvals by 2 people (so far: ana)"},
		"one twice":      {step("a", set+approval(`count = 2`)), []apply.Approval{says("ana", begun), says("ana", begun.Add(time.Second))}, "waiting: a=", "approvals by 2 people (so far: ana)"},
		"two":            {step("a", set+approval(`count = 2`)), []apply.Approval{says("ana", begun), says("ben", begun)}, "succeeded: a=done", ""},
		"it has grown":   {step("a", set+approval("")), []apply.Approval{wider}, "waiting: a=", "it was approved without write fake://host/a"},
		"beforehand":     {step("a", set+approval("")), []apply.Approval{{}}, "succeeded: a=done", ""},
		"all beforehand": {step("a", set+approval("")), []apply.Approval{{All: true}}, "succeeded: a=done", ""},
		"all beforehand, where some may": {step("a", set+approval(`approvers = ["tester"]`)), []apply.Approval{{All: true}}, "waiting: a=",
			"an approval by tester"},
		"by name beforehand, where the operator may": {step("a", set+approval(`approvers = ["tester"]`)), []apply.Approval{{}}, "succeeded: a=done", ""},
		"all beforehand, where two have to":          {step("a", set+approval(`count = 2`)), []apply.Approval{{All: true}}, "waiting: a=", "approvals by 2 people"},
		"it does not want one now":                   {step("a", set+approval(`when = 1 == 2`)), nil, "succeeded: a=done", ""},
		"a gate":                                     {"step \"a\" {\n" + approval("") + "}\n" + step("b", set), nil, "waiting: a= b=", "an approval"},
		"a gate that one has":                        {"step \"a\" {\n" + approval("") + "}\n" + step("b", set), []apply.Approval{{By: "ana", At: begun, Shown: true}}, "succeeded: a=done b=done", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr := virtualTrial(t, test.source)
			tr.counts = -1
			tr.opts.Approved["step.a"] = test.given
			tr.expect(tr.run(), test.want)
			said := ""
			for _, e := range tr.record.events {
				if e.Type == event.StepWaiting {
					said = e.Message
				}
			}
			if said != test.asks {
				t.Errorf("it says %q, want %q", said, test.asks)
			}
		})
	}
}

// What somebody has said is on record before anything acts on it, and stays.
func TestApprovalIsOnRecord(t *testing.T) {
	tr := virtualTrial(t, step("a", set+approval("count = 2")))
	tr.counts = -1
	tr.opts.Approved["step.a"] = []apply.Approval{says("ana", tr.opts.Run.StartedAt)}
	tr.expect(tr.run(), "waiting: a=")
	delete(tr.opts.Approved, "step.a") // as if her answer were gone
	ben := says("ben", tr.opts.Run.StartedAt)
	ben.Note = "INC-42"
	tr.opts.Approved["step.a"] = []apply.Approval{ben}
	tr.expect(tr.again(), "succeeded: a=done")
	for _, e := range tr.record.events {
		if e.Type == event.ActionStarted {
			if diff := cmp.Diff([]string{"ana, ben", "INC-42"}, []string{e.Attempt.ApprovedBy, e.Attempt.Note}); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// At the terminal only those are asked whose yes counts.
func TestApprovalAtTheTerminal(t *testing.T) {
	for approvers, want := range map[string]string{`"tester", "ana"`: "succeeded: a=done", `"ana"`: "waiting: a="} {
		tr := virtualTrial(t, step("a", set+approval("approvers = ["+approvers+"]")))
		asked := 0
		tr.opts.Ask = func(context.Context, apply.Question) (bool, error) {
			asked++
			return true, nil
		}
		tr.expect(tr.run(), want)
		if (asked == 1) != strings.HasPrefix(want, "succeeded") {
			t.Errorf("%s: asked %d times", approvers, asked)
		}
	}
}

// Who is asked has so long; a run that nobody attends finds out when it is resumed.
func TestApprovalHasItsTime(t *testing.T) {
	source := step("a", set+approval(`timeout = "2h"`)) + step("last", set+"  always = true\n")
	tr := virtualTrial(t, source)
	tr.expect(tr.run(), "waiting: a= last=")
	waiting := tr.record.events[slices.IndexFunc(tr.record.events, func(e event.Event) bool { return e.Type == event.StepWaiting })]
	if want := tr.opts.Run.StartedAt.Add(2 * time.Hour); waiting.Until == nil || !waiting.Until.Equal(want) {
		t.Errorf("until %v, want %v", waiting.Until, want)
	}
	pass(tr, 2*time.Hour)
	late := says("ana", tr.opts.Run.StartedAt.Add(2*time.Hour+time.Minute))
	tr.opts.Approved["step.a"] = []apply.Approval{late}
	tr.expect(tr.again(), "failed: a=failed last=done")

	tr = virtualTrial(t, source)
	tr.counts = -1
	tr.run()
	pass(tr, 3*time.Hour)
	tr.opts.Approved["step.a"] = []apply.Approval{says("ana", tr.opts.Run.StartedAt.Add(time.Hour))} // in time, and taken up late
	tr.expect(tr.again(), "succeeded: a=done last=done")
}

// pass lets time go by while no process attends the run.
func pass(tr *trial, d time.Duration) {
	virtual := tr.opts.Clock.(interface {
		Run(func())
		Sleep(context.Context, time.Duration) error
	})
	virtual.Run(func() { _ = virtual.Sleep(context.Background(), d) })
}

// An attended run stays until somebody has answered elsewhere, or their time is up.
func TestApprovalOfAnAttendedRun(t *testing.T) {
	tr := virtualTrial(t, step("a", set+approval(`timeout = "1m"`)))
	tr.counts = -1
	answerAt := tr.opts.Run.StartedAt.Add(20 * time.Second)
	inbox := func() (apply.Said, error) {
		said := apply.Said{Approved: map[string][]apply.Approval{}}
		if !answerAt.IsZero() && !tr.clock.Now().Before(answerAt) {
			said.Approved["step.a"] = []apply.Approval{says("ana", answerAt)}
		}
		return said, nil
	}
	tr.opts.Inbox = inbox
	tr.expect(tr.run(), "succeeded: a=done")
	if took := tr.clock.Now().Sub(tr.opts.Run.StartedAt); took != 20*time.Second {
		t.Errorf("it went on after %s", took)
	}

	tr = virtualTrial(t, step("a", set+approval(`timeout = "1m"`)))
	answerAt, tr.opts.Inbox = time.Time{}, inbox
	tr.expect(tr.run(), "failed: a=failed")
	if took := tr.clock.Now().Sub(tr.opts.Run.StartedAt); took != time.Minute {
		t.Errorf("it ended after %s", took)
	}
}

// A call is approved as a whole, before any of its steps begins.
func TestApprovalOfACall(t *testing.T) {
	other := map[string]string{"other.hcl": "runbook \"other\" {}\n" + step("p", set)}
	tr := calling(t, strings.Replace(call(""), "step \"x\" {", "step \"x\" {\n"+approval(""), 1), other)
	tr.expect(tr.run(), "waiting: x=")
	tr.opts.Approved["step.x"] = []apply.Approval{{By: "ana", Shown: true}}
	tr.expect(tr.again(), "succeeded: x=done x.step.p=done")
}
