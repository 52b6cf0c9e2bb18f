package mlflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func impact(files, bytes, overwritten int64) schema.Impact {
	return schema.Impact{"files": files, "bytes": bytes, "overwritten": overwritten}
}

// Through the server, and straight to S3, by what the run's root says.
func TestUploadArtifacts(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	for experiment, prefix := range map[string]string{"0": "0/", "2": "direct/"} {
		run, _ := room.newest(t, experiment)
		at := prefix + run + "/artifacts/"
		before, _ := room.object(t, at+"notes.txt")
		room.remove(t, at+"metrics.json", at+"plots/equity.csv")
		dir := folder(t, map[string]string{"metrics.json": "{}", "plots/equity.csv": "0,100\n", "notes.txt": "other, and longer", "empty": "", "odd näme +%.txt": "odd"})
		args := map[string]any{"run_id": run, "directory": dir}

		preview := h.Preview("upload_artifacts", args)
		equal(t, impact(4, 11, 0), preview.Impact)
		equal(t, false, preview.Destructive)
		equal(t, here("/runs/"+run+"/artifacts"), preview.Effects[1].Resource)
		if direct := len(preview.Effects) == 3; direct != (experiment == "2") {
			t.Errorf("%v", preview.Effects)
		}
		got := done(t, h.Act("upload_artifacts", args), "summary", "artifact_uri")
		equal(t, map[string]any{"ok": true, "files": 4, "bytes": 11, "overwritten": 0, "unchanged": 1, "differing": []any{"notes.txt"}}, got)
		for name, want := range map[string]string{"metrics.json": "{}", "plots/equity.csv": "0,100\n", "notes.txt": before, "empty": "", "odd näme +%.txt": "odd"} {
			if text, there := room.object(t, at+name); text != want || !there {
				t.Errorf("%s holds %q", name, text)
			}
		}
		equal(t, 0, done(t, h.Act("upload_artifacts", args))["files"])

		args["mode"] = "overwrite"
		preview = h.Preview("upload_artifacts", args)
		equal(t, impact(1, 17, 1), preview.Impact)
		equal(t, []any{true, "~ notes.txt"}, []any{preview.Destructive, preview.Sample[0]})
		fails(t, "failed_clean limit_exceeded", h.Act("upload_artifacts", args, sdktest.Limit("overwritten", 0)))
		equal(t, 1, done(t, h.Act("upload_artifacts", args))["overwritten"])
		equal(t, 0, done(t, h.Act("upload_artifacts", args))["files"])
	}
}

// Another content of the same length is another content.
func TestUploadComparesByHash(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	run, _ := room.newest(t, "0")
	args := map[string]any{"run_id": run, "directory": folder(t, map[string]string{"notes.txt": "PPO_V20\n"}), "mode": "overwrite"}
	equal(t, impact(1, 8, 1), h.Preview("upload_artifacts", args).Impact)
	equal(t, 1, done(t, h.Act("upload_artifacts", args))["overwritten"])
	text, _ := room.object(t, "0/"+run+"/artifacts/notes.txt")
	equal(t, "PPO_V20\n", text)
}

// What the shown command puts there is what the action finds there.
func TestUploadDoesWhatTheShownCommandDoes(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	run, model := room.newest(t, "1")
	dir := folder(t, map[string]string{"a.txt": "a", "b/c.txt": "cc"})
	for name, args := range map[string]map[string]any{
		"upload_artifacts": {"run_id": run, "directory": dir, "artifact_path": "again"}, "log_model_files": {"model_id": model, "directory": dir},
	} {
		equal(t, impact(2, 3, 0), h.Preview(name, args).Impact)
		room.python(t, h.Describe(name, args).Command)
		args["mode"] = "overwrite"
		equal(t, impact(0, 0, 0), h.Preview(name, args).Impact)
	}
}

// A model that the store has lost is logged again from a local copy, and is
// loadable to MLflow's own client.
func TestLogModelFiles(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	version := map[string]any{"name": "usdcop_ppo", "alias": "champion"}
	model := done(t, h.Probe("model_version", version))["model_id"].(string)
	at, files := "0/models/"+model+"/artifacts/", map[string]string{}
	for _, name := range []string{"MLmodel", "conda.yaml", "python_env.yaml", "python_model.pkl", "requirements.txt"} {
		files[name], _ = room.object(t, at+name)
		room.remove(t, at+name)
	}
	equal(t, false, done(t, h.Probe("model_version", version))["ok"])
	args := map[string]any{"model_id": model, "directory": folder(t, files)}
	equal(t, here("/logged-models/"+model+"/artifacts"), h.Describe("log_model_files", args).Effects[1].Resource)
	equal(t, 5, done(t, h.Act("log_model_files", args))["files"])
	equal(t, true, done(t, h.Probe("model_version", version))["ok"])
	said := room.python(t, []string{"python3", "-c", "import mlflow; print(mlflow.pyfunc.load_model('models:/usdcop_ppo@champion').predict([1, 2]))"})
	if !strings.Contains(said, "[0.0, 0.0]") {
		t.Error(said)
	}
}

func TestUploadRefuses(t *testing.T) {
	h := harness(t, nil)
	run, model := room.newest(t, "0")
	direct, _ := room.newest(t, "2")
	dir := folder(t, map[string]string{"a": "a"})
	for name, test := range map[string]struct {
		h      *sdktest.Harness
		action string
		args   map[string]any
		code   string
	}{
		"a missing run":        {h, "upload_artifacts", map[string]any{"run_id": strings.Repeat("0", 32), "directory": dir}, "run_missing"},
		"a missing model":      {h, "log_model_files", map[string]any{"model_id": "m-none", "directory": dir}, "model_missing"},
		"a missing folder":     {h, "upload_artifacts", map[string]any{"run_id": run, "directory": dir + "/none"}, "file_missing"},
		"an empty folder":      {h, "log_model_files", map[string]any{"model_id": model, "directory": t.TempDir()}, "nothing_to_upload"},
		"another mode":         {h, "upload_artifacts", map[string]any{"run_id": run, "directory": dir, "mode": "all"}, "invalid_argument"},
		"a path that leads up": {h, "upload_artifacts", map[string]any{"run_id": run, "directory": dir, "artifact_path": "../x"}, "invalid_argument"},
		"no S3":                {harness(t, map[string]any{"s3_endpoint": nil, "s3_access_key": nil, "s3_secret_key": nil}), "upload_artifacts", map[string]any{"run_id": direct, "directory": dir}, "no_s3"},
		"wrong keys of S3":     {harness(t, map[string]any{"s3_secret_key": "wrong-secret"}), "upload_artifacts", map[string]any{"run_id": direct, "directory": dir}, "s3_authentication_failed"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, "failed_clean "+test.code, test.h.Act(test.action, test.args)) })
	}
}

// An artifact that vanishes while it is compared answers 500: by the list, it is
// known to be missing.
func TestMissingProxiedObject(t *testing.T) {
	room.reset(t)
	run, _ := room.newest(t, "0")
	at := "0/" + run + "/artifacts/notes.txt"
	port := backendtest.Intercept(t, room.host(), backendtest.Cut{When: "get /api/2.0/mlflow-artifacts/artifacts/" + at}, func() { room.remove(t, at) })
	h := harness(t, map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", port)})
	args := map[string]any{"run_id": run, "directory": folder(t, map[string]string{"notes.txt": "ppo_v20\n"}), "mode": "overwrite"}
	fails(t, "failed_clean artifact_missing", h.Act("upload_artifacts", args), "notes.txt does not exist")
}

// Of a request that was sent and not answered, nobody knows.
func TestUploadCutInTheMiddle(t *testing.T) {
	room.reset(t)
	run, _ := room.newest(t, "0")
	args := map[string]any{"run_id": run, "directory": folder(t, map[string]string{"new": "new"})}
	for _, test := range []struct {
		cut  backendtest.Cut
		want string
	}{
		{backendtest.Cut{When: "get /api"}, "failed_clean connection_lost"},
		{backendtest.Cut{When: "put /api"}, "unknown connection_lost"},
		{backendtest.Cut{When: "put /api", Forward: true}, "unknown connection_lost"},
	} {
		room.remove(t, "0/"+run+"/artifacts/new")
		port := backendtest.Proxy(t, room.host(), test.cut)
		h := harness(t, map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", port)})
		fails(t, test.want, h.Act("upload_artifacts", args))
		done(t, h.Act("upload_artifacts", args)) // again is harmless
		text, _ := room.object(t, "0/"+run+"/artifacts/new")
		equal(t, "new", text)
	}
}

func TestCancelCutsAnUploadShort(t *testing.T) {
	room.reset(t)
	run, _ := room.newest(t, "0")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	port := backendtest.Intercept(t, room.host(), backendtest.Cut{When: "put /api"}, func() {
		cancel()
		<-ended // until then the server has not even got the request
	})
	h := harness(t, map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", port)})
	o := h.Act("upload_artifacts", map[string]any{"run_id": run, "directory": folder(t, map[string]string{"new": "new"})}, sdktest.Context(ctx))
	close(ended)
	fails(t, "unknown cancelled", o)
}

func TestSetAlias(t *testing.T) {
	room.reset(t)
	h := harness(t, nil)
	args := map[string]any{"name": "usdcop_ppo", "alias": "champion", "version": "3"}
	preview := h.Preview("set_alias", args)
	equal(t, schema.Impact{"aliases": 1}, preview.Impact)
	equal(t, "lets usdcop_ppo@champion stand for version 3; before, for version 2", preview.Summary)
	want := map[string]any{"ok": true, "summary": "usdcop_ppo@champion stands for version 3; before, for version 2", "changed": true, "previous_version": "2"}
	equal(t, want, done(t, h.Act("set_alias", args)))
	equal(t, "3", done(t, h.Probe("model_version", map[string]any{"name": "usdcop_ppo", "alias": "champion"}))["version"])
	equal(t, false, done(t, h.Act("set_alias", args))["changed"])

	// An alias that was not there is taken back by removing it.
	args = map[string]any{"name": "usdcop_ppo", "alias": "canary", "version": "1"}
	got := done(t, h.Act("set_alias", args))
	equal(t, nil, got["previous_version"])
	args["version"] = got["previous_version"]
	fails(t, "failed_clean invalid_argument", h.Act("set_alias", args)) // nothing is removed by mistake
	args["absent"] = true
	equal(t, true, done(t, h.Act("set_alias", args))["changed"])
	equal(t, false, done(t, h.Probe("model_version", map[string]any{"name": "usdcop_ppo", "alias": "canary"}))["exists"])
	equal(t, false, done(t, h.Act("set_alias", args))["changed"])

	// The shown command comes to the same.
	args["version"], args["absent"] = "1", false
	room.python(t, h.Describe("set_alias", args).Command)
	equal(t, false, done(t, h.Act("set_alias", args))["changed"])
	fails(t, "failed_clean model_missing", h.Act("set_alias", map[string]any{"name": "none", "alias": "a", "version": "1"}))
	fails(t, "failed_clean version_missing", h.Act("set_alias", map[string]any{"name": "usdcop_ppo", "alias": "a", "version": "99"}))
	fails(t, "failed_clean invalid_argument", h.Act("set_alias", map[string]any{"name": "usdcop_ppo", "alias": "", "version": "1"}))
}
