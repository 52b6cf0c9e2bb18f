package ui

import (
	"bytes"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

func yes() *bool { holds := true; return &holds }

func no() *bool { holds := false; return &holds }

// changesPlan has one step of every decision.
func changesPlan() *plan.Plan {
	online := schema.Effect{Resource: "redis://cache:6379/0", Mode: schema.Write}
	return &plan.Plan{
		FormatVersion: plan.FormatVersion,
		Runbook:       "postgres_to_feast",
		Title:         "PostgreSQL → Feast sync recovery",
		File:          "runbooks/postgres_to_feast.hcl",
		CreatedAt:     time.Date(2026, 3, 4, 3, 12, 9, 0, time.UTC),
		Operator:      "ana",
		Outcome:       plan.Changes,
		Digest:        "sha256:2f6c1e",
		Steps: []plan.Step{
			{
				Address: "step.source", Decision: "satisfied", Row: 12, Reason: "the newest bar is 212s old",
				Preconditions: []plan.Check{{Name: "bars", Probe: "postgres.query", Holds: yes(), Message: "the newest bar is 212s old"}},
			},
			{Address: "step.registry", Title: "Bring the registry back", Decision: "skipped", Row: 4, Reason: "when is false: check.registry holds", Goals: []plan.Check{{Name: "listed"}}},
			{
				Address: "step.clear", Title: "Drop the stale keys", Decision: "run", Row: 17, Reason: "1342 stale keys",
				Action: "redis.delete_pattern", Destructive: true, Approval: true,
				Effects: []schema.Effect{{Resource: "redis://cache:6379/0", Mode: schema.Delete}},
				Impact:  schema.Impact{"keys": 1342, "bytes": 3221225472}, Summary: "1342 keys match feast:*",
				Sample:  []string{"feast:technical_features:USDCOP", "feast:technical_features:\x1b[2JUSDMXN"},
				Command: "redis-cli -h cache --scan --pattern 'feast:*' | xargs redis-cli -h cache unlink",
				Goals:   []plan.Check{{Name: "no_stale_keys", Probe: "redis.key_count", Holds: no(), Message: "1342 stale keys"}},
				Verify:  []plan.Check{{Name: "api_keys_left", Message: "the unrelated keys are still there"}},
			},
			{
				Address: "step.materialize", Title: "Re-materialize features into the online store", Decision: "run", Tentative: true, Row: 14,
				Reason: "goal online_store_is_fresh does not hold, and the arguments are not known until step.clear has run",
				Action: "feast.materialize_incremental", Effects: []schema.Effect{online}, Unknown: []string{"end_time"},
				Preconditions: []plan.Check{{Name: "registry", Probe: "feast.registry", Holds: nil, Message: "the feature server did not answer: dial tcp 10.0.0.7:6566: connection refused"}},
				Goals:         []plan.Check{{Name: "online_store_is_fresh", Holds: no(), Message: "technical_features is 90000s behind"}},
				Warnings:      []string{"the preview failed: timeout after 10s"},
			},
			{Address: "step.announce", Decision: "deferred", Tentative: true, Row: 2, Reason: "when waits for step.materialize.status", Action: "slack.post"},
		},
		Diagnosis: []plan.Check{
			{Name: "bars", Holds: yes(), Status: "holds", Message: "the newest bar is 212s old"},
			{Name: "online", Holds: no(), Status: "fails", Message: "the online store is empty"},
			{Name: "dns", Status: "errors", Message: "lookup cache: no such host"},
		},
		BlastRadius: []plan.Effect{{Effect: schema.Effect{Resource: "redis://cache:6379/0", Mode: schema.Delete}, Steps: []string{"step.clear"}}, {Effect: online, Steps: []string{"step.materialize"}}},
		Outputs:     []plan.Output{{Name: "feature_age_seconds"}, {Name: "source", Value: "usdcop_m5_ohlcv", Known: true}},
		Warnings:    []string{"step.clear and step.materialize write redis://cache:6379/0 and no edge orders them"},
	}
}

func blockedPlan() *plan.Plan {
	return &plan.Plan{
		FormatVersion: plan.FormatVersion, Runbook: "deploy", File: "deploy.hcl", Outcome: plan.Blocked, Digest: "sha256:aa",
		Steps: []plan.Step{
			{Address: "step.check", Decision: "blocked", Row: 11, Reason: "precondition source does not hold: the newest bar is 86400s old, the limit is 600s",
				Preconditions: []plan.Check{{Name: "source", Holds: no(), Message: "the newest bar is 86400s old, the limit is 600s"}}},
			{Address: "step.after", Decision: "blocked", Row: 1, Reason: "step.check comes before it and is blocked"},
		},
	}
}

func TestWritePlan(t *testing.T) {
	quiet := &plan.Plan{Runbook: "deploy", Outcome: plan.NothingToDo, Steps: []plan.Step{{Address: "step.up", Decision: "satisfied", Reason: "goal answers holds"}}}
	cases := map[string]struct {
		plan  *plan.Plan
		style Style
	}{
		"plan_changes_ci.txt":       {changesPlan(), ciLog},
		"plan_changes_terminal.txt": {changesPlan(), terminal},
		"plan_changes_narrow.txt":   {changesPlan(), narrow},
		"plan_blocked_ci.txt":       {blockedPlan(), ciLog},
		"plan_nothing_ci.txt":       {quiet, ciLog},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WritePlan(&out, c.style, c.plan); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.String())
		})
	}
}

func TestWritePlanMarkdown(t *testing.T) {
	var out bytes.Buffer
	if err := WritePlanMarkdown(&out, changesPlan()); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan_changes.md", out.String())
}

func TestWritePlanJSON(t *testing.T) {
	var out bytes.Buffer
	warning := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Deprecated", Detail: "Old <word>."}
	if err := WritePlanJSON(&out, changesPlan(), hcl.Diagnostics{warning}); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan_changes.json", out.String())
	validate(t, "plan.json", out.Bytes())

	out.Reset()
	if err := WritePlanJSON(&out, nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unknown step"}}); err != nil {
		t.Fatal(err)
	}
	validate(t, "plan.json", out.Bytes())
}
