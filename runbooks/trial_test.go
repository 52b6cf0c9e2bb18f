package runbooks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// trial is one way in which the lab is broken, and what a runbook does about it:
// the plan names what is needed, apply does just that, an independent look finds
// it right, and the next plan finds nothing to do.
type trial struct {
	runbook  string   // without .hcl
	scenario string   // of the lab
	rooms    []string // the rooms that it may change
	args     []string // of plan and apply
	approve  []string // steps that a person lets go on
	planned  map[string]string
	look     func(t *testing.T) // by the backend's own client
}

// TestTrials breaks the lab in every way that a runbook is made for.
func TestTrials(t *testing.T) {
	for _, tr := range slices.Concat(datasetTrials) {
		t.Run(tr.runbook+"/"+tr.scenario, func(t *testing.T) { t.Log(tr.run(t)) })
	}
}

func (tr trial) run(t *testing.T) compared {
	labDo(t, append([]string{"reset"}, tr.rooms...)...)
	labDo(t, "break", tr.scenario)
	file := tr.runbook + ".hcl"
	others := otherKeys(t)
	p, decisions := planned(t, file, tr.args...)
	if p.Outcome != "changes" {
		t.Errorf("outcome %q", p.Outcome)
	}
	named := maps.Clone(decisions)
	maps.DeleteFunc(named, func(_, decision string) bool { return decision == "satisfied" })
	if diff := cmp.Diff(tr.planned, named); diff != "" {
		t.Errorf("what the plan names, besides what is satisfied (-want +got):\n%s", diff)
		for _, s := range p.Steps {
			t.Logf("%s: %s", s.Address, s.Reason)
		}
	}
	args := append([]string{"apply", file, "--auto-approve", "--json"}, tr.args...)
	for _, step := range tr.approve {
		args = append(args, "--approve", step)
	}
	r := runbook(t, args...)
	if r.code != 0 {
		t.Fatalf("apply: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if diff := cmp.Diff(others, otherKeys(t)); diff != "" {
		t.Errorf("keys that are not Feast's changed (-before +after):\n%s", diff)
	}
	if tr.look != nil {
		tr.look(t)
	}
	if again, decisions := planned(t, file, tr.args...); again.Outcome != "nothing_to_do" {
		t.Errorf("the next plan: %q: %v", again.Outcome, decisions)
	}
	return compare(tr, p, events(t, r.stdout))
}

// happened is what is read of an event.
type happened struct {
	Type, Step, Status string
	Time               string
	Attempt            struct {
		Action string
		State  string
		Impact map[string]int64
		Result struct{ Value map[string]any }
	}
}

func events(t *testing.T, stdout string) []happened {
	t.Helper()
	var all []happened
	for line := range strings.Lines(stdout) {
		var e happened
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, e)
	}
	return all
}

// scratch runs a program in a folder, with the lab's environment and more, and
// returns what it printed; it must succeed.
func scratch(t *testing.T, dir string, env []string, argv ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(slices.Clone(shared.env), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// dvcEnv is what DVC itself, run by a person, needs for the lab's remotes.
func dvcEnv() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + shared.values["MINIO_ACCESS_KEY"], "AWS_SECRET_ACCESS_KEY=" + shared.values["MINIO_SECRET_KEY"],
		"DVC_NO_ANALYTICS=1", "GIT_CONFIG_GLOBAL=/dev/null",
	}
}

// cloneHasData clones what is on the git remote and pulls its data from MinIO
// with DVC itself, into nothing: whoever starts from the remotes has all of it.
// Every file is then as in the work tree.
func cloneHasData(t *testing.T) {
	t.Helper()
	repo := shared.values["DVC_REPO"]
	clone := filepath.Join(t.TempDir(), "clone")
	scratch(t, t.TempDir(), dvcEnv(), "git", "clone", "--quiet", filepath.Join(shared.values["LAB_GIT"], "origin.git"), clone)
	local, err := os.ReadFile(filepath.Join(repo, ".dvc", "config.local"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(clone, ".dvc", "config.local"), local, 0o600); err != nil {
		t.Fatal(err)
	}
	scratch(t, clone, dvcEnv(), shared.values["LAB_DVC"], "pull", "--quiet", "--remote", "minio")
	scratch(t, clone, nil, "diff", "-r", "data", filepath.Join(repo, "data"))
}

// compared is how a run went, against what its plan had said.
type compared struct {
	trial  trial
	steps  []comparedStep
	counts []comparedCount
}

type comparedStep struct {
	step, decision, status string
	equal                  bool
}

type comparedCount struct {
	step, unit        string
	predicted, actual int64
}

// statuses are how a step may end of which a plan has said this.
var statuses = map[string][]string{
	"run":       {"done"},
	"satisfied": {"satisfied"},
	"skipped":   {"skipped"},
	"blocked":   {"blocked", "not_run"},
}

func compare(tr trial, p plan, happened []happened) compared {
	ended := map[string]string{}
	did := map[string]map[string]any{}
	for _, e := range happened {
		switch {
		case e.Type == "step_finished":
			ended[e.Step] = e.Status
		case e.Type == "action_finished" && e.Attempt.State == "done":
			did[e.Step] = e.Attempt.Result.Value
		}
	}
	c := compared{trial: tr}
	for _, s := range p.Steps {
		status := ended[s.Address]
		c.steps = append(c.steps, comparedStep{s.Address, s.Decision, status, slices.Contains(statuses[s.Decision], status)})
		for _, unit := range slices.Sorted(maps.Keys(s.Impact)) {
			if actual, ok := counted(did[s.Address], s.Action, unit); ok {
				c.counts = append(c.counts, comparedCount{s.Address, unit, s.Impact[unit], actual})
			}
		}
	}
	return c
}

// counted is how much an action did, in a unit of its preview: the field of that
// name, or how many such a field lists.
func counted(result map[string]any, action, unit string) (int64, bool) {
	if strings.HasPrefix(action, "feast.") && unit == "keys" {
		unit = "rows_written" // a key for each row, in Redis
	}
	switch v := result[unit].(type) {
	case float64:
		return int64(v), true
	case []any:
		return int64(len(v)), true
	}
	return 0, false
}

func (c compared) String() string {
	text := ""
	for _, s := range c.steps {
		text += fmt.Sprintf("%s: %s, %s\n", s.step, s.decision, s.status)
	}
	for _, n := range c.counts {
		text += fmt.Sprintf("%s: %d %s, %d\n", n.step, n.predicted, n.unit, n.actual)
	}
	return text
}
