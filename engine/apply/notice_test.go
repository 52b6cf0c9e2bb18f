package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// notify tells of the given by fake.set, whose world then holds what was told.
func notify(name string, on ...string) string {
	return fmt.Sprintf("notify %q {\n on = [\"%s\"]\n action \"fake.set\" {\n name = %[1]q\n value = run.summary\n }\n}\n", name, strings.Join(on, `", "`))
}

func escalation(name, after string) string {
	return fmt.Sprintf("escalation %q {\n after = %q\n action \"fake.set\" {\n name = %[1]q\n value = run.summary\n }\n}\n", name, after)
}

// told lists what people were told, in order: "notify.x failed: done".
func told(events []event.Event) []string {
	var lines []string
	for _, e := range events {
		if e.Type != event.NoticeFinished {
			continue
		}
		line := strings.TrimSpace(e.Notice.Address + " " + e.Notice.On)
		for _, w := range e.Notice.Waits {
			line += fmt.Sprintf(" %s/%d", w.Step, w.Attempt)
		}
		lines = append(lines, line+": "+string(e.Attempt.State))
	}
	return lines
}

func warnings(events []event.Event) []string {
	for _, e := range events {
		if e.Type == event.RunFinished {
			return e.Warnings
		}
	}
	return []string{"the run has not finished"}
}

// fails has the action fail for the given names, or not where its outcome is
// none.
func fails(outcomes map[string]schema.Outcome) func(context.Context, string, string, int) (schema.Outcome, bool) {
	return func(_ context.Context, name, _ string, _ int) (schema.Outcome, bool) {
		o, ok := outcomes[name]
		return o, ok
	}
}

var refused = schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "refused", Message: "it refused"}}

func TestNotifyOfEachEnd(t *testing.T) {
	all := notify("all", "started", "waiting", "failed", "blocked", "interrupted", "succeeded", "rolled_back")
	tests := map[string]struct {
		source string
		want   []string
		says   string
	}{
		"succeeded": {step("a", set), []string{"notify.all started: done", "notify.all succeeded: done"},
			"test: succeeded; 1 of 1 steps ended well; run r1"},
		"failed": {step("a", set) + step("bad", set), []string{"notify.all started: done", "notify.all failed: done"},
			"test: failed; step.bad failed: it refused (nothing was changed); 1 of 2 steps ended well; run r1; `runbook resume r1`"},
		"blocked": {step("a", set+"precondition \"p\" {\n assert = false\n message = \"no\"\n}\n"), []string{"notify.all started: done", "notify.all blocked: done"},
			"test: blocked; step.a blocked: no; 0 of 1 steps ended well; run r1"},
		"waiting": {step("a", set+"approval {\n message = \"ask\"\n}\n"), []string{"notify.all started: done", "notify.all waiting step.a/1: done"},
			"test: waits for a person; step.a: an approval: ask; `runbook approve r1 step.a`"},
		"rolled_back": {step("a", set+"rollback {\n action \"fake.set\" {\n name = \"a\"\n value = \"off\"\n }\n}\n") + step("bad", "on_failure = \"rollback\"\n"+set),
			[]string{"notify.all started: done", "notify.all rolled_back: done"},
			"test: rolled back; step.bad failed: it refused (nothing was changed); 0 of 2 steps ended well; run r1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr, _, events := virtually(t, test.source+all, func(tr *trial) {
				tr.act = fails(map[string]schema.Outcome{"bad": refused})
			})
			if diff := cmp.Diff(test.want, told(events)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.says, tr.values["all"]); diff != "" {
				t.Error(diff)
			}
			if e := events[len(events)-1]; e.Type != event.RunFinished || e.Outcome != name || len(e.Warnings) > 0 {
				t.Errorf("the record ends with %+v", e)
			}
		})
	}
}

// An interrupt is told of too, though it has cut the looks.
func TestNotifyOfAnInterrupt(t *testing.T) {
	tr, said, events := virtually(t, step("a", set+soak)+notify("all", "interrupted"), func(tr *trial) {
		interrupt := make(chan struct{})
		tr.opts.Interrupt = interrupt
		tr.opts.Clock.AfterFunc(90*time.Second, func() { close(interrupt) })
	})
	if diff := cmp.Diff([]string{"notify.all interrupted: done"}, told(events)); diff != "" {
		t.Error(said, diff)
	}
	if !strings.Contains(tr.values["all"], "`runbook resume r1`") {
		t.Error(tr.values["all"])
	}
}

// What cannot be told is a warning: the outcome is what it would have been.
func TestNoticesCannotFailARun(t *testing.T) {
	retryable := schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "busy", Message: "busy", Retryable: true}}
	wishes := retryable
	wishes.Failure = &schema.Failure{Code: "busy", Message: "busy", Retryable: true, RetryAfterSeconds: 40}
	patient := retryable
	patient.Failure = &schema.Failure{Code: "busy", Message: "busy", Retryable: true, RetryAfterSeconds: 600}
	unknown := schema.Outcome{State: schema.Unknown, Failure: &schema.Failure{Code: "cut", Message: "the line was cut"}}
	tests := map[string]struct {
		outcome  schema.Outcome
		settling schema.Settling
		tries    int
		took     time.Duration
		warns    string
	}{
		"refused":                       {refused, schema.Manual, 1, 0, "it refused"},
		"busy for good":                 {retryable, schema.Manual, 3, 6 * time.Second, "busy"},
		"busy, and says for how long":   {wishes, schema.Manual, 3, 80 * time.Second, "busy"},
		"busy for too long":             {patient, schema.Manual, 1, 0, "busy; the next try would be in 10m"},
		"nobody knows, and cannot":      {unknown, schema.Manual, 1, 0, "the line was cut"},
		"nobody knows, and it is keyed": {unknown, schema.Keyed, 3, 6 * time.Second, "the line was cut"},
		"asks":                          {schema.Outcome{State: schema.Ask, Question: &schema.Question{Message: "well?"}}, schema.Manual, 1, 0, "fake.set asks a person, and a notify only tells"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr, said, events := virtually(t, step("a", set)+notify("deaf", "succeeded"), func(tr *trial) {
				tr.settling = test.settling
				tr.act = fails(map[string]schema.Outcome{"deaf": test.outcome})
			})
			if diff := cmp.Diff("succeeded: a=done", said); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"notify.deaf has not told of succeeded: " + test.warns}, warnings(events)); diff != "" {
				t.Error(diff)
			}
			keys := map[string]bool{}
			for i, name := range tr.calls {
				if name == "deaf" {
					keys[tr.keys[i]] = true
				}
			}
			if tr.attempts["deaf"] != test.tries || len(keys) != 1 {
				t.Errorf("tried %d times by %d keys, want %d by one", tr.attempts["deaf"], len(keys), test.tries)
			}
			if took := tr.clock.Now().Sub(tr.opts.Run.StartedAt); took != test.took {
				t.Errorf("took %s, want %s", took, test.took)
			}
		})
	}
}

// A destructive action tells nobody anything: there is nobody to see what it hits.
func TestNoticesDestroyNothing(t *testing.T) {
	source := step("a", set) + strings.Replace(notify("flush", "succeeded"), "value =", "destroys = true\n value =", 1)
	tr, said, events := virtually(t, source, nil)
	if diff := cmp.Diff("succeeded: a=done", said); diff != "" {
		t.Error(diff)
	}
	if got := warnings(events); len(got) != 1 || !strings.Contains(got[0], "notify.flush has not told of succeeded: fake.set is destructive here") {
		t.Error(got)
	}
	if tr.attempts["flush"] != 0 {
		t.Error("it was done")
	}
}

// Nothing that people are told holds up a step.
func TestNoticesHoldNothingUp(t *testing.T) {
	_, _, events := virtually(t, step("a", set)+step("b", set)+notify("slow", "started"), func(tr *trial) {
		tr.takesOf = func(name string) time.Duration {
			return map[string]time.Duration{"slow": 20 * time.Second, "a": time.Second, "b": time.Second}[name]
		}
	})
	var order []string
	for _, e := range events {
		switch {
		case e.Type == event.StepFinished:
			order = append(order, e.Step)
		case e.Type == event.NoticeFinished, e.Type == event.RunFinished:
			order = append(order, string(e.Type))
		}
	}
	if diff := cmp.Diff([]string{"step.a", "step.b", "notice_finished", "run_finished"}, order); diff != "" {
		t.Error(diff)
	}
}

// A backend that takes no word is given up after a while, killed or not.
func TestNoticesAreBounded(t *testing.T) {
	tr, said, events := virtually(t, step("a", set)+notify("black", "succeeded"), func(tr *trial) {
		tr.takesOf = func(name string) time.Duration { return map[string]time.Duration{"black": time.Hour}[name] }
	})
	if diff := cmp.Diff("succeeded: a=done", said); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"notify.black has not told of succeeded: cancelled"}, warnings(events)); diff != "" {
		t.Error(diff)
	}
	if took := tr.clock.Now().Sub(tr.opts.Run.StartedAt); took > 2*time.Minute {
		t.Errorf("took %s", took)
	}
}

func TestEscalation(t *testing.T) {
	slow := func(tr *trial) {
		tr.takesOf = func(name string) time.Duration { return map[string]time.Duration{"a": time.Hour}[name] }
	}
	tests := map[string]struct {
		source  string
		prepare func(*trial)
		want    []string
		says    string
	}{
		"its time comes":       {step("a", set) + escalation("lead", "15m"), slow, []string{"escalation.lead: done"}, "test: has not succeeded within 15m; under way: step.a; 0 of 1 steps ended well; run r1"},
		"it succeeds before":   {step("a", set) + escalation("lead", "2h"), slow, nil, ""},
		"it fails before":      {step("bad", set) + escalation("lead", "2h"), nil, []string{"escalation.lead: done"}, "test: failed; step.bad failed: it refused (nothing was changed); 0 of 1 steps ended well; run r1; `runbook resume r1`"},
		"it fails after":       {step("a", set) + step("bad", set) + escalation("lead", "15m"), slow, []string{"escalation.lead: done"}, "test: has not succeeded within 15m; under way: step.a; 0 of 2 steps ended well; run r1"},
		"it is not called for": {step("bad", set) + strings.Replace(escalation("lead", "15m"), "after", "when = run.environment == \"prod\"\n after", 1), nil, nil, ""},
		"it is blocked":        {step("a", set+"precondition \"p\" {\n assert = false\n}\n") + escalation("lead", "15m"), nil, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr, said, events := virtually(t, test.source, func(tr *trial) {
				if test.prepare != nil {
					test.prepare(tr)
				}
				tr.act = fails(map[string]schema.Outcome{"bad": refused})
			})
			if diff := cmp.Diff(test.want, told(events)); diff != "" {
				t.Error(said, diff)
			}
			if diff := cmp.Diff(test.says, tr.values["lead"]); diff != "" {
				t.Error(diff)
			}
			if got := warnings(events); len(got) != 0 {
				t.Error(got)
			}
		})
	}
}

// A resume tells nobody again what an earlier process has told.
func TestNoticesOfAResume(t *testing.T) {
	source := step("a", set) + step("bad", set+"approval {\n message = \"ask\"\n}\n") +
		notify("all", "started", "waiting", "failed", "succeeded") + escalation("lead", "15m")
	tr, said, events := virtually(t, source, func(tr *trial) { tr.act = fails(map[string]schema.Outcome{"bad": refused}) })
	first := []string{"notify.all started: done", "notify.all waiting step.bad/1: done"}
	if diff := cmp.Diff(first, told(events)); diff != "" {
		t.Fatal(said, diff)
	}
	said = statuses(tr.again())
	if diff := cmp.Diff(first, told(tr.record.events)); diff != "" {
		t.Errorf("a resume that still waits: %s\n%s", said, diff)
	}
	tr.clock.(*clock.Virtual).Run(func() { _ = tr.clock.Sleep(t.Context(), time.Hour) })
	said = statuses(tr.again())
	overdue := append(first, "escalation.lead: done")
	if diff := cmp.Diff(overdue, told(tr.record.events)); diff != "" {
		t.Errorf("a resume that is overdue: %s\n%s", said, diff)
	}
	tr.opts.Approved["step.bad"] = []apply.Approval{{}}
	said = statuses(tr.again())
	failed := append(overdue, "notify.all failed: done")
	if diff := cmp.Diff(failed, told(tr.record.events)); diff != "" {
		t.Errorf("once it has failed: %s\n%s", said, diff)
	}
	said = statuses(tr.again())
	if diff := cmp.Diff(append(failed, "notify.all failed: done"), told(tr.record.events)); diff != "" {
		t.Errorf("once it has failed again, which is news: %s\n%s", said, diff)
	}
}

// Where the engine went away in mid-telling, it is told again only by a backend
// that keeps it from being told twice.
func TestNoticesCutShort(t *testing.T) {
	for settling, again := range map[schema.Settling]bool{schema.Manual: false, schema.Keyed: true} {
		t.Run(string(settling), func(t *testing.T) {
			tr, _, events := virtually(t, step("bad", set)+notify("all", "failed"), func(tr *trial) {
				tr.settling = settling
				tr.act = fails(map[string]schema.Outcome{"bad": refused})
			})
			started := len(events) - 3 // what follows: notice_finished, run_finished
			if events[started].Type != event.NoticeStarted {
				t.Fatalf("%+v", events[started])
			}
			tr.record.events = events[:started+1]
			before := tr.attempts["all"]
			said := statuses(tr.again())
			if told := tr.attempts["all"] - before; told != map[bool]int{true: 1}[again] {
				t.Errorf("%s: told %d times more", said, told)
			}
			if got := warnings(tr.record.events); len(got) == 0 || !strings.Contains(got[0], "notify.all: the engine went away while it told of failed") {
				t.Error(got)
			}
		})
	}
}

// While a process attends the run, people are told as soon as it waits for one of
// them, and the escalation comes though it only waits.
func TestNoticesOfAnAttendedRun(t *testing.T) {
	tr := virtualTrial(t, step("a", set+approval(`timeout = "1h"`))+notify("all", "waiting", "succeeded")+escalation("lead", "15m"))
	tr.counts = -1
	answerAt := tr.opts.Run.StartedAt.Add(30 * time.Minute)
	tr.opts.Inbox = func() (apply.Said, error) {
		said := apply.Said{Approved: map[string][]apply.Approval{}}
		if !tr.clock.Now().Before(answerAt) {
			said.Approved["step.a"] = []apply.Approval{says("ana", answerAt)}
		}
		return said, nil
	}
	tr.expect(tr.run(), "succeeded: a=done")
	var when []string
	for _, e := range tr.record.events {
		if e.Type == event.NoticeFinished {
			when = append(when, fmt.Sprintf("%s %s after %s", e.Notice.Address, e.Notice.On, e.Time.Sub(tr.opts.Run.StartedAt)))
		}
	}
	if diff := cmp.Diff([]string{"notify.all waiting after 0s", "escalation.lead  after 15m0s", "notify.all succeeded after 30m0s"}, when); diff != "" {
		t.Error(diff)
	}
}

// Where the record is gone nothing new begins, also nobody is told.
func TestNoticesWithoutARecord(t *testing.T) {
	tr := newTrial(t, step("a", set)+notify("all", "failed", "started"))
	tr.record.fails = 2
	r := tr.run()
	if r.Outcome != apply.Failed || r.RecordError == nil {
		t.Errorf("%s %v", r.Outcome, r.RecordError)
	}
	if tr.attempts["all"] != 0 {
		t.Error("it was told, and there is no record of it")
	}
	if len(r.Warnings) == 0 || !strings.Contains(strings.Join(r.Warnings, "\n"), "notify.all has not told of failed: the record cannot be written") {
		t.Error(r.Warnings)
	}
}
