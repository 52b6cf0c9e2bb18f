package runbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// notices writes what tells people: "notify.chat succeeded,failed core.log".
func notices(rb *runbook.Runbook) []string {
	var lines []string
	for _, n := range rb.Notices {
		lines = append(lines, fmt.Sprint(n.Address(), n.On, n.After, n.When != nil, n.Action.Type()))
	}
	return lines
}

// What an included file tells people counts, and what that needs is reached.
func TestNoticesOfAnIncludedFile(t *testing.T) {
	rb := loadFile(t, "testdata/good/recovery.hcl")
	want := []string{
		fmt.Sprint("notify.chat", []string{"failed", "succeeded"}, time.Duration(0), false, "core.log"),
		fmt.Sprint("escalation.lead", []string(nil), 15*time.Minute, true, "core.log"),
	}
	if diff := cmp.Diff(want, notices(rb)); diff != "" {
		t.Error(diff)
	}
}

// What a called runbook would tell does not count, and nothing is asked for it.
func TestNoticesOfACalledRunbook(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"outer.hcl": "runbook \"outer\" {}\nstep \"a\" {\n  call {\n    runbook = \"./inner.hcl\"\n  }\n}\n",
		"inner.hcl": "runbook \"inner\" {\n  include = [\"shared.hcl\"]\n}\n",
		"shared.hcl": "variable \"token\" {}\nprovider \"mlflow\" {\n  tracking_uri = var.token\n}\n" +
			"notify \"chat\" {\n  on = [\"failed\"]\n  action \"mlflow.log\" {}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inner := loadFile(t, filepath.Join(dir, "outer.hcl")).Steps[0].Call.Runbook
	if len(inner.Notices) != 0 || inner.Variables["token"].Reached || len(inner.Providers) != 0 {
		t.Errorf("called: %v, token reached: %t, providers: %v", notices(inner), inner.Variables["token"].Reached, inner.Providers)
	}
	alone := loadFile(t, filepath.Join(dir, "inner.hcl"))
	if len(alone.Notices) != 1 || !alone.Variables["token"].Reached || len(alone.Providers) != 1 {
		t.Errorf("alone: %v, token reached: %t, providers: %v", notices(alone), alone.Variables["token"].Reached, alone.Providers)
	}
}

// A file cannot have people told without end.
func TestTooManyNotices(t *testing.T) {
	var source strings.Builder
	source.WriteString("runbook \"x\" {}\n")
	for i := range 101 {
		fmt.Fprintf(&source, "notify \"n%d\" {\n  on = [\"failed\"]\n  action \"core.log\" {\n    message = \"x\"\n  }\n}\n", i)
	}
	diags := load(t, source.String())
	if len(diags) != 1 || !strings.Contains(text(diags[0]), "There are 101 notifies and escalations; 100 is the most") || diags[0].Subject.Start.Line != 2+100*6 {
		t.Error(diags)
	}
}
