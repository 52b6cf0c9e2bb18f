package feast_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// waiting counts statements that wait for a lock in PostgreSQL.
func waiting(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	var n int
	err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// children are this process's own.
func children(t *testing.T) []int {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended
		}
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func testFailures(t *testing.T, h *sdktest.Harness) {
	f := failed(t, h.Act("materialize", map[string]any{"end": time.Now(), "feature_views": []string{"nope"}}), schema.FailedClean, "no_such_feature_view")
	if f.Message != "the registry has no feature view nope; it has: technical_features" {
		t.Error(f)
	}
	// A source that is not there any more. Feast rolls the state back itself.
	conn := room.postgres(t)
	exec := func(sql string) {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("ALTER VIEW technical_features RENAME TO technical_features_away")
	defer exec("ALTER VIEW technical_features_away RENAME TO technical_features")
	f = failed(t, h.Act("materialize", map[string]any{"end": time.Now()}), schema.FailedPartial, "feast_error")
	if !strings.Contains(f.Message, `relation "technical_features" does not exist`) {
		t.Error(f)
	}
	got := answer(t, h.Probe("registry", nil))
	if v := got["views"].(map[string]any)[view].(map[string]any); v["state"] != "AVAILABLE_ONLINE" {
		t.Errorf("got %v", v)
	}

	// Feast applies such a definition without a word.
	if said, err := room.feast(t, "apply"); err != nil {
		t.Errorf("Feast looks at its sources: %v\n%s", err, said)
	}
	f = failed(t, h.Act("apply", nil), schema.FailedClean, "source_unreadable")
	if f.Message != `the source of technical_features cannot be read: relation "technical_features" does not exist` {
		t.Error(f)
	}
	failed(t, h.Probe("plan", nil), schema.FailedClean, "source_unreadable")
	answer(t, h.Probe("plan", map[string]any{"skip_source_validation": true}))
}

// define puts another definition into the lab's repository while the test runs.
func define(t *testing.T, text string) {
	t.Helper()
	path := filepath.Join(room.env["LAB_FEATURE_REPO"], "technical_features.py")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, before, 0o644); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "@DEFINITIONS@", string(before))), 0o644); err != nil {
		t.Fatal(err)
	}
}

func testDeletions(t *testing.T, h *sdktest.Harness) {
	define(t, "@DEFINITIONS@\n"+`
slow_features = FeatureView(
    name="slow_features", entities=[symbol], ttl=timedelta(days=2),
    schema=[Field(name="atr_pct_9", dtype=Float64)], source=technical_features.batch_source,
)
`)
	plan := answer(t, h.Probe("plan", nil))
	want := []any{map[string]any{"type": "feature view", "name": "slow_features", "change": "create", "properties": []any{}}}
	if diff := cmp.Diff(want, plan["changes"]); diff != "" {
		t.Error(diff)
	}
	got := answer(t, h.Act("apply", nil))
	if diff := cmp.Diff(want, got["changes"]); diff != "" {
		t.Error(diff)
	}
	// The view that stays keeps its watermark.
	before := watermark(t, h)
	answer(t, h.Act("materialize", map[string]any{"end": time.Now()}))
	if !watermark(t, h).After(before) {
		t.Error("the watermark was lost")
	}
	slow := map[string]any{"feature_view": "slow_features"}
	if keys := answer(t, h.Probe("online_keys", slow)); keys["keys"] != 2 {
		t.Errorf("got %v", keys)
	}

	// Both views share a hash per entity; purging one leaves the other.
	if d := h.Preview("purge_view", slow); d.Impact["keys"] != 2 || !d.Destructive {
		t.Errorf("got %+v", d)
	}
	if purged := answer(t, h.Act("purge_view", slow)); purged["keys"] != 2 {
		t.Errorf("got %v", purged)
	}
	if keys := answer(t, h.Probe("online_keys", slow)); keys["keys"] != 0 {
		t.Errorf("got %v", keys)
	}
	if synced := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); synced["ok"] != true {
		t.Errorf("got %v", synced)
	}

	// It is not defined any more.
	path := filepath.Join(room.env["LAB_FEATURE_REPO"], "technical_features.py")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:bytes.Index(text, []byte("slow_features"))], 0o644); err != nil {
		t.Fatal(err)
	}
	if d := h.Describe("apply", nil); d.Destructive {
		t.Errorf("got %+v", d)
	}
	if d := h.Preview("apply", nil); d.Failure == nil || d.Failure.Code != "would_delete" {
		t.Errorf("got %+v", d)
	}
	f := failed(t, h.Act("apply", nil), schema.FailedClean, "would_delete")
	if f.Message != "these are in the registry and no longer in the repository: feature view slow_features" {
		t.Error(f)
	}
	allowed := map[string]any{"allow_deletions": true}
	if d := h.Preview("apply", allowed); !d.Destructive || d.Impact["deletions"] != 1 || d.Sample[0] != "delete feature view slow_features" {
		t.Errorf("got %+v", d)
	}
	failed(t, h.Act("apply", allowed, sdktest.Limit("deletions", 0)), schema.FailedClean, "over_limit")
	answer(t, h.Act("apply", allowed))
	if plan := answer(t, h.Probe("plan", nil)); plan["ok"] != true {
		t.Errorf("got %v", plan)
	}
	if d := h.Preview("apply", allowed); d.Destructive {
		t.Errorf("nothing is deleted, and yet: %+v", d)
	}
}

func testSpuriousUpdate(t *testing.T, h *sdktest.Harness) {
	said, err := room.feast(t, "plan")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if !strings.Contains(said, "Updated feature view") {
		t.Errorf("Feast's plan invents no update any more:\n%s", said)
	}
	if plan := answer(t, h.Probe("plan", nil)); plan["ok"] != true {
		t.Errorf("got %v", plan)
	}
	define(t, "@DEFINITIONS@\ntechnical_features.ttl = timedelta(days=3)\n")
	plan := answer(t, h.Probe("plan", nil))
	want := []any{map[string]any{"type": "feature view", "name": view, "change": "update", "properties": []any{"ttl"}}}
	if diff := cmp.Diff(want, plan["changes"]); diff != "" {
		t.Error(diff)
	}
}

// Keys of another project whose name ends like ours are not ours.
func testPurge(t *testing.T, h *sdktest.Harness) {
	kept := map[string]string{}
	for key, value := range room.keys {
		if !strings.HasSuffix(key, "usdcop") {
			kept[key] = value
			continue
		}
		other := strings.TrimSuffix(key, "usdcop") + "eu_usdcop"
		if err := room.redis.Restore(t.Context(), other, 0, value).Err(); err != nil {
			t.Fatal(err)
		}
		kept[other] = value
	}
	if keys := answer(t, h.Probe("online_keys", map[string]any{"feature_view": view})); keys["keys"] != 2 {
		t.Errorf("got %v", keys)
	}
	got := answer(t, h.Act("purge_view", map[string]any{"feature_view": view}))
	if diff := cmp.Diff(map[string]any{"ok": true, "keys": 2, "summary": "deleted the values of technical_features from 2 keys"}, got); diff != "" {
		t.Error(diff)
	}
	held, err := room.dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, held); diff != "" {
		t.Error(diff)
	}
}

func testHelperDies(t *testing.T, h *sdktest.Harness) {
	answer(t, h.Probe("registry", nil))
	for _, pid := range children(t) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	// Many at once, all of them before the new helper is ready.
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			if o := h.Probe("freshness", map[string]any{"feature_view": view}); o.State != schema.Done {
				return o.Failure
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func testDeadline(t *testing.T, h *sdktest.Harness) {
	conn := room.postgres(t)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE usdcop_m5_ohlcv IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	o := h.Probe("sync", map[string]any{"feature_view": view}, sdktest.Deadline(time.Now().Add(5*time.Second)))
	f := failed(t, o, schema.FailedClean, "timeout")
	if f.Message != "no answer in time while reading postgres://127.0.0.1:"+room.env["POSTGRES_PORT"]+"/usdcop_trading" {
		t.Error(f)
	}
	// Others were not disturbed.
	answer(t, h.Probe("registry", nil))
}
