package runbooks_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const postgresToFeast = "postgres_to_feast.hcl"

var feastRooms = []string{"postgres", "redis", "feast"}

var featureTrials = []trial{
	{
		runbook: "postgres_to_feast", scenario: "stale-online-store", rooms: feastRooms,
		planned: map[string]string{"purge": "skipped", "materialize_full": "skipped", "materialize": "run", "inference": "run (tentative)"},
		look:    featuresAreServed,
	},
	{
		runbook: "postgres_to_feast", scenario: "flushed-redis", rooms: feastRooms,
		planned: map[string]string{"purge": "skipped", "materialize_full": "run", "materialize": "skipped", "inference": "run (tentative)"},
		look:    featuresAreServed,
	},
	{
		runbook: "postgres_to_feast", scenario: "registry-lost", rooms: feastRooms,
		planned: map[string]string{"registry": "run", "purge": "skipped", "materialize_full": "skipped", "materialize": "run (tentative)", "inference": "run (tentative)"},
		look:    featuresAreServed,
	},
	{
		runbook: "postgres_to_feast", scenario: "stale-source", rooms: feastRooms,
		planned: map[string]string{"source": "blocked", "registry": "blocked", "purge": "blocked", "materialize_full": "blocked", "materialize": "blocked", "inference": "blocked"},
		code:    3, said: "usdcop_m5_ohlcv",
	},
	{
		runbook: "postgres_to_feast", scenario: "redis-down", rooms: feastRooms,
		planned: map[string]string{"stores": "blocked", "source": "blocked", "registry": "blocked", "purge": "blocked", "materialize_full": "blocked", "materialize": "blocked", "inference": "blocked"},
		code:    3, said: ":${REDIS_PORT}",
	},
	{
		runbook: "postgres_to_feast", scenario: "postgres-blackholed", rooms: feastRooms,
		planned: map[string]string{"stores": "blocked", "source": "blocked", "registry": "blocked", "purge": "blocked", "materialize_full": "blocked", "materialize": "blocked", "inference": "blocked"},
		code:    3, said: ":${POSTGRES_PORT}",
	},
}

// featuresAreServed asks Feast's own library for what inference reads, and
// compares it with what PostgreSQL has.
func featuresAreServed(t *testing.T) {
	t.Helper()
	scratch(t, shared.values["FEAST_REPO"], []string{"PYTHONDONTWRITEBYTECODE=1"}, shared.values["LAB_FEAST_PYTHON"], "-O", "-c", `
import os, psycopg
from feast import FeatureStore

names = ["rsi_9", "log_ret_5m", "log_ret_1h", "atr_pct_9"]
with psycopg.connect(host=os.environ["POSTGRES_HOST"], port=os.environ["POSTGRES_PORT"], dbname=os.environ["POSTGRES_DB"],
                     user=os.environ["POSTGRES_USER"], password=os.environ["POSTGRES_PASSWORD"]) as db:
    newest = db.execute("SELECT DISTINCT ON (symbol) symbol, " + ", ".join(names) + " FROM technical_features ORDER BY symbol, event_timestamp DESC").fetchall()
if len(newest) != 2: # -O, by which Feast starts in half the time, knows no assert
    raise SystemExit(newest)
for symbol, *values in newest:
    served = FeatureStore(".").get_online_features(features=["technical_features:" + n for n in names], entity_rows=[{"symbol": symbol}]).to_dict()
    for name, value in zip(names, values):
        if abs(served[name][0] - float(value)) > 1e-9:
            raise SystemExit((symbol, name, served, value))
`)
}

func TestHealthyHasNothingToDo(t *testing.T) {
	labDo(t, "reset")
	before, after := t.TempDir(), t.TempDir()
	labDo(t, "dump", before)
	p, decisions := planned(t, postgresToFeast)
	labDo(t, "dump", after)
	if p.Outcome != "nothing_to_do" {
		t.Errorf("outcome %q", p.Outcome)
	}
	want := map[string]string{
		"stores": "satisfied", "source": "satisfied", "registry": "satisfied", "purge": "skipped",
		"materialize_full": "skipped", "materialize": "satisfied", "inference": "run",
	}
	if diff := cmp.Diff(want, decisions); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	if out, err := exec.Command("diff", "-r", before, after).CombinedOutput(); err != nil {
		t.Errorf("the plan changed something:\n%s", out)
	}
}

// The engine is killed inside materialize. What had worked is found done and not
// done again; what had not is done once more. Feast itself, killed before it has
// committed its registry, leaves a view that it refuses to serve: that has not
// worked, though the features are written.
func TestKilledInMaterialize(t *testing.T) {
	registry := filepath.Join(shared.values["FEAST_REPO"], "data", "registry.db")
	contents := func(t *testing.T) string {
		t.Helper()
		text, err := os.ReadFile(registry)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Run("before it has worked", func(t *testing.T) {
		killed := startMaterialize(t)
		before := contents(t)
		waitFor(t, "the registry to say that Feast is at work", func() bool { return contents(t) != before })
		killed()
		begun, _ := resumed(t)
		if begun != 1 {
			t.Errorf("materialize was begun %d times more, want 1", begun)
		}
	})
	t.Run("once it has worked", func(t *testing.T) {
		killed := startMaterialize(t)
		before := contents(t)
		waitFor(t, "the registry to say that Feast is at work", func() bool { return contents(t) != before })
		during := contents(t)
		waitFor(t, "the registry to say that Feast is done", func() bool { now := contents(t); return now != during && now != "" })
		killed()
		begun, settled := resumed(t)
		if begun != 0 || settled != "goal" {
			t.Errorf("materialize was begun %d times more and settled by %q, want 0 and the goal", begun, settled)
		}
	})
}

// startMaterialize breaks the lab, starts an apply and returns once it
// materializes; the function kills the engine and waits until nothing is left.
func startMaterialize(t *testing.T) (kill func()) {
	t.Helper()
	labDo(t, "reset")
	labDo(t, "break", "stale-online-store")
	cmd := exec.Command(shared.program, "apply", postgresToFeast, "--auto-approve", "--json")
	cmd.Env = shared.env
	events, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e struct{ Type, Step string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		if e.Type == "action_started" && e.Step == "step.materialize" {
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				for lines.Scan() {
				}
			}()
			return func() {
				t.Helper()
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				<-drained
				_ = cmd.Wait() // killed: its exit says nothing
				nothingLeft(t)
			}
		}
	}
	t.Fatalf("materialize never began: %v", lines.Err())
	return nil
}

// resumed resumes the last run, which must succeed, and tells how often
// materialize was begun again and how its first attempt was settled.
func resumed(t *testing.T) (begun int, settled string) {
	t.Helper()
	r := runbook(t, "resume", "last", "--json")
	if r.code != 0 {
		t.Fatalf("resume: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for line := range strings.Lines(r.stdout) {
		var e struct {
			Type, Step string
			Attempt    struct{ Settled string }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Step != "step.materialize" {
			continue
		}
		if e.Type == "action_started" {
			begun++
		}
		if e.Attempt.Settled != "" {
			settled = e.Attempt.Settled
		}
	}
	nothingLeft(t)
	if p, _ := planned(t, postgresToFeast); p.Outcome != "nothing_to_do" {
		t.Errorf("the next plan: %q", p.Outcome)
	}
	return begun, settled
}

// waitFor looks until something is so, for a minute.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(time.Minute); !so(); <-pause.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

// nothingLeft waits until no process of the program is left, nor one that it
// started.
func nothingLeft(t *testing.T) {
	t.Helper()
	left := ""
	defer func() {
		if t.Failed() && left != "" {
			t.Logf("left behind:\n%s", left)
		}
	}()
	waitFor(t, "every process to end", func() bool { left = processes(t); return left == "" })
}

// processes lists those of the program and those that work in the lab's
// repository for it.
func processes(t *testing.T) string {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	left := ""
	for _, dir := range dirs {
		exe, _ := os.Readlink(filepath.Join(dir, "exe")) // gone, or not ours to see
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		words := strings.ReplaceAll(string(cmdline), "\x00", " ")
		if exe == shared.program || strings.Contains(words, "feasthelper") && strings.HasPrefix(words, shared.values["FEAST_PYTHON"]) && ours(dir) {
			left += dir + " " + strings.TrimSpace(words) + "\n"
		}
	}
	return left
}

// ours tells whether a process has the lab's password in its environment.
func ours(dir string) bool {
	environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
	return strings.Contains(string(environ), shared.values["POSTGRES_PASSWORD"])
}
