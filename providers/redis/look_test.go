package redis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestPing(t *testing.T) {
	refused, blackhole := backendtest.Refused(t), backendtest.Blackhole(t)
	for name, test := range map[string]struct {
		config  map[string]any
		ok      bool
		reason  string
		summary string
	}{
		"answers":        {nil, true, "", fmt.Sprintf("Redis at 127.0.0.1:%d answers", server.Port)},
		"nobody listens": {map[string]any{"port": refused}, false, "connection_refused", fmt.Sprintf("Redis at 127.0.0.1:%d refused the connection", refused)},
		"nobody answers": {
			map[string]any{"port": blackhole, "connect_timeout": "200ms"}, false, "timeout",
			fmt.Sprintf("Redis at 127.0.0.1:%d did not answer within ", blackhole),
		},
		"no such host":     {map[string]any{"host": "nowhere.invalid"}, false, "host_unknown", "nowhere.invalid"},
		"wrong password":   {map[string]any{"password": "wrong"}, false, "authentication_failed", "WRONGPASS"},
		"no password":      {map[string]any{"password": nil}, false, "authentication_failed", "NOAUTH"},
		"no such database": {map[string]any{"db": 99999}, false, "database_missing", "DB index is out of range"},
		"no TLS":           {map[string]any{"tls": true, "connect_timeout": "200ms"}, false, "timeout", "did not answer within "},
	} {
		t.Run(name, func(t *testing.T) {
			got := done(t, harness(t, test.config).Probe("ping", nil))
			if !strings.Contains(got["summary"].(string), test.summary) {
				t.Errorf("summary %q lacks %q", got["summary"], test.summary)
			}
			equal(t, []any{test.ok, test.reason}, []any{got["ok"], got["reason"]})
		})
	}
}

func TestGet(t *testing.T) {
	l := newLab(t)
	l.do(t, "SET", "word", "exhausted")
	l.do(t, "HSET", "api_key_status", "one", "active", "two", "exhausted")
	l.do(t, "RPUSH", "queue", "b", "a")
	l.do(t, "SADD", "tags", "b", "a")
	l.do(t, "ZADD", "ranks", 2, "second", 1, "first")
	l.do(t, "XADD", "events", "*", "field", "value")
	l.do(t, "SET", "empty", "")
	want := map[string]map[string]any{
		"word":           {"ok": true, "summary": "word = exhausted", "exists": true, "type": "string", "value": "exhausted"},
		"api_key_status": {"ok": true, "summary": "api_key_status is a hash of 2 elements", "exists": true, "type": "hash", "value": map[string]any{"one": "active", "two": "exhausted"}},
		"queue":          {"ok": true, "summary": "queue is a list of 2 elements", "exists": true, "type": "list", "value": []any{"b", "a"}},
		"tags":           {"ok": true, "summary": "tags is a set of 2 elements", "exists": true, "type": "set", "value": []any{"a", "b"}},
		"ranks":          {"ok": true, "summary": "ranks is a zset of 2 elements", "exists": true, "type": "zset", "value": []any{"first", "second"}},
		"events":         {"ok": true, "summary": "events is a stream", "exists": true, "type": "stream", "value": nil},
		"empty":          {"ok": true, "summary": `empty = ""`, "exists": true, "type": "string", "value": ""},
		"missing":        {"ok": false, "summary": "the key missing does not exist", "exists": false, "type": "none", "value": nil},
	}
	got := map[string]map[string]any{}
	for key := range want {
		got[key] = done(t, l.Probe("get", map[string]any{"key": key}))
	}
	equal(t, want, got)
	l.do(t, "SETRANGE", "huge", 2<<20, "x")
	fails(t, wantEnd{"failed_clean", "value_too_large"}, l.Probe("get", map[string]any{"key": "huge"}))
}

func TestTTL(t *testing.T) {
	l := newLab(t)
	l.do(t, "SET", "forever", "1")
	l.do(t, "SET", "soon", "1", "EX", 1000)
	equal(t, map[string]any{"ok": true, "summary": "forever never expires", "exists": true, "ttl_seconds": nil}, done(t, l.Probe("ttl", map[string]any{"key": "forever"})))
	equal(t, map[string]any{"ok": false, "summary": "the key missing does not exist", "exists": false, "ttl_seconds": nil}, done(t, l.Probe("ttl", map[string]any{"key": "missing"})))
	soon := l.Probe("ttl", map[string]any{"key": "soon"})
	seconds, _ := soon.Result.GetAttr("ttl_seconds").AsBigFloat().Float64()
	if seconds <= 900 || seconds > 1000 {
		t.Errorf("ttl_seconds is %g", seconds)
	}
}

func TestCounts(t *testing.T) {
	l := newLab(t)
	equal(t, map[string]any{"ok": false, "summary": fmt.Sprintf("database %d holds 0 keys", l.db), "keys": 0}, done(t, l.Probe("dbsize", nil)))
	server.Fill(t, l.db, "bars:%05d", 2500)
	l.do(t, "SET", "\x02\x00feast", "1")
	equal(t, map[string]any{"ok": true, "summary": fmt.Sprintf("database %d holds 2501 keys", l.db), "keys": 2501}, done(t, l.Probe("dbsize", nil)))
	sample := make([]any, 10)
	for i := range sample {
		sample[i] = fmt.Sprintf("bars:%05d", i)
	}
	equal(t, map[string]any{"ok": true, "summary": "2500 keys match bars:*", "keys": 2500, "sample": sample}, done(t, l.Probe("key_count", map[string]any{"pattern": "bars:*"})))
	equal(t, map[string]any{"ok": true, "summary": `1 key matches "\x02*"`, "keys": 1, "sample": []any{`"\x02\x00feast"`}}, done(t, l.Probe("key_count", map[string]any{"pattern": "\x02*"})))
	equal(t, map[string]any{"ok": false, "summary": "0 keys match Bars:*", "keys": 0, "sample": []any{}}, done(t, l.Probe("key_count", map[string]any{"pattern": "Bars:*"})))
	equal(t, false, done(t, l.Probe("key_count", map[string]any{"pattern": "bars:*", "max": 2499}))["ok"])
	equal(t, true, done(t, l.Probe("key_count", map[string]any{"pattern": "nothing:*", "min": 0, "max": 0}))["ok"])
}

func TestPubsub(t *testing.T) {
	l := newLab(t)
	args := map[string]any{"channel": "market_data_channel"}
	equal(t, map[string]any{"ok": false, "summary": "0 subscribers of market_data_channel", "subscribers": 0}, done(t, l.Probe("pubsub", args), "patterns"))
	subscription := l.client.Subscribe(t.Context(), "market_data_channel")
	defer subscription.Close()
	if _, err := subscription.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, map[string]any{"ok": true, "summary": "1 subscriber of market_data_channel", "subscribers": 1}, done(t, l.Probe("pubsub", args), "patterns"))
}

func TestInfo(t *testing.T) {
	l := newLab(t)
	got := done(t, l.Probe("info", nil))
	equal(t, []any{true, "master", true, true, true, 0}, []any{got["ok"], got["role"], got["link_up"], got["last_save_ok"], got["append_only_ok"], got["max_memory_bytes"]})
	l.do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "1000000000")
	t.Cleanup(func() { server.Client(t, l.db).ConfigSet(context.Background(), "maxmemory", "0") })
	full := done(t, l.Probe("info", map[string]any{"max_memory_ratio": 0.0000001}))
	equal(t, []any{false, 1000000000, "allkeys-lru"}, []any{full["ok"], full["max_memory_bytes"], full["max_memory_policy"]})
}

func TestDeadlineBoundsAHungServer(t *testing.T) {
	port := backendtest.Blackhole(t)
	h := harness(t, map[string]any{"port": port, "connect_timeout": "1m"})
	started := time.Now()
	outcome := h.Probe("dbsize", nil, sdktest.Deadline(started.Add(300*time.Millisecond)))
	fails(t, wantEnd{"failed_clean", "timeout"}, outcome, fmt.Sprintf("127.0.0.1:%d did not answer within ", port))
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestCancelCutsACommandShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	port := backendtest.Intercept(t, fmt.Sprintf("%s:%d", server.Host, server.Port), backendtest.Cut{When: "dbsize"}, func() {
		cancel()
		<-ended // until then the server has not even got the command
	})
	outcome := harness(t, map[string]any{"port": port}).Probe("dbsize", nil, sdktest.Context(ctx))
	close(ended)
	fails(t, wantEnd{"failed_clean", "cancelled"}, outcome)
}
