package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/bundled"
)

// A provider that has another version, hash or schema than the plan was made with
// is refused, and both are named.
func TestSavedPlanOfAnotherProvider(t *testing.T) {
	dir := t.TempDir()
	e := New(Options{Catalog: bundled.NewCatalog(bundled.Providers(), "core"), StoreDir: filepath.Join(dir, store.Folder)})
	file := filepath.Join(dir, "greet.hcl")
	must(t, os.WriteFile(file, []byte("runbook \"greet\" {}\nstep \"greet\" {\n  action \"core.log\" {\n    message = \"hello\"\n  }\n}\n"), 0o600))
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out := filepath.Join(dir, "greet.plan")
	if _, diags := e.Plan(t.Context(), rb, Inputs{}, PlanOptions{Out: out, ValidFor: time.Hour, Saved: func(*plan.Saved) {}}); diags.HasErrors() {
		t.Fatal(diags)
	}
	saved, err := e.ReadSaved(out)
	must(t, err)

	made := saved.Start.Providers["core"]
	at := strings.Index(made, "schema ")
	if at < 0 {
		t.Fatalf("no schema in %q", made)
	}
	saved.Start.Providers["core"] = made[:at] + "schema 000000000000"
	result, _, err := e.ApplySaved(t.Context(), rb, saved, ApplyOptions{Screen: nowhere{}})
	var stale *StaleError
	if !errors.As(err, &stale) || !strings.Contains(err.Error(), made) || !strings.Contains(err.Error(), saved.Start.Providers["core"]) {
		t.Errorf("got %v", err)
	}
	if result.Run != "" {
		t.Error("there is a run")
	}

	saved.Start.Providers["core"] = made
	result, _, err = e.ApplySaved(t.Context(), rb, saved, ApplyOptions{Screen: nowhere{}})
	must(t, err)
	if result.Outcome != "succeeded" {
		t.Errorf("got %q", result.Outcome)
	}
}

// Of two who apply one plan at the same time, the later one has no run: none on
// record, and none that is locked.
func TestSavedPlanThatBecomesARunMeanwhile(t *testing.T) {
	dir := t.TempDir()
	e := New(Options{Catalog: bundled.NewCatalog(bundled.Providers(), "core"), StoreDir: filepath.Join(dir, store.Folder)})
	file := filepath.Join(dir, "greet.hcl")
	must(t, os.WriteFile(file, []byte("runbook \"greet\" {}\n"), 0o600))
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out := filepath.Join(dir, "greet.plan")
	if _, diags := e.Plan(t.Context(), rb, Inputs{}, PlanOptions{Out: out, ValidFor: time.Hour, Saved: func(*plan.Saved) {}}); diags.HasErrors() {
		t.Fatal(diags)
	}
	saved, err := e.ReadSaved(out)
	must(t, err)
	st, err := e.Store()
	must(t, err)

	_, _, err = e.ApplySaved(t.Context(), rb, saved, ApplyOptions{Screen: nowhere{}, Planned: func(*plan.Plan) {
		must(t, st.UsePlan(saved.Digest, "20260117-030000-aaaa")) // by the other
	}})
	var used *store.UsedError
	if !errors.As(err, &used) {
		t.Fatalf("got %v", err)
	}
	runs, err := st.Runs()
	must(t, err)
	claims, err := st.List()
	must(t, err)
	if len(runs) > 0 || len(claims) > 0 {
		t.Errorf("there is a run %+v, which holds %+v", runs, claims)
	}
}
