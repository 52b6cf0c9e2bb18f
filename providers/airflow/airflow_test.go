package airflow_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/airflow"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestMain(m *testing.M) {
	sdktest.Serve(airflow.Provider)
	os.Exit(m.Run())
}

func TestProofAgainstFakeAirflow(t *testing.T) {
	for _, api := range []string{"v1", "v2"} {
		t.Run(api, func(t *testing.T) { prove(t, newFakeAirflow(t, api)) })
	}
}

func prove(t *testing.T, fake *fakeAirflow) {
	at := func(port int) map[string]any { return map[string]any{"url": fmt.Sprintf("http://127.0.0.1:%d", port)} }
	failed := func(testing.TB) {
		fake.hold(func() { fake.runs["features"]["old"], fake.order = "failed", append(fake.order, "old") })
	}
	succeed := func(testing.TB) {
		fake.hold(func() { fake.becomes, fake.runs["features"]["old"] = "success", "success" })
	}
	queue := func(testing.TB) { fake.hold(func() { fake.becomes = "" }) }
	fast := func(more ...any) map[string]any {
		args := map[string]any{"dag_id": "features", "every": "10ms"}
		for i := 0; i < len(more); i += 2 {
			args[more[i].(string)] = more[i+1]
		}
		return args
	}
	pausing := func(paused bool) func(testing.TB) {
		return func(testing.TB) { fake.hold(func() { fake.paused["features"] = paused }) }
	}
	nowhere := []sdktest.Refused{{Args: map[string]any{"dag_id": "nope"}, Code: "not_found"}, {Args: map[string]any{"dag_id": ".."}, Code: "invalid_argument"}}
	sdktest.Prove(t, sdktest.Proof{
		Provider: airflow.Provider,
		Config:   fake.config(),
		Secrets:  []string{"wrong-secret", "jwt-"},
		World:    func(testing.TB) any { return fake.world() },
		Broken: []sdktest.Broken{
			{Name: "dead", Config: at(backendtest.Refused(t)), Code: "connection_refused"},
			{Name: "blackholed", Config: at(backendtest.Blackhole(t)), Code: "timeout", Patience: 400 * time.Millisecond},
			{Name: "wrong password", Config: map[string]any{"password": "wrong-secret"}, Code: "authentication_failed", Spares: []string{"health"}},
			{Name: "another path", Config: map[string]any{"url": fake.url + "/elsewhere"}, Code: "not_airflow"},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "health", Args: map[string]any{}, Answers: true},
			{Name: "dag_run", Setup: failed, Args: map[string]any{"dag_id": "features", "run_id": "old"}, Refused: []sdktest.Refused{
				{Args: map[string]any{"dag_id": "features", "run_id": "nope"}, Code: "not_found"},
				{Args: map[string]any{"dag_id": "nope"}, Code: "not_found"},
				{Args: map[string]any{"dag_id": "bars"}, Code: "no_data"},
			}},
			{Name: "dags", Args: map[string]any{"ids": []string{"features"}}},
		},
		Actions: []sdktest.ActionProof{
			{Name: "trigger", Setup: succeed, Args: fast("conf", cty.ObjectVal(map[string]cty.Value{"days": cty.NumberIntVal(3)})), Class: schema.Keyed, Refused: []sdktest.Refused{
				{Args: map[string]any{"dag_id": "nope"}, Code: "not_found"},
				{Args: map[string]any{"dag_id": "bars"}, Code: "paused"},
				{Args: fast("run_id", "a/b"), Code: "invalid_argument"},
				{Args: fast("conf", cty.StringVal("x")), Code: "invalid_argument"},
			}},
			{Name: "trigger", Setup: queue, Args: fast("wait", false), Class: schema.Keyed},
			{Name: "clear", Setup: failed, Args: map[string]any{"dag_id": "features", "run_id": "old"}, Class: schema.Manual, Refused: []sdktest.Refused{
				{Args: map[string]any{"dag_id": "features", "run_id": "nope"}, Code: "not_found"},
				{Setup: succeed, Args: map[string]any{"dag_id": "features", "run_id": "old"}, Code: "nothing_to_clear"},
			}},
			{Name: "pause", Setup: pausing(false), Args: map[string]any{"dag_id": "features"}, Class: schema.Idempotent, Refused: nowhere},
			{Name: "unpause", Setup: pausing(true), Args: map[string]any{"dag_id": "features"}, Class: schema.Idempotent, Refused: nowhere},
		},
	})
}

func answer(t *testing.T, o schema.Outcome) map[string]any {
	t.Helper()
	if o.State != schema.Done {
		t.Fatalf("%s: %v", o.State, o.Failure)
	}
	return sdktest.Go(t, o.Result).(map[string]any)
}

// A status of 200 is not health.
func TestHealthOfFakeAirflow(t *testing.T) {
	for _, api := range []string{"v1", "v2"} {
		fake := newFakeAirflow(t, api)
		h := sdktest.New(t, airflow.Provider(), fake.config())
		tests := map[string]struct {
			change func()
			args   map[string]any
			want   string
		}{
			"healthy":                      {func() {}, nil, "metadatabase, scheduler are healthy"},
			"the scheduler is dead":        {func() { fake.health["scheduler"] = "unhealthy" }, nil, "unhealthy: the scheduler is unhealthy"},
			"the database is dead":         {func() { fake.health["metadatabase"] = "unhealthy" }, nil, "unhealthy: the metadatabase is unhealthy"},
			"a part that is required":      {func() {}, map[string]any{"require": []string{"dag_processor"}}, "unhealthy: the dag_processor does not run"},
			"a heartbeat of last week":     {func() { fake.beat = time.Now().Add(-10 * 24 * time.Hour) }, nil, "stale_heartbeat: the last heartbeat of the scheduler is 10d old"},
			"a part that nobody waits for": {func() { fake.health["triggerer"] = "unhealthy" }, nil, "metadatabase, scheduler are healthy"},
			"a page with a status of 200": {func() {
				fake.instead = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>ok</html>") }
			}, nil, "not_airflow: HOST answered 200, and not as Airflow does"},
			"JSON that is something else's": {func() {
				fake.instead = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status":"healthy"}`) }
			}, nil, "not_airflow: HOST answered 200, and not as Airflow does"},
		}
		for name, test := range tests {
			t.Run(api+" "+name, func(t *testing.T) {
				fake.hold(func() {
					fake.health = map[string]string{"metadatabase": "healthy", "scheduler": "healthy", "triggerer": "healthy"}
					fake.beat, fake.instead = time.Now(), nil
					test.change()
				})
				got := answer(t, h.Probe("health", test.args))
				said := got["summary"].(string)
				if got["ok"] != (got["reason"] == "") {
					t.Errorf("ok = %v, and the reason is %q", got["ok"], got["reason"])
				}
				if got["reason"] != "" {
					said = got["reason"].(string) + ": " + said
				}
				said = strings.ReplaceAll(said, strings.TrimPrefix(fake.url, "http://"), "HOST")
				if diff := cmp.Diff(test.want, said); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestLooksOfFakeAirflow(t *testing.T) {
	fake := newFakeAirflow(t, "v2")
	fake.runs["features"]["good"], fake.runs["features"]["bad"], fake.order = "success", "failed", []string{"good", "bad"}
	fake.broken = []string{"/dags/new.py"}
	h := sdktest.New(t, airflow.Provider(), fake.config())
	tests := map[string]struct {
		probe string
		args  map[string]any
		ok    bool
		want  string
	}{
		"a run that succeeded":  {"dag_run", map[string]any{"dag_id": "features", "run_id": "good"}, true, "good of features is success"},
		"one that is too old":   {"dag_run", map[string]any{"dag_id": "features", "run_id": "good", "max_age": "1h"}, false, "good of features is success, and longer ago than 1h0m0s"},
		"the last one":          {"dag_run", map[string]any{"dag_id": "features"}, false, "bad of features is failed (load, check), not success"},
		"a state that is asked": {"dag_run", map[string]any{"dag_id": "features", "states": []string{"failed"}}, true, "bad of features is failed (load, check)"},
		"a DAG":                 {"dags", map[string]any{"ids": []string{"features"}}, true, "1 DAG is as it should be"},
		"one that is paused":    {"dags", map[string]any{"ids": []string{"bars"}}, false, "bars is paused"},
		"which is meant":        {"dags", map[string]any{"ids": []string{"bars"}, "paused": true}, true, "1 DAG is as it should be"},
		"one that is not there": {"dags", map[string]any{"ids": []string{"features", "gone"}}, false, "gone is not there"},
		"all":                   {"dags", map[string]any{"paused": true}, false, "cannot be imported: /dags/new.py"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := answer(t, h.Probe(test.probe, test.args))
			if got["ok"] != test.ok || got["summary"] != test.want {
				t.Errorf("%v %s", got["ok"], got["summary"])
			}
		})
	}
}

// A second trigger under the key of the first finds its run; one that fails says
// which tasks did, and one that is cancelled has its run failed.
func TestTriggerOfFakeAirflow(t *testing.T) {
	for _, api := range []string{"v1", "v2"} {
		t.Run(api, func(t *testing.T) {
			fake := newFakeAirflow(t, api)
			h := sdktest.New(t, airflow.Provider(), fake.config())
			args := map[string]any{"dag_id": "features", "every": "5ms", "conf": cty.ObjectVal(map[string]cty.Value{"days": cty.NumberIntVal(3)})}
			first := answer(t, h.Act("trigger", args, sdktest.Key("run-1/step.x")))
			second := answer(t, h.Act("trigger", args, sdktest.Key("run-1/step.x")))
			const id = "runbook__run-1-step.x"
			if first["run_id"] != id || first["existed"] != false || second["existed"] != true || fake.confs[id] != `{"days":3}` || len(fake.order) != 1 {
				t.Errorf("%v\n%v\n%v %v", first, second, fake.confs, fake.order)
			}

			fake.becomes = "failed"
			o := h.Act("trigger", args, sdktest.Key("run-2"))
			want := &schema.Failure{Code: "run_failed", Message: "runbook__run-2 of features has failed: load, check", Remedy: "see the tasks' logs; airflow.clear runs what failed again"}
			if diff := cmp.Diff(want, o.Failure); o.State != schema.FailedPartial || diff != "" {
				t.Error(o.State, diff)
			}

			fake.becomes = "running"
			o = h.Act("trigger", args, sdktest.Key("run-3"), sdktest.Deadline(time.Now().Add(2*time.Second)))
			if o.State != schema.FailedPartial || o.Failure.Code != "timeout" || fake.runs["features"]["runbook__run-3"] != "failed" {
				t.Errorf("%s %v, and the run is %s", o.State, o.Failure, fake.runs["features"]["runbook__run-3"])
			}
			fake.runs["features"]["runbook__run-4"] = "running"
			if o := h.Settle("trigger", args, sdktest.Key("run-4")); o.State != schema.Running {
				t.Errorf("a run that is at work is settled as %s", o.State)
			}
			if o := h.Settle("trigger", args, sdktest.Key("run-2")); o.State != schema.FailedPartial {
				t.Errorf("a run that failed is settled as %s", o.State)
			}
		})
	}
}

// A token that has run out is got anew, once.
func TestTokenOfFakeAirflow(t *testing.T) {
	fake := newFakeAirflow(t, "v2")
	h := sdktest.New(t, airflow.Provider(), fake.config())
	answer(t, h.Probe("dags", map[string]any{"paused": true}))
	fake.hold(func() { fake.tokens += 10 }) // those given before are not taken any more
	answer(t, h.Probe("dags", map[string]any{"paused": true}))
	if n := len(slices.DeleteFunc(slices.Clone(fake.requests), func(r string) bool { return r != "POST /auth/token" })); n != 2 {
		t.Errorf("%d tokens were asked for", n)
	}
}
