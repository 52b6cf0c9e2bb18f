package redis_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// here is the test server as effects name it.
func here(rest string) string {
	return fmt.Sprintf("redis://%s:%d%s", sdk.EffectHost("localhost"), server.Port, rest)
}

func TestDeletePattern(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "bars:%05d", 3210)
	l.do(t, "SET", "api_key_status", "active")
	args := map[string]any{"pattern": "bars:*"}

	preview := l.Preview("delete_pattern", args)
	equal(t, schema.Impact{"keys": 3210}, preview.Impact)
	equal(t, "deletes 3210 keys matching bars:*", preview.Summary)
	equal(t, "bars:00000", preview.Sample[0])
	equal(t, 3211, l.keys(t))

	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("delete_pattern", args, sdktest.Limit("keys", 3209)), "3210 keys would be deleted, the limit is 3209")
	equal(t, 3211, l.keys(t))

	want := map[string]any{"ok": true, "summary": "deleted 3210 keys", "keys": 3210, "remaining": 0}
	equal(t, want, done(t, l.Act("delete_pattern", args, sdktest.Limit("keys", 3210))))
	equal(t, 1, l.keys(t))
	again := map[string]any{"ok": true, "summary": "deleted 0 keys", "keys": 0, "remaining": 0}
	equal(t, again, done(t, l.Act("delete_pattern", args)))
}

// Keys that others write between the count and the deletion do not get past the
// limit: no batch is begun that could.
func TestDeletePatternKeepsItsLimitUnderWriters(t *testing.T) {
	args := map[string]any{"pattern": "bars:*"}
	for _, test := range []struct {
		cut    backendtest.Cut
		before int
		want   schema.State
		said   string
	}{
		{backendtest.Cut{After: "scan", When: "scan"}, 10, schema.FailedClean, "the limit is 10; none was deleted"},
		{backendtest.Cut{After: "unlink", When: "scan"}, 5000, schema.FailedPartial, "more keys match than the limit of 5000 allows"},
	} {
		l := newLab(t)
		server.Fill(t, l.db, "bars:%05d", test.before)
		writer := l.client
		port := backendtest.Intercept(t, fmt.Sprintf("%s:%d", server.Host, server.Port), test.cut, func() {
			for i := range 2 * test.before {
				if err := writer.Set(context.Background(), fmt.Sprintf("bars:new:%d", i), 1, 0).Err(); err != nil {
					t.Error(err)
				}
			}
		})
		o := harness(t, map[string]any{"db": l.db, "port": port}).Act("delete_pattern", args, sdktest.Limit("keys", int64(test.before)))
		fails(t, wantEnd{test.want, "limit_exceeded"}, o, test.said)
		if gone := 3*test.before - l.keys(t); gone > test.before {
			t.Errorf("%d keys were deleted, the limit was %d", gone, test.before)
		}
	}
}

func TestDeletePatternIsDescribed(t *testing.T) {
	l := newLab(t)
	db := fmt.Sprintf("/%d", l.db)
	command := []string{
		"bash", "-c", `pattern=$1; shift; "$@" --scan --pattern "$pattern" | xargs -r -d "\n" "$@" UNLINK`, "bash", "bars:*",
		"redis-cli", "-e", "-h", "127.0.0.1", "-p", fmt.Sprint(server.Port), "-n", fmt.Sprint(l.db),
	}
	got := l.Describe("delete_pattern", map[string]any{"pattern": "bars:*"})
	equal(t, schema.Description{
		Effects: []schema.Effect{{Resource: here(db), Mode: schema.Delete}}, Destructive: true, Settling: schema.Idempotent,
		Command: command, Summary: "deletes the keys that match bars:*",
	}, got)
	one := l.Describe("delete_pattern", map[string]any{"pattern": "lock/a"})
	equal(t, []schema.Effect{{Resource: here(db + "/lock%2Fa"), Mode: schema.Delete}}, one.Effects)
	unknown := l.Describe("delete_pattern", map[string]any{"pattern": cty.UnknownVal(cty.String)})
	equal(t, schema.Description{
		Effects: []schema.Effect{{Resource: here(db), Mode: schema.Delete}}, Destructive: true, Settling: schema.Idempotent, Summary: "deletes keys",
	}, unknown)
	for _, pattern := range []string{"", "*", "**", "?*", "*??*"} {
		equal(t, "invalid_argument", l.Describe("delete_pattern", map[string]any{"pattern": pattern}).Failure.Code)
		fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("delete_pattern", map[string]any{"pattern": pattern}))
	}
}

func TestFlushdb(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "feast:%03d", 120)
	args := map[string]any{"require_prefix": []any{"feast:"}}

	preview := l.Preview("flushdb", args)
	equal(t, schema.Impact{"keys": 120}, preview.Impact)
	equal(t, fmt.Sprintf("deletes every key of database %d: 120 keys", l.db), preview.Summary)
	equal(t, 10, len(preview.Sample))

	want := map[string]any{"ok": true, "summary": fmt.Sprintf("flushed database %d: 120 keys", l.db), "keys": 120}
	equal(t, want, done(t, l.Act("flushdb", args)))
	equal(t, 0, l.keys(t))
}

func TestFlushdbRefusesOtherKeys(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "feast:%03d", 120)
	l.do(t, "HSET", "api_key_status", "one", "active")
	args := map[string]any{"require_prefix": []any{"feast:"}}
	said := `1 key lives in this database under none of the prefixes ["feast:"], such as api_key_status; nothing was flushed`
	equal(t, said, l.Preview("flushdb", args).Failure.Message)
	fails(t, wantEnd{"failed_clean", "other_keys"}, l.Act("flushdb", args), said)
	equal(t, 121, l.keys(t))
	// Named as well, it may go.
	done(t, l.Act("flushdb", map[string]any{"require_prefix": []any{"feast:", "api_key_status"}}))
	equal(t, 0, l.keys(t))
}

func TestFlushdbNeedsABound(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "any:%d", 7)
	fails(t, wantEnd{"failed_clean", "unbounded"}, l.Act("flushdb", nil))
	equal(t, "unbounded", l.Preview("flushdb", nil).Failure.Code)
	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("flushdb", nil, sdktest.Limit("keys", 6)), "7 keys would be deleted, the limit is 6")
	equal(t, schema.Impact{"keys": 7}, l.Preview("flushdb", nil, sdktest.Limit("keys", 6)).Impact)
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("flushdb", map[string]any{"require_prefix": []any{""}}))
	equal(t, 7, l.keys(t))
	done(t, l.Act("flushdb", nil, sdktest.Limit("keys", 7)))
	equal(t, 0, l.keys(t))
}

// A key that another client writes between the look and the flush keeps the
// flush from happening: the database is looked at again, and refused.
func TestFlushdbSeesAWriterInBetween(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "feast:%03d", 10)
	intruder := server.Client(t, l.db)
	port := backendtest.Intercept(t, fmt.Sprintf("%s:%d", server.Host, server.Port), backendtest.Cut{When: "eval"}, func() {
		if err := intruder.Set(context.Background(), "api_key_status", "active", 0).Err(); err != nil {
			t.Error(err)
		}
	})
	h := harness(t, map[string]any{"db": l.db, "port": port})
	fails(t, wantEnd{"failed_clean", "other_keys"}, h.Act("flushdb", map[string]any{"require_prefix": []any{"feast:"}}))
	equal(t, 11, l.keys(t))
}

func TestSet(t *testing.T) {
	l := newLab(t)
	args := map[string]any{"key": "mode", "value": "historical", "ttl": "10m"}
	equal(t, "creates mode", l.Preview("set", args).Summary)
	equal(t, map[string]any{"ok": true, "summary": "set mode", "existed": false, "previous": nil, "previous_ttl_seconds": nil}, done(t, l.Act("set", args)))
	equal(t, "overwrites mode, which is historical", l.Preview("set", args).Summary)
	again := done(t, l.Act("set", args), "previous_ttl_seconds")
	equal(t, map[string]any{"ok": true, "summary": "set mode", "existed": true, "previous": "historical"}, again)
	left, err := l.client.TTL(t.Context(), "mode").Result()
	if err != nil || left.Minutes() < 9 {
		t.Errorf("%s left, %v", left, err)
	}
	done(t, l.Act("set", map[string]any{"key": "mode", "value": "live", "keep_ttl": true}))
	left, err = l.client.TTL(t.Context(), "mode").Result()
	if err != nil || left.Minutes() < 9 {
		t.Errorf("%s left, %v", left, err)
	}
	equal(t, schema.Description{
		Effects:  []schema.Effect{{Resource: here(fmt.Sprintf("/%d/mode", l.db)), Mode: schema.Write}},
		Settling: schema.Idempotent, Summary: "sets mode",
		Command: []string{"redis-cli", "-e", "-h", "127.0.0.1", "-p", fmt.Sprint(server.Port), "-n", fmt.Sprint(l.db), "SET", "mode", "historical", "PX", "600000"},
	}, l.Describe("set", args))
	for _, wrong := range []map[string]any{{"ttl": "1s", "keep_ttl": true}, {"ttl": "0s"}, {"ttl": "-1s"}, {"ttl": "10us"}} {
		wrong["key"], wrong["value"] = "mode", ""
		fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("set", wrong))
	}
}

// What cannot be got back from the result is not written over.
func TestSetKeepsWhatIsNoText(t *testing.T) {
	l := newLab(t)
	l.do(t, "HSET", "mode", "one", "active")
	l.do(t, "SET", "model", strings.Repeat("x", 1<<20+1))
	for key, code := range map[string]string{"mode": "wrong_type", "model": "value_too_large"} {
		args := map[string]any{"key": key, "value": "live"}
		if f := l.Preview("set", args).Failure; f == nil || f.Code != code || f.Remedy == "" {
			t.Errorf("the preview of %s says %v", key, f)
		}
		fails(t, wantEnd{"failed_clean", code}, l.Act("set", args), key)
	}
	equal(t, "active", l.client.HGet(t.Context(), "mode", "one").Val())
}

func TestBgsave(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "bars:%d", 5)
	got := done(t, l.Act("bgsave", nil), "saved_at", "summary")
	equal(t, map[string]any{"ok": true}, got)
	if _, err := os.Stat(filepath.Join(server.Dir, "dump.rdb")); err != nil {
		t.Error(err)
	}
	equal(t, []schema.Effect{{Resource: here(""), Mode: schema.Read}, {Resource: here("/snapshot"), Mode: schema.Write}}, l.Describe("bgsave", nil).Effects)
}

// A server that cannot write its snapshot says OK to BGSAVE all the same.
func TestBgsaveThatFails(t *testing.T) {
	own, err := backendtest.StartRedis("--dbfilename", "taken")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Stop)
	if err := os.MkdirAll(filepath.Join(own.Dir, "taken", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	h := harness(t, map[string]any{"port": own.Port})
	fails(t, wantEnd{"failed_partial", "save_failed"}, h.Act("bgsave", nil))
	info := done(t, h.Probe("info", nil))
	equal(t, []any{false, "the last snapshot failed; see the server's log and disk"}, []any{info["ok"], info["summary"]})
}

func TestActionsOnADeadServerAreClean(t *testing.T) {
	h := harness(t, map[string]any{"port": backendtest.Refused(t)})
	for name, args := range map[string]map[string]any{
		"delete_pattern": {"pattern": "a*"}, "flushdb": {"require_prefix": []any{"a"}}, "set": {"key": "a", "value": "b"}, "bgsave": nil,
	} {
		fails(t, wantEnd{"failed_clean", "connection_refused"}, h.Act(name, args), "refused the connection")
	}
}

// lines counts what the driver would write.
type lines struct{ atomic.Int64 }

func (l *lines) Printf(context.Context, string, ...any) { l.Add(1) }

// Where it is only asked to describe, this provider shares a process with others
// that may use the same driver.
func TestProviderThatNeverConnectsLeavesTheDriverAlone(t *testing.T) {
	var said lines
	goredis.SetLogger(&said)
	t.Cleanup(logging.Disable)
	harness(t, nil).Describe("bgsave", nil)
	other := goredis.NewClient(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", backendtest.Refused(t)), DialerRetries: 1, MaxRetries: -1})
	defer other.Close()
	if other.Ping(t.Context()).Err() == nil || said.Load() == 0 {
		t.Error("another client's errors are not logged any more")
	}
}

func TestPasswordIsNeverInTheCommand(t *testing.T) {
	l := newLab(t)
	for name, args := range map[string]map[string]any{
		"delete_pattern": {"pattern": "a*"}, "flushdb": {"require_prefix": []any{"a"}}, "set": {"key": "a", "value": "b"}, "bgsave": nil,
	} {
		d := l.Describe(name, args)
		if strings.Contains(strings.Join(d.Command, " "), server.Password) {
			t.Errorf("%s: %q", name, d.Command)
		}
		if diff := cmp.Diff(0, len(d.Command), cmpopts.EquateEmpty()); diff == "" {
			t.Errorf("%s has no command", name)
		}
	}
}
