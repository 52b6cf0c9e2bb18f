package runbooks_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var everyRoom []string // none named: all of them

// everything is the lab broken in four places at once.
const everything = "stale-online-store+dvc-remote-incomplete+mlflow-artifacts-lost+dvc-pointers-untracked"

var fullTrials = []trial{{
	runbook: "sync_recovery", scenario: everything, rooms: everyRoom,
	planned: map[string]string{
		"datasets.step.push": "run", "datasets.step.dataset": "run (tentative)",
		"features.step.purge": "skipped", "features.step.materialize_full": "skipped", "features.step.materialize": "run", "features.step.inference": "run (tentative)",
		"models.step.artifacts[*]": "3 run", "models.step.models[*]": "3 run (tentative)", "models.step.champion": "run (tentative)",
		"pointers.step.data": "run (tentative)", "pointers.step.stage": "run (tentative)", "pointers.step.commit": "run (tentative)", "pointers.step.push": "run (tentative)", "pointers.step.proof": "run (tentative)",
		"checklist.step.bars": "run (tentative)", "checklist.step.features": "run (tentative)", "checklist.step.datasets": "run (tentative)",
		"checklist.step.models": "run (tentative)", "checklist.step.predictions": "run (tentative)", "checklist.step.services": "run (tentative)",
	},
	look: func(t *testing.T) {
		featuresAreServed(t)
		cloneHasData(t)
		modelsLoad(t)
	},
	timed: sideBySide,
}}

// binds are the steps that each call of sync_recovery comes after.
var binds = map[string][]string{
	"datasets": {"minio"}, "features": {"postgres", "redis"}, "models": {"minio", "mlflow"}, "pointers": {"datasets"},
	"checklist": {"postgres", "redis", "minio", "mlflow", "datasets", "features", "models", "pointers"},
}

// span is when a step ran.
type span struct {
	step       string
	from, till time.Time
}

// spans are those of the steps that called runbooks have, and of all others that
// call none, in the order of the plan.
func spans(p plan, all []happened) []span {
	began, ended := map[string]time.Time{}, map[string]time.Time{}
	for _, e := range all {
		switch e.Type {
		case "step_started":
			began[e.Step] = e.Time
		case "step_finished":
			ended[e.Step] = e.Time
		}
	}
	var found []span
	for _, s := range p.Steps {
		name := strings.TrimPrefix(s.Address, "step.")
		if from, ran := began[s.Address]; ran && binds[name] == nil {
			found = append(found, span{name, from, ended[s.Address]})
		}
	}
	return found
}

func call(step string) string { name, _, _ := strings.Cut(step, "."); return name }

// of are the spans of one call, or of one step.
func of(all []span, name string) []span {
	return slices.DeleteFunc(slices.Clone(all), func(s span) bool { return call(s.step) != name })
}

func first(all []span) time.Time {
	return slices.MinFunc(all, func(a, b span) int { return a.from.Compare(b.from) }).from
}

func last(all []span) span {
	return slices.MaxFunc(all, func(a, b span) int { return a.till.Compare(b.till) })
}

// before are the steps that a step comes after.
func before(all []span, s span) []span {
	var found []span
	mine := instance.ReplaceAllString(s.step, "")
	if of := call(s.step); of != "checklist" && of != s.step {
		for _, other := range all {
			if instance.ReplaceAllString(other.step, "") == mine {
				break
			}
			if call(other.step) == of {
				found = append(found, other)
			}
		}
	}
	if len(found) > 0 {
		return found
	}
	for _, name := range binds[call(s.step)] {
		found = append(found, of(all, name)...)
	}
	return found
}

// sideBySide holds the times on record against what was promised: branches that
// nothing binds overlap for four fifths of the shorter one, and on the critical path
// nothing waits but for what it needs: a millisecond in sum is usual, also on a
// machine that is busy, and two seconds are granted.
func sideBySide(t *testing.T, p plan, all []happened) {
	t.Helper()
	ran := spans(p, all)
	branches := []string{"datasets", "features", "models"}
	for i, a := range branches {
		for _, b := range branches[i+1:] {
			one, other := of(ran, a), of(ran, b)
			from := slices.MaxFunc([]time.Time{first(one), first(other)}, time.Time.Compare)
			till := slices.MinFunc([]time.Time{last(one).till, last(other).till}, time.Time.Compare)
			shorter := min(last(one).till.Sub(first(one)), last(other).till.Sub(first(other)))
			share := float64(till.Sub(from)) / float64(shorter)
			t.Logf("%s and %s overlap for %.0f %% of the shorter one, %s", a, b, 100*share, shorter.Round(time.Millisecond))
			if share < 0.8 {
				t.Errorf("%s and %s overlap for %.0f %% of the shorter one", a, b, 100*share)
			}
		}
	}
	end := last(ran)
	var idle time.Duration
	path := []string{end.step}
	at := end
	for {
		needed := before(ran, at)
		if len(needed) == 0 {
			break
		}
		cause := last(needed)
		idle += max(0, at.from.Sub(cause.till))
		at = cause
		path = append(path, at.step)
	}
	slices.Reverse(path)
	whole := end.till.Sub(at.from)
	t.Logf("on the critical path of %s nothing ran for %s: %s", whole.Round(time.Millisecond), idle.Round(time.Millisecond), strings.Join(path, ", "))
	if idle > 2*time.Second {
		t.Errorf("nothing of the critical path ran for %s", idle)
	}
}

// With one branch beyond repair the others are repaired, and the checklist says
// which of its lines does not hold.
func TestOneBranchBeyondRepair(t *testing.T) {
	labDo(t, "reset")
	for _, scenario := range []string{"stale-online-store", "mlflow-artifacts-lost", "dvc-version-lost"} {
		labDo(t, "break", scenario)
	}
	p, _ := planned(t, "sync_recovery.hcl")
	told := sink(t)
	r := runbook(t, "apply", "sync_recovery.hcl", "--auto-approve", "--json", "--var", "team_webhook="+told.url+"/team", "--var", "emergency_webhook="+told.url+"/emergency")
	if r.code != 1 {
		t.Errorf("exit %d, want 1\n%s%s", r.code, r.stdout, r.stderr)
	}
	ended := map[string]string{}
	said := ""
	for _, e := range events(t, r.stdout) {
		if e.Type == "step_finished" {
			ended[strings.TrimPrefix(e.Step, "step.")] = e.Status
			if e.Step == "step.checklist.step.datasets" {
				said = e.Message
			}
		}
	}
	want := map[string]string{
		"datasets": "failed", "datasets.step.backup": "blocked", "datasets.step.files": "not_run", "pointers": "not_run",
		"features": "done", "features.step.materialize": "done", "models": "done", "models.step.champion": "done",
		"checklist": "failed", "checklist.step.datasets": "failed", "checklist.step.bars": "done", "checklist.step.features": "done",
		"checklist.step.models": "done", "checklist.step.predictions": "done", "checklist.step.services": "done",
	}
	maps.DeleteFunc(ended, func(step, _ string) bool { return want[step] == "" })
	if diff := cmp.Diff(want, ended); diff != "" {
		t.Errorf("how the steps ended (-want +got):\n%s", diff)
	}
	if !strings.Contains(said, "15 objects lost") {
		t.Errorf("the line of the checklist says %q", said)
	}
	featuresAreServed(t)
	modelsLoad(t)
	received := told.received()
	if len(received) != 2 || !strings.Contains(received["/team"], "Full system sync recovery: failed; step.datasets.step.backup") || !strings.Contains(received["/emergency"], "Emergency meeting. ") {
		t.Errorf("people were told %q", received)
	}
	t.Log(compare(trial{runbook: "sync_recovery", scenario: "one branch beyond repair"}, p, events(t, r.stdout)))
}

// sinking is a webhook of our own that keeps what it is told.
type sinking struct {
	url   string
	mutex sync.Mutex
	texts map[string]string // by path
}

func sink(t *testing.T) *sinking {
	t.Helper()
	s := &sinking{texts: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // half of it is not what is expected
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.texts[r.URL.Path] += string(body)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *sinking) received() map[string]string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return maps.Clone(s.texts)
}
