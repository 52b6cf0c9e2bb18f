package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

// story tells a run's events: begin, resume, STEP=STATUS, or an outcome.
func story(run string, facts ...string) []event.Event {
	var out []event.Event
	for i, fact := range facts {
		e := event.Event{FormatVersion: "1.0", Seq: int64(i + 1), Time: began.Add(time.Duration(i) * time.Minute), Run: run}
		step, status, finished := strings.Cut(fact, "=")
		switch {
		case fact == "begin", fact == "resume":
			e.Type = event.RunStarted
			e.Start = &event.Start{Runbook: "sync", Title: "Sync", File: "sync.hcl", Operator: "ada", Host: "ops-1", Environment: "prod", Resumed: fact == "resume"}
			if fact == "resume" {
				e.Start.Operator = "bob"
			}
		case finished:
			e.Type, e.Step, e.Status = event.StepFinished, "step."+step, status
		default:
			e.Type, e.Outcome = event.RunFinished, fact
		}
		out = append(out, e)
	}
	return out
}

func summary(id, outcome string, minutes int, steps map[string]int) store.Summary {
	s := store.Summary{
		ID: id, Runbook: "sync", Title: "Sync", File: "sync.hcl", Environment: "prod", Operator: "ada", Host: "ops-1",
		Started: began, Outcome: outcome, Steps: steps,
	}
	if minutes > 0 {
		s.Finished = began.Add(time.Duration(minutes) * time.Minute)
	}
	return s
}

func TestRuns(t *testing.T) {
	s := newStore(t)
	for id, facts := range map[string][]string{
		"a-done":     {"begin", "x=done", "y=satisfied", "z=done", "succeeded"},
		"b-resumed":  {"begin", "x=unknown", "failed", "resume", "x=done", "succeeded"},
		"c-crashed":  {"begin", "x=done"},
		"d-again":    {"begin", "waiting", "resume"},
		"e-nothing":  {},
		"g-finished": {"begin", "interrupted"},
	} {
		r := must[*store.Run](t)(s.NewRun(id))
		check(t, r.Append(story(id, facts...)...))
		check(t, r.Close())
	}
	newRun(t, s, "f-running", story("f-running", "begin", "x=failed")...)
	journal := filepath.Join(s.Dir(), "runs/g-finished/journal.jsonl")
	content := string(must[[]byte](t)(os.ReadFile(journal)))
	check(t, os.WriteFile(journal, []byte(strings.Replace(content, `"ada"`, `"eve"`, 1)+"{}\n"), 0o600))

	got := must[[]store.Summary](t)(s.Runs())
	damaged := got[0]
	if damaged.ID != "g-finished" || damaged.Outcome != store.Damaged || !strings.Contains(damaged.Damage, "record 1 in group 1: its checksum is") {
		t.Errorf("got %+v", damaged)
	}
	diff(t, []store.Summary{
		summary("f-running", store.Running, 0, map[string]int{"failed": 1}),
		{
			ID: "e-nothing", Outcome: store.Damaged, Steps: map[string]int{},
			Damage: "nothing in its record is sealed: it was emptied, or its process was killed before the run had begun",
		},
		summary("d-again", store.Crashed, 0, map[string]int{}),
		summary("c-crashed", store.Crashed, 0, map[string]int{"done": 1}),
		summary("b-resumed", "succeeded", 5, map[string]int{"done": 1}),
		summary("a-done", "succeeded", 4, map[string]int{"done": 2, "satisfied": 1}),
	}, got[1:])
	diff(t, got[6], must[store.Summary](t)(s.Summary("a-done")))
}

func TestARunWhoseProcessIsKilledHasCrashed(t *testing.T) {
	s := newStore(t)
	p := start(t, "hold", s.Dir(), "r")
	diff(t, "held", p.line(t))
	must[int](t)(fmt.Fprintln(p.in, "line"))
	diff(t, "appended", p.line(t))
	diff(t, store.Running, must[store.Summary](t)(s.Summary("r")).Outcome)
	p.kill(t)
	diff(t, store.Crashed, must[store.Summary](t)(s.Summary("r")).Outcome)
}

func TestOver(t *testing.T) {
	for outcome, want := range map[string]bool{
		"succeeded": true, "failed": true, "blocked": true, "rolled_back": true,
		"waiting": false, "interrupted": false, store.Running: false, store.Crashed: false, store.Damaged: false,
	} {
		diff(t, want, store.Summary{Outcome: outcome, Steps: map[string]int{"done": 1}}.Over())
		diff(t, false, store.Summary{Outcome: outcome, Steps: map[string]int{"unknown": 1}}.Over())
	}
}
