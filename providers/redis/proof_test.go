package redis_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/redis"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestProof(t *testing.T) {
	db := server.Database(t)
	client := server.Client(t, db)
	snapshot := filepath.Join(server.Dir, "dump.rdb")
	unpause := func(t testing.TB) {
		if err := client.Do(context.Background(), "CLIENT", "UNPAUSE").Err(); err != nil { // also when the test is over
			t.Fatal(err)
		}
	}
	filled := func(t testing.TB) {
		unpause(t)
		if err := client.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		server.Fill(t, db, "feast:%03d", 10)
	}
	// paused keeps every command that writes from being answered.
	paused := func(t testing.TB) {
		filled(t)
		if err := client.Do(t.Context(), "CLIENT", "PAUSE", "600000", "WRITE").Err(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { unpause(t) })
	slow := func(command string, args map[string]any) *sdktest.Slow {
		return &sdktest.Slow{Setup: paused, Args: args, Working: func(t testing.TB) bool {
			list, err := client.Do(t.Context(), "CLIENT", "LIST").Text()
			if err != nil {
				t.Error(err)
			}
			return strings.Contains(list, "cmd="+command)
		}}
	}
	keys := func(n int64) func(testing.TB, map[string]any) schema.Impact {
		return func(testing.TB, map[string]any) schema.Impact { return schema.Impact{"keys": n} }
	}
	key, prefix := map[string]any{"key": "feast:001"}, map[string]any{"require_prefix": []string{"feast:"}}
	sdktest.Prove(t, sdktest.Proof{
		Provider: redis.Provider,
		Config:   map[string]any{"host": server.Host, "port": server.Port, "password": server.Password, "db": db},
		World: func(t testing.TB) any {
			_, err := os.Stat(snapshot)
			return map[string]any{"keys": dump(t, client), "snapshot": err == nil}
		},
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"port": backendtest.Refused(t)}, Code: "connection_refused"},
			{Name: "blackholed", Config: map[string]any{"port": backendtest.Blackhole(t), "connect_timeout": "300ms"}, Code: "timeout"},
			{Name: "wrong password", Config: map[string]any{"password": "no-such-password"}, Code: "authentication_failed"},
			{Name: "no such database", Config: map[string]any{"db": 100_000}, Code: "database_missing"},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "ping", Answers: true},
			{Name: "get", Setup: filled, Args: key},
			{Name: "ttl", Setup: filled, Args: key},
			{Name: "key_count", Setup: filled, Args: map[string]any{"pattern": "feast:*"}},
			{Name: "dbsize"},
			{Name: "pubsub", Args: map[string]any{"channel": "news"}},
			{Name: "info", Refused: []sdktest.Refused{{Args: map[string]any{"max_memory_ratio": 2}, Code: "invalid_argument"}}},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "delete_pattern", Setup: filled, Args: map[string]any{"pattern": "feast:00*"},
				Class: schema.Idempotent, Destroys: true,
				Slow:    slow("unlink", map[string]any{"pattern": "feast:00*"}),
				Refused: []sdktest.Refused{{Args: map[string]any{"pattern": "*"}, Code: "invalid_argument"}},
			},
			{
				Name: "flushdb", Setup: filled, Args: prefix, Class: schema.Idempotent, Destroys: true, Slow: slow("eval", prefix),
				Refused: []sdktest.Refused{
					{Args: map[string]any{}, Code: "unbounded"},
					{Args: map[string]any{"require_prefix": []string{"other:"}}, Code: "other_keys"},
				},
			},
			{
				Name: "set", Setup: filled, Args: map[string]any{"key": "mode", "value": "drain"}, Class: schema.Idempotent,
				Did: keys(1), Slow: slow("set", map[string]any{"key": "mode", "value": "drain"}),
				Refused: []sdktest.Refused{{Args: map[string]any{"key": "", "value": ""}, Code: "invalid_argument"}},
			},
			{
				Name: "bgsave", Class: schema.Idempotent,
				Did: func(t testing.TB, _ map[string]any) schema.Impact {
					return schema.Impact{"keys": saved(t, client)} // of all databases
				},
				Setup: func(t testing.TB) {
					filled(t)
					if err := os.Remove(snapshot); err != nil && !errors.Is(err, os.ErrNotExist) {
						t.Fatal(err)
					}
				},
			},
		},
	})
}

// saved is how many keys the server holds in all of its databases.
func saved(t testing.TB, client *goredis.Client) int64 {
	t.Helper()
	text, err := client.Info(t.Context(), "keyspace").Result()
	if err != nil {
		t.Fatal(err)
	}
	var all int64
	for line := range strings.Lines(text) {
		var db, keys int64
		if _, err := fmt.Sscanf(line, "db%d:keys=%d,", &db, &keys); err == nil {
			all += keys
		}
	}
	return all
}

// dump is all that a database holds, without when it expires.
func dump(t testing.TB, client *goredis.Client) map[string]string {
	t.Helper()
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	for _, key := range keys {
		if held[key], err = client.Dump(t.Context(), key).Result(); err != nil {
			t.Fatal(err)
		}
	}
	return held
}
