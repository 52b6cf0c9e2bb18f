package runbooks_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// breakGlass writes a runbook's break-glass script, and does what a person would
// who has no runbook any more.
func breakGlass(t *testing.T, file string) (script string) {
	t.Helper()
	r := runbook(t, "shell", file)
	if r.code != 0 {
		t.Fatalf("shell: exit %d\n%s", r.code, r.stderr)
	}
	if secret := shared.values["POSTGRES_PASSWORD"]; strings.Contains(r.stdout, secret) {
		t.Fatal("the script holds the password")
	}
	script = filepath.Join(t.TempDir(), "break_glass.sh")
	if err := os.WriteFile(script, []byte(r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	return script
}

// byHand runs a script as somebody who is not at a terminal.
func byHand(t *testing.T, script string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", script)
	cmd.Env = append(slices.Clone(shared.env), "PATIENCE=10") // each look starts Feast anew
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if strings.Contains(stdout.String()+stderr.String(), shared.values["POSTGRES_PASSWORD"]) {
		t.Error("the script shows the password")
	}
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// The break-glass script repairs by itself what apply repairs, without runbook.
func TestBreakGlassRepairs(t *testing.T) {
	script := breakGlass(t, postgresToFeast)
	for _, scenario := range []string{"stale-online-store", "flushed-redis", "registry-lost"} {
		t.Run(scenario, func(t *testing.T) {
			labDo(t, "reset", "postgres", "redis", "feast")
			labDo(t, "break", scenario)
			others := otherKeys(t)
			if r := byHand(t, script); r.code != 0 {
				t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
			}
			if diff := cmp.Diff(others, otherKeys(t)); diff != "" {
				t.Errorf("keys that are not Feast's changed (-before +after):\n%s", diff)
			}
			if p, _ := planned(t, postgresToFeast); p.Outcome != "nothing_to_do" {
				t.Errorf("the next plan: %q", p.Outcome)
			}
		})
	}
}

// Where apply is blocked the script is too: it names the guard and changes
// nothing.
func TestBreakGlassBlocked(t *testing.T) {
	script := breakGlass(t, postgresToFeast)
	for scenario, guard := range map[string]string{
		"stale-source":        "step.source blocked: step.source.precondition.bars: ",
		"redis-down":          "step.stores blocked: step.stores.precondition.redis: ",
		"postgres-blackholed": "step.stores blocked: step.stores.precondition.postgres: ",
	} {
		t.Run(scenario, func(t *testing.T) {
			labDo(t, "reset", "postgres", "redis", "feast")
			labDo(t, "break", scenario)
			before, after := t.TempDir(), t.TempDir()
			labDo(t, "dump", before)
			r := byHand(t, script)
			if r.code != 3 || !strings.Contains(r.stderr, "\n"+guard) {
				t.Errorf("exit %d, want 3 and %q\n%s%s", r.code, guard, r.stdout, r.stderr)
			}
			labDo(t, "dump", after)
			if out, err := exec.Command("diff", "-r", before, after).CombinedOutput(); err != nil {
				t.Errorf("something was changed:\n%s", out)
			}
		})
	}
}
