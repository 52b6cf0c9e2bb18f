package mlflow_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// gate is what stands before the real server in many places: it asks for a
// password, and hands requests on under a name of its choice.
func gate(t *testing.T, host, password string) string {
	t.Helper()
	target, err := url.Parse(room.uri())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		if host != "" && r.In.Host != "localhost" {
			r.Out.Host = host
		}
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, given, _ := r.BasicAuth(); given != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestHealth(t *testing.T) {
	refused, blackhole := backendtest.Refused(t), backendtest.Blackhole(t)
	for name, test := range map[string]struct {
		config  map[string]any
		ok      bool
		reason  string
		summary string
	}{
		"answers":        {nil, true, "", "MLflow 3.17.2 at " + room.host() + " answers"},
		"nobody listens": {map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", refused)}, false, "connection_refused", "refused the connection"},
		"nobody answers": {map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", blackhole), "answer_timeout": "200ms"}, false, "timeout", "did not answer in time"},
		"no such host":   {map[string]any{"tracking_uri": "http://nowhere.invalid:5000"}, false, "host_unknown", "nowhere.invalid"},
		"no TLS":         {map[string]any{"tracking_uri": "https://" + room.host()}, false, "tls_failed", "HTTPS client"},
		"password":       {map[string]any{"tracking_uri": gate(t, "", "right"), "username": "u", "password": "right"}, true, "", "answers"},
		"wrong password": {map[string]any{"tracking_uri": gate(t, "", "right"), "username": "u", "password": "wrong"}, false, "authentication_failed", "answered 401"},
		"wrong name":     {map[string]any{"tracking_uri": gate(t, "mlflow.example", "")}, false, "host_rejected", "refuses requests that call it"},
		"not MLflow":     {map[string]any{"tracking_uri": room.env["MINIO_ENDPOINT"]}, false, "permission_denied", "answered 403"},
	} {
		t.Run(name, func(t *testing.T) {
			got := done(t, harness(t, test.config).Probe("health", nil))
			if !strings.Contains(got["summary"].(string), test.summary) {
				t.Errorf("summary %q lacks %q", got["summary"], test.summary)
			}
			equal(t, []any{test.ok, test.reason}, []any{got["ok"], got["reason"]})
		})
	}
}

func TestExperiments(t *testing.T) {
	h := harness(t, nil)
	got := done(t, h.Probe("experiments", map[string]any{"required": []string{"usdcop_ppo"}}))
	equal(t, map[string]any{"ok": true, "summary": "3 experiments", "missing": []any{}, "experiments": []any{
		map[string]any{"experiment_id": "2", "name": "usdcop_direct", "artifact_location": "s3://mlflow/direct"},
		map[string]any{"experiment_id": "1", "name": "usdcop_ppo", "artifact_location": "mlflow-artifacts:/1"},
		map[string]any{"experiment_id": "0", "name": "Default", "artifact_location": "mlflow-artifacts:/0"},
	}}, got)
	equal(t, []any{"lost"}, done(t, h.Probe("experiments", map[string]any{"required": []string{"lost", "Default"}}))["missing"])
	equal(t, false, done(t, h.Probe("experiments", map[string]any{"filter": "name LIKE 'none%'"}))["ok"])
	fails(t, "failed_clean rejected", h.Probe("experiments", map[string]any{"filter": "name ~ 'x'"}))
}

func TestRuns(t *testing.T) {
	h := harness(t, nil)
	got := done(t, h.Probe("runs", map[string]any{"experiment_ids": []string{"0"}, "filter": "metrics.sharpe > 1.185"}))
	runs := got["runs"].([]any)
	first := runs[0].(map[string]any)
	equal(t, []any{true, 2, false, "ppo_v20", "FINISHED", 1.2, map[string]any{"algorithm": "ppo", "version": "20"}, map[string]any{"stage": "evaluation"}},
		[]any{got["ok"], len(runs), got["more"], first["name"], first["status"], first["metrics"].(map[string]any)["sharpe"], first["params"], first["tags"]})
	// Page by page, and not more than asked for.
	got = done(t, h.Probe("runs", map[string]any{"experiments": []string{"Default", "usdcop_ppo"}, "experiment_ids": []string{"2"}, "max_results": 4}))
	equal(t, []any{4, true, "more than 4 runs"}, []any{len(got["runs"].([]any)), got["more"], got["summary"]})
	equal(t, false, done(t, h.Probe("runs", map[string]any{"experiment_ids": []string{"0"}, "min": 9}))["ok"])
	fails(t, "failed_clean experiment_missing", h.Probe("runs", map[string]any{"experiments": []string{"none"}}))
	fails(t, "failed_clean experiment_missing", h.Probe("runs", map[string]any{"experiment_ids": []string{"99"}}))
	o := h.Probe("runs", map[string]any{"experiment_ids": []string{"0"}, "filter": "sharpe >"})
	fails(t, "failed_clean rejected", o)
	equal(t, "filter", o.Failure.Argument)
	fails(t, "failed_clean invalid_argument", h.Probe("runs", nil))
}

// The artifacts of runs and of the models that they logged, wherever they are:
// one server mixes roots.
func TestRunArtifacts(t *testing.T) {
	room.reset(t)
	h := harness(t, map[string]any{"s3_endpoint": nil, "s3_access_key": nil, "s3_secret_key": nil})
	for experiment, uri := range map[string]string{"0": "mlflow-artifacts:/0/", "2": "s3://mlflow/direct/"} {
		run, model := room.newest(t, experiment)
		got := done(t, h.Probe("run_artifacts", map[string]any{"run_id": run, "required": []string{"metrics.json", "plots", "plots/equity.csv", "policy", "policy/MLmodel"}}))
		models := got["models"].([]any)
		one := models[0].(map[string]any)
		equal(t, []any{true, 8, 3, 1, model, "policy", true, "LOGGED_MODEL_READY", []any{}, true},
			[]any{got["ok"], got["artifacts"], len(got["files"].([]any)), len(models), one["model_id"], one["name"], one["usable"], one["status"], got["missing"], strings.HasPrefix(got["artifact_uri"].(string), uri)})
	}
	run, model := room.newest(t, "0")
	got := done(t, h.Probe("run_artifacts", map[string]any{"run_id": run, "required": []string{"metrics.json", "weights.bin", "plots/none"}}))
	equal(t, []any{false, []any{"weights.bin", "plots/none"}}, []any{got["ok"], got["missing"]})

	// The store loses the model, and MLflow lists it as ever.
	room.remove(t, "0/models/"+model+"/artifacts/MLmodel")
	got = done(t, h.Probe("run_artifacts", map[string]any{"run_id": run}))
	equal(t, []any{false, []any{"policy/MLmodel"}}, []any{got["ok"], got["missing"]})
	if said, err := room.run("break", "mlflow-artifacts-lost"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	got = done(t, h.Probe("run_artifacts", map[string]any{"run_id": run}))
	equal(t, []any{false, 0, 1}, []any{got["ok"], got["artifacts"], len(got["models"].([]any))})
	fails(t, "failed_clean run_missing", h.Probe("run_artifacts", map[string]any{"run_id": "0123456789abcdef0123456789abcdef"}))
}

// What MLflow's own client calls loadable is, and what it cannot load is not.
func TestModelVersion(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	got := done(t, h.Probe("model_version", map[string]any{"name": "usdcop_ppo", "alias": "champion"}))
	model := got["model_id"].(string)
	equal(t, []any{true, true, "2", "READY", []any{"champion"}, []any{"MLmodel", "conda.yaml", "python_env.yaml", "python_model.pkl", "requirements.txt"}, "models:/" + model},
		[]any{got["ok"], got["exists"], got["version"], got["status"], got["aliases"], got["files"], got["source"]})
	load := []string{"python3", "-c", "import mlflow, sys; mlflow.pyfunc.load_model(sys.argv[1]); print('loaded')", "models:/usdcop_ppo@champion"}
	if said := room.python(t, load); !strings.Contains(said, "loaded") {
		t.Error(said)
	}
	room.remove(t, "0/models/"+model+"/artifacts/MLmodel")
	got = done(t, h.Probe("model_version", map[string]any{"name": "usdcop_ppo", "version": "2"}))
	equal(t, []any{false, true, "READY"}, []any{got["ok"], got["exists"], got["status"]})
	if !strings.Contains(got["summary"].(string), "it cannot be loaded, its MLmodel is not in mlflow-artifacts:/0/models/"+model) {
		t.Error(got["summary"])
	}
	for _, args := range []map[string]any{
		{"name": "usdcop_ppo", "alias": "none"}, {"name": "usdcop_ppo", "version": "99"}, {"name": "none", "version": "1"}, {"name": "none", "alias": "a"},
	} {
		got := done(t, h.Probe("model_version", args))
		equal(t, []any{false, false}, []any{got["ok"], got["exists"]})
	}
	fails(t, "failed_clean invalid_argument", h.Probe("model_version", map[string]any{"name": "usdcop_ppo"}))
}

// A version from before MLflow 3 names a folder of its run's artifacts.
func TestModelVersionOfOldServers(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	run, _ := room.newest(t, "0")
	var version struct {
		Model_version struct{ Version string }
	}
	source := "mlflow-artifacts:/0/" + run + "/artifacts/model"
	room.ask(t, "POST", "model-versions/create", map[string]string{"name": "usdcop_ppo", "source": source, "run_id": run}, &version)
	args := map[string]any{"name": "usdcop_ppo", "version": version.Model_version.Version}
	equal(t, false, done(t, h.Probe("model_version", args))["ok"])
	done(t, h.Act("upload_artifacts", map[string]any{"run_id": run, "artifact_path": "model", "directory": folder(t, map[string]string{"MLmodel": "flavors: {}\n", "data/model.pkl": "x"})}))
	got := done(t, h.Probe("model_version", args))
	equal(t, []any{true, "", []any{"MLmodel", "data/model.pkl"}}, []any{got["ok"], got["model_id"], got["files"]})
}

func TestDeadlineBoundsAHungServer(t *testing.T) {
	h := harness(t, map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", backendtest.Blackhole(t))})
	started := time.Now()
	fails(t, "failed_clean timeout", h.Probe("experiments", nil, sdktest.Deadline(started.Add(300*time.Millisecond))))
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
