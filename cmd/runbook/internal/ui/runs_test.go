package ui

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

func TestWriteRuns(t *testing.T) {
	began := time.Date(2026, 3, 4, 3, 12, 9, 0, time.UTC)
	runs := []RunSummary{
		{ID: "20260304-031209-k3v9", Runbook: "deploy", File: "deploy.hcl", Operator: "ana", Host: "ops1", Started: began, Outcome: "crashed", Steps: map[string]int{}},
		{
			ID: "20260304-030000-aaaa", Runbook: "postgres_to_feast", File: "a.hcl", Operator: "bob", Host: "ops2", Started: began.Add(-time.Hour),
			Finished: began, Outcome: "rolled_back", Steps: map[string]int{"done": 2, "rolled_back": 1, "failed": 1},
		},
		{ID: "20260303-030000-bbbb", Runbook: "deploy", Operator: "bob", Started: began, Outcome: "damaged", Steps: map[string]int{"done": 1}, Damage: "journal is damaged at byte 17"},
	}
	var out bytes.Buffer
	if err := WriteRuns(&out, ciLog, time.UTC, runs); err != nil {
		t.Fatal(err)
	}
	if err := WriteRuns(&out, ciLog, time.UTC, nil); err != nil {
		t.Fatal(err)
	}
	for _, v := range []Verification{
		{Run: "a", Records: 12, Groups: 1, Logs: 2, Seal: "77d1", Torn: 40},
		{Run: "b", Err: errors.New("journal is damaged at byte 17")},
	} {
		if err := WriteVerification(&out, ciLog, v); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "runs_ci.txt", out.String())

	out.Reset()
	if err := WriteRunsJSON(&out, runs); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.json", out.String())
	validate(t, "runs.json", out.Bytes())
}

func TestWriteLocks(t *testing.T) {
	locks := []Lock{{
		Run: "20260304-031209-k3v9", Runbook: "deploy", Operator: "ana", Host: "ops1", PID: 17, Since: time.Date(2026, 3, 4, 3, 12, 9, 0, time.UTC),
		Effects: []schema.Effect{{Resource: "redis://cache:6379/0", Mode: schema.Delete}, {Resource: "runbook:deploy", Mode: schema.Write}},
	}}
	var out bytes.Buffer
	for _, list := range [][]Lock{locks, nil} {
		if err := WriteLocks(&out, ciLog, time.UTC, list); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "locks_ci.txt", out.String())

	for _, list := range [][]Lock{locks, nil} {
		out.Reset()
		if err := WriteLocksJSON(&out, list); err != nil {
			t.Fatal(err)
		}
		validate(t, "locks.json", out.Bytes())
	}
}
