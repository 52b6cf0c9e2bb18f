package export

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with testdata/NAME.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// mixedPlan has a decision of each kind for testdata/mixed.hcl, and a step with
// instances; a_b is not in it.
func mixedPlan() *plan.Plan {
	return &plan.Plan{Steps: []plan.Step{
		{Address: "step.a-b", Decision: "run", Reason: "reads <the> time & date"},
		{Address: `step.end["one"]`, Decision: "run", Destructive: true, Approval: true},
		{Address: `step.end["two"]`, Decision: "satisfied"},
		{Address: `step.end["three"]`, Decision: "run", Tentative: true},
		{Address: "step.skipped", Decision: "skipped", Reason: "`when` is false"},
		{Address: "step.locked", Decision: "blocked", Reason: `the "door" is locked`},
		{Address: "step.last", Decision: "satisfied", Tentative: true},
		{Address: "step.writers", Decision: "deferred"},
	}}
}

func TestFormats(t *testing.T) {
	rb := load(t, filepath.Join("testdata", "mixed.hcl"))
	for _, c := range []struct {
		name string
		plan *plan.Plan
	}{{"mixed", nil}, {"planned", mixedPlan()}} {
		for format, write := range formats() {
			t.Run(c.name+"."+format, func(t *testing.T) {
				var text bytes.Buffer
				if err := write(Draw(rb, c.plan), &text); err != nil {
					t.Fatal(err)
				}
				golden(t, c.name+"."+format, text.Bytes())
			})
		}
	}
}

func formats() map[string]func(*Drawing, io.Writer) error {
	return map[string]func(*Drawing, io.Writer) error{
		"dot": (*Drawing).WriteDOT, "mmd": (*Drawing).WriteMermaid, "svg": (*Drawing).WriteSVG,
	}
}

func load(t testing.TB, file string) *runbook.Runbook {
	t.Helper()
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return rb
}
