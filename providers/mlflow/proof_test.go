package mlflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/mlflow"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// world is the store of artifacts, by content and not by time, and the aliases.
func (l *lab) world(t testing.TB) any {
	t.Helper()
	held := map[string]string{}
	for o := range l.s3.ListObjectsIter(context.Background(), "mlflow", minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		held[o.Key] = o.ETag
	}
	var model, experiments any
	l.ask(t, "GET", "registered-models/get?name=usdcop_ppo", nil, &model)
	l.ask(t, "GET", "experiments/search?max_results=10", nil, &experiments)
	aliases := model.(map[string]any)["registered_model"].(map[string]any)["aliases"]
	return []any{held, aliases, experiments}
}

func TestProof(t *testing.T) {
	room.reset(t)
	run, logged := room.newest(t, "0")
	direct, _ := room.newest(t, "2")
	dir := folder(t, map[string]string{"notes.txt": "other", "new/a": "aaaa"})
	fresh := func(t testing.TB) {
		for _, at := range []string{"0/" + run + "/artifacts/", "direct/" + direct + "/artifacts/", "0/models/" + logged + "/artifacts/"} {
			room.remove(t, at+"new/a")
			if _, err := room.s3.PutObject(context.Background(), "mlflow", at+"notes.txt", strings.NewReader("before"), 6, minio.PutObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		room.ask(t, "POST", "registered-models/alias", map[string]string{"name": "usdcop_ppo", "alias": "champion", "version": "2"}, new(any))
	}
	refused := func(code string, args map[string]any) sdktest.Refused {
		return sdktest.Refused{Args: args, Code: code}
	}
	none := strings.Repeat("0", 32)
	config := room.config()
	config["username"], config["password"], config["tracking_uri"] = "u", "open-sesame", gate(t, "", "open-sesame")
	sdktest.Prove(t, sdktest.Proof{
		Provider: mlflow.Provider, Config: config, World: func(t testing.TB) any { return room.world(t) },
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", backendtest.Refused(t))}, Code: "connection_refused"},
			{Name: "blackholed", Config: map[string]any{"tracking_uri": fmt.Sprintf("http://127.0.0.1:%d", backendtest.Blackhole(t)), "answer_timeout": "300ms"}, Code: "timeout"},
			{Name: "wrong password", Config: map[string]any{"password": "no-such-password"}, Code: "authentication_failed"},
			{Name: "a name that the server refuses", Config: map[string]any{"tracking_uri": gate(t, "mlflow.example", "open-sesame")}, Code: "host_rejected"},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "health", Answers: true},
			{Name: "experiments"},
			{Name: "runs", Args: map[string]any{"experiment_ids": []string{"0"}}, Refused: []sdktest.Refused{refused("experiment_missing", map[string]any{"experiments": []string{"none"}})}},
			{Name: "run_artifacts", Args: map[string]any{"run_id": run}, Refused: []sdktest.Refused{refused("run_missing", map[string]any{"run_id": none})}},
			{Name: "model_version", Args: map[string]any{"name": "usdcop_ppo", "alias": "champion"}, Refused: []sdktest.Refused{refused("invalid_argument", map[string]any{"name": "usdcop_ppo"})}},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "upload_artifacts", Setup: fresh, Args: map[string]any{"run_id": run, "directory": dir, "mode": "overwrite"}, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{
					refused("run_missing", map[string]any{"run_id": none, "directory": dir}), refused("file_missing", map[string]any{"run_id": run, "directory": dir + "/none"}),
				},
			},
			{Name: "upload_artifacts", Setup: fresh, Args: map[string]any{"run_id": direct, "directory": dir, "mode": "overwrite"}, Class: schema.Idempotent, Destroys: true},
			{
				Name: "log_model_files", Setup: fresh, Args: map[string]any{"model_id": logged, "directory": dir, "mode": "overwrite"}, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{refused("model_missing", map[string]any{"model_id": "m-none", "directory": dir})},
			},
			{
				Name: "set_alias", Setup: fresh, Args: map[string]any{"name": "usdcop_ppo", "alias": "champion", "version": "3"}, Class: schema.Idempotent,
				Did: func(testing.TB, map[string]any) schema.Impact { return schema.Impact{"aliases": 1} },
				Refused: []sdktest.Refused{
					refused("model_missing", map[string]any{"name": "none", "alias": "a", "version": "1"}),
					refused("version_missing", map[string]any{"name": "usdcop_ppo", "alias": "a", "version": "99"}),
				},
			},
		},
	})
}
