package engine

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/rehearse"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/bundled"
)

// offline is an engine that could start no provider: its executable is not there.
func offline(dir string) *Engine {
	return New(Options{
		Catalog: bundled.NewCatalog(bundled.Providers(), "core"), Executable: filepath.Join(dir, "missing"),
		StoreDir: filepath.Join(dir, store.Folder),
	})
}

// seeds adds every HCL file of the repository that a fuzz target may begin with.
func seeds(f *testing.F, patterns ...string) {
	f.Helper()
	found := 0
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
			found++
		}
	}
	if found < 10 {
		f.Fatalf("only %d seeds", found)
	}
}

// FuzzPlan plans anything that is valid, offline. There is a plan or an error, what
// the plan says are words that there are, its JSON can be read again, and planning
// once more says the same.
func FuzzPlan(f *testing.F) {
	seeds(f, "runbook/testdata/good/*.hcl", "../examples/*/*.hcl", "../runbooks/*.hcl")
	dir := f.TempDir()
	file := filepath.Join(dir, "x.hcl")
	e := offline(dir)
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		rb, diags := e.Validate(context.Background(), file)
		if diags.HasErrors() {
			return
		}
		in := Inputs{Environ: func(string) (string, bool) { return "", false }}
		p, diags := e.Plan(context.Background(), rb, in, PlanOptions{Offline: true})
		if (p == nil) != diags.HasErrors() {
			t.Fatalf("plan %v, %v", p, diags)
		}
		if p == nil {
			return
		}
		for _, s := range p.Steps {
			switch plan.Verdict(s.Decision) {
			case plan.Run, plan.Satisfied, plan.Skipped, plan.Block, plan.Deferred:
			default:
				t.Errorf("%s is decided to be %q", s.Address, s.Decision)
			}
			for _, checks := range [][]plan.Check{s.Preconditions, s.Goals} {
				for _, c := range checks {
					if c.Probe != "" && c.Holds != nil {
						t.Errorf("%s: %s was looked at", s.Address, c.Name)
					}
				}
			}
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var again plan.Plan
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), "run.") { // the ID and the time are new each time
			return
		}
		if once, _ := e.Plan(context.Background(), rb, in, PlanOptions{Offline: true}); once == nil || once.Digest != p.Digest {
			t.Errorf("planned again, it is another plan")
		}
	})
}

// FuzzRehearse reads anything as the tests of a runbook, and runs them.
func FuzzRehearse(f *testing.F) {
	seeds(f, "../examples/*/*_test.hcl", "../runbooks/*_test.hcl", "rehearse/testdata/*/*_test.hcl", "runbook/testdata/broken/*.hcl")
	dir := f.TempDir()
	file := filepath.Join(dir, "restart_test.hcl")
	source, err := os.ReadFile("../examples/27-testing/restart.hcl")
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "restart.hcl"), source, 0o600); err != nil {
		f.Fatal(err)
	}
	e := offline(dir)
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		e.Rehearse(ctx, file, nil, rehearse.Options{}, func(r rehearse.Result) {
			for _, p := range r.Problems {
				if strings.Contains(p, "bug") || strings.Contains(p, "panic") {
					t.Error(p)
				}
			}
			if r.OK() && r.Outcome == "" {
				t.Errorf("%s passed and came to nothing", r.Name)
			}
		})
	})
}
