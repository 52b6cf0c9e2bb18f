package ui

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// script numbers and times events, three seconds apart.
func script(events ...event.Event) []event.Event {
	at := time.Date(2026, 3, 4, 3, 12, 9, 0, time.UTC)
	for i := range events {
		e := &events[i]
		e.FormatVersion, e.Seq, e.Run = event.FormatVersion, int64(i+1), "20260304-031209-k3v9"
		e.Time = at.Add(time.Duration(i) * 3 * time.Second)
	}
	return events
}

func start(steps ...string) event.Event {
	return event.Event{Type: event.RunStarted, Start: &event.Start{
		Runbook: "postgres_to_feast", File: "runbooks/postgres_to_feast.hcl", Operator: "ana", Host: "ops1", PID: 4711,
		Environment: "lab", Version: "0.1.0", Steps: steps, Sources: map[string]string{"a.hcl": "secret plans"},
	}}
}

func observed(step string, o event.Observation) event.Event {
	return event.Event{Type: event.Observed, Step: step, Observation: &o}
}

func logged(step, text string) event.Event {
	return event.Event{Type: event.Log, Step: step, Stream: "stdout", Message: text}
}

// repair is a run that succeeds.
func repair() []event.Event {
	const step = "step.materialize"
	attempt := event.Attempt{Number: 1, Action: "feast.materialize", Settling: schema.Idempotent, Command: "feast materialize 2026-03-03T00:00:00 2026-03-04T03:12:00"}
	finished := attempt
	finished.State = schema.Done
	return script(
		start("step.source", step, "step.announce"),
		event.Event{Type: event.StepStarted, Step: "step.source", Row: 12},
		observed("step.source", event.Observation{Kind: "precondition", Name: "bars", Probe: "postgres.query", Holds: yes(), Message: "the newest bar is 212s old", Looks: 1}),
		event.Event{Type: event.StepFinished, Step: "step.source", Status: "satisfied"},
		event.Event{Type: event.StepStarted, Step: step, Title: "Re-materialize features into the online store"},
		observed(step, event.Observation{Kind: "goal", Name: "fresh", Probe: "feast.freshness", Holds: no(), Message: "technical_features is 90000s behind", Looks: 1}),
		event.Event{Type: event.ActionStarted, Step: step, Attempt: &attempt},
		logged(step, "Materializing 1 feature view"),
		event.Event{Type: event.Progress, Step: step, Done: 10, Total: 100, Message: "USDCOP"},
		event.Event{Type: event.Progress, Step: step, Done: 12, Total: 100, Message: "USDCOP"},
		event.Event{Type: event.Progress, Step: step, Done: 100, Total: 100},
		event.Event{Type: event.ActionFinished, Step: step, Attempt: &finished, DurationSeconds: 14.52, Message: "1200 rows written"},
		observed(step, event.Observation{Kind: "goal", Name: "fresh", Probe: "feast.freshness", Holds: yes(), Message: "technical_features is 3s behind", Looks: 4, Final: true}),
		event.Event{Type: event.StepFinished, Step: step, Status: "done", DurationSeconds: 21},
		event.Event{Type: event.StepFinished, Step: "step.announce", Status: "skipped", Message: "when is false"},
		event.Event{Type: event.RunFinished, Outcome: "succeeded", DurationSeconds: 43, Outputs: map[string]any{"feature_age_seconds": 3.0, "symbols": []string{"USDCOP"}}},
	)
}

// breakdown is a run whose action fails half-way after more log than fits.
func breakdown() []event.Event {
	const step = "step.restore"
	attempt := event.Attempt{Number: 2, Action: "exec.run", Destructive: true, Impact: schema.Impact{"rows": 50000}, Command: "./restore.sh"}
	failed := attempt
	failed.State = schema.FailedPartial
	failed.Failure = &schema.Failure{Code: "exit_status", Message: "exit status 3", Remedy: "look at /var/log/restore.log"}
	events := []event.Event{
		start("step.stop_writers", step, "step.announce"),
		{Type: event.StepFinished, Step: "step.stop_writers", Status: "done", DurationSeconds: 1.25},
		{Type: event.StepStarted, Step: step, Title: "Restore the table"},
		observed(step, event.Observation{Kind: "precondition", Name: "space", Holds: yes(), Message: "80 GiB free"}),
		observed(step, event.Observation{Kind: "goal", Name: "rows_back", Holds: no(), Message: "0 of 50000 rows"}),
		{Type: event.ActionStarted, Step: step, Attempt: &attempt},
	}
	for i := range 23 {
		events = append(events, logged(step, fmt.Sprintf("restored chunk %d", i+1)))
	}
	return script(append(events,
		event.Event{Type: event.ActionFinished, Step: step, Attempt: &failed, DurationSeconds: 69},
		event.Event{Type: event.StepFinished, Step: step, Status: "failed", DurationSeconds: 70, Message: "exec.run failed twice"},
		event.Event{Type: event.StepFinished, Step: "step.announce", Status: "not_run", Message: "step.restore failed"},
		event.Event{Type: event.RunFinished, Outcome: "failed", DurationSeconds: 83},
	)...)
}

// pause is a run that asks a person, and one step of which nobody knows.
func pause() []event.Event {
	until := time.Date(2026, 3, 4, 4, 0, 0, 0, time.UTC)
	return script(
		start("step.flush", "step.after"),
		event.Event{Type: event.StepStarted, Step: "step.flush", Title: "Empty the cache"},
		event.Event{Type: event.StepWaiting, Step: "step.flush", WaitsFor: "lock", Message: "redis://cache:6379/0 is held by run 20260304-030000-aaaa"},
		event.Event{Type: event.StepWaiting, Step: "step.flush", WaitsFor: "person", Until: &until, Message: "redis.flushdb would delete 1342 keys", Attempt: &event.Attempt{
			Number: 1, Action: "redis.flushdb", Destructive: true, Effects: []schema.Effect{{Resource: "redis://cache:6379/0", Mode: schema.Delete}},
			Impact: schema.Impact{"keys": 1342}, Command: "redis-cli -h cache flushdb",
		}},
		event.Event{Type: event.RunFinished, Outcome: "waiting", DurationSeconds: 9},
	)
}

// questions is a run that asks people, one who has answered and two who have not.
func questions() []event.Event {
	number, secret := schema.Attribute{Name: "days", Type: cty.Number, Doc: "how far back", Required: true}, schema.Attribute{Name: "token", Type: cty.String, Required: true, Sensitive: true}
	asked := event.Attempt{Number: 1, Action: "core.input", State: schema.Ask}
	asks := func(step, message string, answers ...schema.Attribute) event.Event {
		return event.Event{
			Type: event.StepWaiting, Step: step, WaitsFor: "person", Message: message,
			Question: &event.Question{Message: message, Answers: answers}, Attempt: &event.Attempt{Number: 2, Action: "core.input"},
		}
	}
	return script(
		start("step.look", "step.which", "step.token"),
		event.Event{Type: event.StepStarted, Step: "step.look", Title: "Somebody has looked"},
		event.Event{Type: event.ActionStarted, Step: "step.look", Attempt: &event.Attempt{Number: 1, Action: "core.manual"}},
		event.Event{Type: event.ActionFinished, Step: "step.look", Message: "Is the desk closed?", Attempt: &asked},
		asks("step.look", "Is the desk closed?"),
		observed("step.look", event.Observation{Kind: "answer", Name: "core.manual", Holds: yes(), Message: "confirmed", By: "ana", Note: "asked them"}),
		event.Event{Type: event.StepFinished, Step: "step.look", Status: "done"},
		asks("step.which", "Which run was good?", number),
		asks("step.token", "Whose token?", secret),
		event.Event{Type: event.RunFinished, Outcome: "waiting"},
	)
}

// mystery is a run whose engine lost sight of an action.
func mystery() []event.Event {
	attempt := event.Attempt{Number: 1, Action: "postgres.execute", State: schema.Unknown, Failure: &schema.Failure{Code: "provider_died", Message: "the provider was killed"}}
	return script(
		start(`step.vacuum["bars"]`),
		event.Event{Type: event.StepStarted, Step: `step.vacuum["bars"]`},
		event.Event{Type: event.ActionFinished, Step: `step.vacuum["bars"]`, Attempt: &attempt},
		event.Event{Type: event.StepFinished, Step: `step.vacuum["bars"]`, Status: "unknown"},
		event.Event{Type: event.RunFinished, Outcome: "failed"},
	)
}

func TestRunAsText(t *testing.T) {
	cases := map[string]struct {
		events []event.Event
		style  Style
	}{
		"run_repair_ci.txt":          {repair(), ciLog},
		"run_repair_terminal.txt":    {repair(), terminal},
		"run_breakdown_ci.txt":       {breakdown(), ciLog},
		"run_breakdown_narrow.txt":   {breakdown(), narrow},
		"run_pause_ci.txt":           {pause(), ciLog},
		"run_questions_ci.txt":       {questions(), ciLog},
		"run_mystery_ci.txt":         {mystery(), ciLog},
		"run_blocked_ci.txt":         {blockedRun(), ciLog},
		"run_verify_failed_ci.txt":   {unproven(), ciLog},
		"run_interrupted_ci.txt":     {interrupted(), ciLog},
		"run_interrupted_narrow.txt": {interrupted(), narrow},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			lines, recap := NewLines(&out, c.style, time.UTC), &Recap{}
			for _, e := range c.events {
				for _, sink := range []event.Sink{lines, recap} {
					if err := sink.Emit(e); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := WriteRecap(&out, c.style, recap, "sha256:77d1"); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.String())
		})
	}
}

func blockedRun() []event.Event {
	return script(
		start("step.source"),
		event.Event{Type: event.StepStarted, Step: "step.source"},
		observed("step.source", event.Observation{Kind: "precondition", Name: "ready", Probe: "postgres.ready", Failure: &schema.Failure{Code: "timeout", Message: "10.0.0.9:5432 did not answer within 10s", Remedy: "check the network"}, Looks: 3}),
		event.Event{Type: event.StepFinished, Step: "step.source", Status: "blocked"},
		event.Event{Type: event.RunFinished, Outcome: "blocked", DurationSeconds: 10.04},
	)
}

func unproven() []event.Event {
	attempt := event.Attempt{Number: 1, Action: "docker.restart", State: schema.Done, Settled: "settle"}
	return script(
		start("step.restart"),
		event.Event{Type: event.StepStarted, Step: "step.restart"},
		observed("step.restart", event.Observation{Kind: "capture", Probe: "docker.container", Message: "running"}),
		event.Event{Type: event.ActionFinished, Step: "step.restart", Attempt: &attempt},
		observed("step.restart", event.Observation{Kind: "verify", Name: "healthy", Holds: no(), Message: "unhealthy: 3 restarts", Looks: 30}),
		event.Event{Type: event.StepFinished, Step: "step.restart", Status: "failed"},
		event.Event{Type: event.RunFinished, Outcome: "failed", DurationSeconds: 3725, Warnings: []string{"output age has no value: step.restart has no result"}},
	)
}

func interrupted() []event.Event {
	resumed := start("step.copy")
	resumed.Start.Resumed = true
	return script(
		start("step.copy"),
		event.Event{Type: event.StepStarted, Step: "step.copy"},
		event.Event{Type: event.StepFinished, Step: "step.copy", Status: "interrupted", Message: "cut while it waited for goal copied"},
		event.Event{Type: event.RunFinished, Outcome: "interrupted", DurationSeconds: 75},
		resumed,
		event.Event{Type: event.StepStarted, Step: "step.copy"},
		event.Event{Type: event.StepFinished, Step: "step.copy", Status: "interrupted"},
		event.Event{Type: event.RunFinished, Outcome: "interrupted"},
	)
}

// A run whose process is gone has no last event: what is known of it comes from
// the store.
func TestRecapOfCrash(t *testing.T) {
	recap := &Recap{}
	for _, e := range script(start("step.copy", "step.after"),
		event.Event{Type: event.StepStarted, Step: "step.copy", Title: "Copy the features"},
		event.Event{Type: event.ActionStarted, Step: "step.copy", Attempt: &event.Attempt{
			Number: 1, Action: "exec.run", Command: "copy --all",
		}},
	) {
		if err := recap.Emit(e); err != nil {
			t.Fatal(err)
		}
	}
	recap.Ended("crashed")
	var out bytes.Buffer
	if err := WriteRecap(&out, ciLog, recap, ""); err != nil {
		t.Fatal(err)
	}
	golden(t, "run_crashed_ci.txt", out.String())
}

func TestWriteQuestion(t *testing.T) {
	var out bytes.Buffer
	err := WriteQuestion(&out, ciLog, Question{
		Step: "step.flush", Title: "Empty the cache", Action: "redis.flushdb", Reason: "redis.flushdb destroys: a person is asked",
		Destructive: true, Effects: []schema.Effect{{Resource: "redis://cache:6379/0", Mode: schema.Delete}},
		Impact: schema.Impact{"keys": 1342}, Sample: []string{"feast:a", "feast:b"}, Command: "redis-cli -h cache flushdb",
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "question_ci.txt", out.String())

	out.Reset()
	err = WriteQuestion(&out, ciLog, Question{
		Step: "step.which", Action: "core.input", Reason: "Which run was good?", Command: "read -p 'Which run was good?' days",
		Answers: schema.Object{Attributes: []schema.Attribute{{Name: "days", Type: cty.Number}}}, Problem: "days has to be a number, not \"few\"",
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "question_refused_ci.txt", out.String())
}

func TestRunAsJSON(t *testing.T) {
	for _, events := range [][]event.Event{repair(), breakdown(), pause(), questions(), mystery(), blockedRun(), unproven(), interrupted()} {
		var out bytes.Buffer
		sink := NewEvents(&out)
		for _, e := range events {
			out.Reset()
			if err := sink.Emit(e); err != nil {
				t.Fatal(err)
			}
			validate(t, "event.json", out.Bytes())
			if bytes.Contains(out.Bytes(), []byte("secret plans")) || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
				t.Errorf("not one line without sources: %s", out.String())
			}
		}
	}
}

func TestWriteChecks(t *testing.T) {
	checks := []plan.Check{
		{Name: "bars", Holds: yes(), Status: "holds", Message: "the newest bar is 212s old"},
		{Name: "online", Holds: no(), Status: "fails", Message: "the online store is empty"},
		{Name: "dns", Status: "errors", Message: "lookup cache: no such host"},
	}
	var out bytes.Buffer
	if err := WriteChecks(&out, ciLog, checks); err != nil {
		t.Fatal(err)
	}
	golden(t, "checks_ci.txt", out.String())

	out.Reset()
	if err := WriteReportJSON(&out, Report{Checks: checks}); err != nil {
		t.Fatal(err)
	}
	golden(t, "checks.json", out.String())
	validate(t, "report.json", out.Bytes())
}
