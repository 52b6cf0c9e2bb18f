package runbooks_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// trial is one way in which the lab is broken, and what a runbook does about it:
// the plan names what is needed, apply does just that, an independent look finds
// it right, and the next plan finds nothing to do.
type trial struct {
	runbook  string   // without .hcl
	scenario string   // of the lab; several are joined by +
	rooms    []string // the rooms that it may change; none: all
	approve  []string // steps that a person lets go on
	planned  map[string]string
	look     func(t *testing.T) // by the backend's own client
	timed    func(t *testing.T, p plan, all []happened)

	// What cannot be mended: nothing is changed, and this is said.
	code int
	said string
}

var predicted = flag.Bool("predicted", false, "plan and apply only, and write docs/predicted.md anew")

// TestTrials breaks the lab in every way that a runbook is made for. What the plans
// had said and what the runs did is compared, and written to docs/predicted.md
// where -predicted asks for it.
func TestTrials(t *testing.T) {
	trials := slices.Concat(featureTrials, datasetTrials, historyTrials, modelTrials, pointerTrials, checklistTrials, fullTrials)
	var found []compared
	for _, tr := range trials {
		t.Run(tr.runbook+"/"+tr.scenario, func(t *testing.T) { found = append(found, tr.run(t)) })
	}
	if len(found) == len(trials) && !t.Failed() { // not where -run names some of them
		holdPredicted(t, found)
	}
}

func (tr trial) run(t *testing.T) compared {
	labDo(t, append([]string{"reset"}, tr.rooms...)...)
	for scenario := range strings.SplitSeq(tr.scenario, "+") {
		labDo(t, "break", scenario)
	}
	if tr.code != 0 {
		defer labDo(t, append([]string{"reset"}, tr.rooms...)...) // what is down is nobody else's room
		var c compared
		changesNothing(t, func() { c = tr.refused(t) })
		return c
	}
	file := tr.runbook + ".hcl"
	others := otherKeys(t)
	p, decisions := planned(t, file)
	if p.Outcome != "changes" {
		t.Errorf("outcome %q", p.Outcome)
	}
	tr.compare(t, p, decisions)
	args := []string{"apply", file, "--auto-approve", "--json"}
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
	all := events(t, r.stdout)
	if *predicted {
		return compare(tr, p, all)
	}
	tr.look(t)
	if again, decisions := planned(t, file); again.Outcome != "nothing_to_do" {
		t.Errorf("the next plan: %q: %v", again.Outcome, decisions)
	}
	if tr.timed != nil {
		tr.timed(t, p, all)
	}
	return compare(tr, p, all)
}

// refused is a run that can do nothing about it: it says so, no later than its
// looks may take.
func (tr trial) refused(t *testing.T) compared {
	t.Helper()
	file := tr.runbook + ".hcl"
	p, decisions := planned(t, file)
	tr.compare(t, p, decisions)
	bound := looks(t, file, p) + slack
	begun := time.Now()
	r := runbook(t, "apply", file, "--auto-approve", "--json")
	if took := time.Since(begun); tr.code == 3 && took > bound {
		t.Errorf("took %s, its looks may take %s", took, bound)
	} else {
		t.Logf("took %s of %s", took.Round(time.Millisecond), bound)
	}
	if r.code != tr.code {
		t.Errorf("exit %d, want %d\n%s%s", r.code, tr.code, r.stdout, r.stderr)
	}
	said := os.Expand(tr.said, func(name string) string { return shared.values[name] })
	if !strings.Contains(r.stdout+r.stderr, said) {
		t.Errorf("%q is not in\n%s%s", said, r.stdout, r.stderr)
	}
	return compare(tr, p, events(t, r.stdout))
}

func (tr trial) compare(t *testing.T, p plan, decisions map[string]string) {
	t.Helper()
	if diff := cmp.Diff(tr.planned, named(p, decisions)); diff != "" {
		t.Errorf("what the plan names, besides what is satisfied (-want +got):\n%s", diff)
		for _, s := range p.Steps {
			t.Logf("%s: %s", s.Address, s.Reason)
		}
	}
}

var instance = regexp.MustCompile(`\[".*"\]`)

// named is what the plan names besides what is satisfied and what is only read,
// by step; of a step's instances how many.
func named(p plan, decisions map[string]string) map[string]string {
	found, of := map[string]string{}, map[string]int{}
	for _, s := range p.Steps {
		step := strings.TrimPrefix(s.Address, "step.")
		decision := decisions[step]
		reads := s.Action == "" && len(s.Preconditions)+len(s.Verify) == 0
		if s.Decision == "satisfied" || s.Decision == "run" && reads {
			continue
		}
		if each := instance.ReplaceAllString(step, "[*]"); each != step {
			of[each]++
			step, decision = each, fmt.Sprintf("%d %s", of[each], decision)
		}
		found[step] = decision
	}
	return found
}

// happened is what is read of an event.
type happened struct {
	Type, Step, Status, Message string
	Time                        time.Time
	Attempt                     struct {
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
