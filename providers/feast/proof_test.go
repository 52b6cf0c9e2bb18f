package feast_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/feast"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestProof(t *testing.T) {
	room.heal(t)
	healed := func(t testing.TB) { room.heal(t) }
	flushed := func(t testing.TB) { healed(t); room.flush(t) }
	lost := func(t testing.TB) {
		healed(t)
		if err := os.Remove(room.registryPath()); err != nil {
			t.Fatal(err)
		}
	}
	end := time.Now().UTC().Truncate(time.Second)
	all, only := map[string]any{"end": end}, map[string]any{"feature_view": view}
	config, repo := room.config(), func(edits ...string) map[string]any { return room.copyRepo(t, edits...) }
	config["server"] = fmt.Sprintf("http://127.0.0.1:%d", backendtest.Refused(t))
	// What is cut in the middle is in testKilled and testCancelled.
	source := room.postgres(t)
	rows := func(t testing.TB, result map[string]any) schema.Impact {
		did := schema.Impact{"keys": int64(result["rows_offered"].(int))}
		for _, interval := range result["intervals"].([]any) {
			between := interval.(map[string]any)
			var n int64
			err := source.QueryRow(t.Context(), "SELECT count(*) FROM technical_features WHERE event_timestamp BETWEEN $1::text::timestamptz AND $2::text::timestamptz",
				between["start"], between["end"]).Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
			did["rows"] += n
		}
		return did
	}
	noServer := []string{"server_health"}
	offline := append([]string{"registry", "online_keys", "online_features", "purge_view"}, noServer...)
	sdktest.Prove(t, sdktest.Proof{
		Provider: feast.Provider,
		Config:   config,
		World: func(t testing.TB) any {
			keys, err := room.dump(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = os.Stat(room.registryPath())
			return map[string]any{"online": keys, "registry": err == nil}
		},
		Broken: []sdktest.Broken{
			{
				Name: "no online store", Code: "online_store_unreachable", PreviewSpares: []string{"materialize"}, Spares: append([]string{"registry", "plan", "apply", "materialize_incremental"}, noServer...),
				Config: repo(room.env["REDIS_HOST"]+":"+room.env["REDIS_PORT"], fmt.Sprintf("127.0.0.1:%d", backendtest.Refused(t))),
			},
			{
				Name: "no offline store", Code: "offline_store_unreachable", Spares: append([]string{"materialize_incremental"}, offline...),
				Config: repo("port: "+room.env["POSTGRES_PORT"], fmt.Sprintf("port: %d", backendtest.Refused(t))),
			},
			{
				Name: "wrong password", Code: "offline_store_authentication_failed", Spares: append([]string{"apply", "materialize", "materialize_incremental"}, offline...),
				Config: map[string]any{"env": map[string]string{"POSTGRES_PASSWORD": "no-such-password"}},
			},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "registry", Setup: healed},
			{Name: "freshness", Args: only, Refused: []sdktest.Refused{{Args: map[string]any{"feature_view": "nope"}, Code: "no_such_feature_view"}}},
			{Name: "sync", Args: only},
			{Name: "online_features", Args: map[string]any{"features": []string{view + ":rsi_9"}, "entities": usdcop()}},
			{Name: "online_keys", Args: only},
			{Name: "plan"},
			{Name: "server_health"},
		},
		Actions: []sdktest.ActionProof{
			{Name: "apply", Setup: lost, Class: schema.Idempotent, Did: func(_ testing.TB, result map[string]any) schema.Impact {
				return schema.Impact{"changes": int64(len(result["changes"].([]any))), "deletions": 0}
			}},
			{Name: "materialize", Setup: flushed, Args: all, Class: schema.Idempotent, Did: rows, Refused: []sdktest.Refused{
				{Args: map[string]any{"end": end, "feature_views": []string{"nope"}}, Code: "no_such_feature_view"},
			}},
			{Name: "materialize_incremental", Setup: healed, Args: map[string]any{"end_time": end}, Class: schema.Idempotent, Unseen: true, Did: rows},
			{Name: "purge_view", Setup: healed, Args: only, Class: schema.Idempotent, Destroys: true},
		},
	})
}
