package feast_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func testFlushed(t *testing.T, h *sdktest.Harness) {
	room.flush(t)
	end := time.Now().UTC().Truncate(time.Second)
	increment := map[string]any{"end_time": end}
	if d := h.Preview("materialize_incremental", increment); d.Failure == nil || d.Failure.Code != "online_store_empty" {
		t.Errorf("the preview says %+v", d)
	}
	failed(t, h.Act("materialize_incremental", increment), schema.FailedClean, "online_store_empty")

	// What Feast does, and why it is refused: it exits 0 and writes nothing.
	if said, err := room.feast(t, "materialize-incremental", end.Format("2006-01-02T15:04:05")); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if got := answer(t, h.Probe("online_keys", map[string]any{"feature_view": view})); got["keys"] != 0 {
		t.Errorf("the increment wrote %v keys: the hazard is gone", got["keys"])
	}
}

func testMaterializeAfterFlush(t *testing.T, h *sdktest.Harness) {
	others := map[string]string{}
	for key, value := range room.keys {
		if !strings.Contains(key, "symbol") {
			others[key] = value
		}
	}
	room.flush(t)
	end := time.Now().UTC().Truncate(time.Second)
	start := end.Add(-24 * time.Hour)
	d := h.Preview("materialize", map[string]any{"end": end})
	host, _ := os.Hostname()
	host = strings.ToLower(host)
	rows, mark := d.Impact["rows"], watermark(t, h)
	want := schema.Description{
		Settling: schema.Idempotent,
		Effects: []schema.Effect{
			{Resource: "feast://" + host + room.env["LAB_FEATURE_REPO"] + "/registry", Mode: schema.Write},
			{Resource: "redis://" + host + ":" + room.env["REDIS_PORT"] + "/0/usdcop", Mode: schema.Write},
			{Resource: "postgres://" + host + ":" + room.env["POSTGRES_PORT"] + "/usdcop_trading", Mode: schema.Read},
		},
		Command: []string{room.env["LAB_FEAST"], "-c", room.env["LAB_FEATURE_REPO"], "materialize", "$START", end.Format(time.RFC3339)},
		Impact:  schema.Impact{"rows": rows, "keys": 2},
	}
	if !strings.HasPrefix(d.Summary, view+" from "+start.Format(time.RFC3339)+" to "+end.Format(time.RFC3339)+": ") || rows < 500 {
		t.Errorf("the preview says %q", d.Summary)
	}
	d.Summary, d.Sample = "", nil
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}

	for range 2 { // idempotent: the second writes nothing, and harms nothing
		got := answer(t, h.Act("materialize", map[string]any{"end": end, "feature_views": []string{view}}))
		intervals := []any{map[string]any{
			"feature_view": view, "start": start.Format(time.RFC3339), "end": end.Format(time.RFC3339),
			"watermark_before": mark.Format(time.RFC3339Nano),
		}}
		if diff := cmp.Diff(intervals, got["intervals"]); diff != "" {
			t.Error(diff)
		}
		if got["rows_offered"] != 2 || mark.Before(end) && got["rows_written"] != 2 {
			t.Errorf("got %v", got)
		}
		mark = end
		if synced := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); synced["ok"] != true {
			t.Errorf("got %v", synced)
		}
	}
	// The registry was replaced as a whole, and looks as it did.
	entries, err := os.ReadDir(filepath.Dir(room.registryPath()))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the registry there is %v, %v", entries, err)
	}
	if info, err := os.Stat(room.registryPath()); err != nil || info.Mode() != 0o644 {
		t.Errorf("the registry's mode is %v, %v", info.Mode(), err)
	}
	held, err := room.dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range others {
		if held[key] != value {
			t.Errorf("the key %q of somebody else was changed", key)
		}
	}
}

func watermark(t *testing.T, h *sdktest.Harness) time.Time {
	t.Helper()
	views := answer(t, h.Probe("registry", nil))["views"].(map[string]any)
	return when(t, views[view].(map[string]any)["watermark"])
}

func testIncremental(t *testing.T, h *sdktest.Harness) {
	mark := watermark(t, h)
	bar := mark.Add(100 * time.Millisecond)
	room.insert(t, "USDCOP", bar)
	synced := answer(t, h.Probe("sync", map[string]any{"feature_view": view}))
	if synced["ok"] != false || synced["behind"] != 1 || synced["lag_seconds"] == 0 {
		t.Errorf("got %v", synced)
	}
	end := time.Now().UTC()
	d := h.Preview("materialize_incremental", map[string]any{"end_time": end})
	if diff := cmp.Diff(schema.Impact{"rows": 1, "keys": 1}, d.Impact); diff != "" || d.Failure != nil {
		t.Errorf("%v, %v", diff, d.Failure)
	}
	got := answer(t, h.Act("materialize_incremental", map[string]any{"end_time": end}))
	want := map[string]any{
		"ok": true, "summary": "wrote 1 rows to the online store",
		"rows_written": 1, "rows_offered": 1,
		"intervals": []any{map[string]any{
			"feature_view": view, "start": mark.Format(time.RFC3339Nano),
			"end": end.Truncate(time.Microsecond).Format(time.RFC3339Nano), "watermark_before": mark.Format(time.RFC3339Nano),
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if synced := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); synced["ok"] != true {
		t.Errorf("got %v", synced)
	}
	f := failed(t, h.Act("materialize_incremental", map[string]any{"end_time": mark}), schema.FailedClean, "end_before_watermark")
	if f.Argument != "end_time" {
		t.Errorf("got %+v", f)
	}
}

// A correction of a row that is already online never arrives.
func testNotNewer(t *testing.T, h *sdktest.Harness) {
	conn := room.postgres(t)
	change := func(by float64) {
		if _, err := conn.Exec(t.Context(), "UPDATE usdcop_m5_ohlcv SET close = close + $1 WHERE time = (SELECT max(time) FROM usdcop_m5_ohlcv)", by); err != nil {
			t.Fatal(err)
		}
	}
	change(7)
	defer change(-7)
	synced := func() map[string]any {
		return answer(t, h.Probe("sync", map[string]any{"feature_view": view}))
	}
	if got := synced(); got["ok"] != false || got["different"] != 2 {
		t.Errorf("got %v", got)
	}
	got := answer(t, h.Act("materialize", map[string]any{"end": time.Now()}))
	if got["rows_written"] != 0 || got["rows_offered"] != 2 {
		t.Errorf("got %v", got)
	}
	if got := synced(); got["ok"] != false || got["different"] != 2 {
		t.Errorf("got %v", got)
	}
	answer(t, h.Act("purge_view", map[string]any{"feature_view": view}))
	answer(t, h.Act("materialize", map[string]any{"end": time.Now()}))
	if got := synced(); got["ok"] != true {
		t.Errorf("got %v", got)
	}
}

func testFutureEnd(t *testing.T, h *sdktest.Harness) {
	future := time.Now().UTC().Add(time.Hour).Truncate(time.Second)
	for name, args := range map[string]map[string]any{
		"materialize": {"end": future}, "materialize_incremental": {"end_time": future},
	} {
		if d := h.Describe(name, args); d.Failure == nil || d.Failure.Code != "end_in_future" {
			t.Errorf("%s is described as %+v", name, d)
		}
		failed(t, h.Act(name, args), schema.FailedClean, "end_in_future")
	}

	// What Feast does: it takes the end, and reads nothing from then on.
	if said, err := room.feast(t, "materialize-incremental", future.Format("2006-01-02T15:04:05")); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	room.insert(t, "USDCOP", time.Now().UTC())
	now := time.Now().UTC().Truncate(time.Second)
	if said, err := room.feast(t, "materialize-incremental", now.Format("2006-01-02T15:04:05")); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if got := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); got["behind"] != 1 {
		t.Errorf("the increment after it read something, the hazard is gone: %v", got)
	}
	got := answer(t, h.Probe("registry", nil))
	if v := got["views"].(map[string]any)[view].(map[string]any); v["watermark_in_future"] != true {
		t.Errorf("got %v", got)
	}
	f := failed(t, h.Act("materialize_incremental", map[string]any{"end_time": now}), schema.FailedClean, "watermark_in_future")
	if !strings.HasPrefix(f.Remedy, "use feast.materialize") {
		t.Errorf("got %+v", f)
	}
	answer(t, h.Act("materialize", map[string]any{"end": time.Now()}))
	if got := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); got["ok"] != true {
		t.Errorf("got %v", got)
	}
}

// Redis keeps a row from the future, so that nothing newer gets in.
func testFromTheFuture(t *testing.T, h *sdktest.Harness) {
	ahead, err := proto.Marshal(timestamppb.New(time.Now().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	for key := range room.keys {
		if strings.HasSuffix(key, "USDCOPusdcop") { // entity and project
			if err := room.redis.HSet(t.Context(), key, "_ts:"+view, ahead).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	answer(t, h.Act("materialize", map[string]any{"end": time.Now()}))
	if got := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); got["ok"] != false || got["ahead"] != 1 {
		t.Errorf("sync: %v", got)
	}
	for name, args := range map[string]map[string]any{
		"all of the source": {"feature_view": view}, "one": {"feature_view": view, "entities": usdcop(), "max_age": "24h"},
	} {
		got := answer(t, h.Probe("freshness", args))
		if summary := got["summary"].(string); got["ok"] != false || !strings.Contains(summary, "in the future") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func testLimits(t *testing.T, h *sdktest.Harness) {
	end := map[string]any{"end": time.Now()}
	failed(t, h.Act("materialize", end, sdktest.Limit("rows", 10)), schema.FailedClean, "over_limit")
	failed(t, h.Act("materialize", end, sdktest.Limit("keys", 1)), schema.FailedClean, "over_limit")
	purge := map[string]any{"feature_view": view}
	failed(t, h.Act("purge_view", purge, sdktest.Limit("keys", 1)), schema.FailedClean, "over_limit")
	held, err := room.dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(room.keys, held); diff != "" {
		t.Error(diff)
	}
}

// hanging starts a materialization that waits for a lock in PostgreSQL, and
// returns how to let it go on.
func hanging(t *testing.T, h *sdktest.Harness, ctx context.Context) (outcome <-chan schema.Outcome, release func()) {
	t.Helper()
	conn, watch := room.postgres(t), room.postgres(t)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE usdcop_m5_ohlcv IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	done := make(chan schema.Outcome, 1)
	go func() {
		done <- h.Act("materialize_incremental", map[string]any{"end_time": time.Now()}, sdktest.Context(ctx))
	}()
	eventually(t, "the materialization waits", func() bool { return waiting(t, watch) == 1 })
	return done, func() { _ = tx.Rollback(context.Background()) }
}

func testKilled(t *testing.T, h *sdktest.Harness) {
	mark := watermark(t, h)
	before := children(t)
	outcome, release := hanging(t, h, t.Context())
	defer release()
	for _, pid := range children(t) {
		if !slices.Contains(before, pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	o := <-outcome
	failed(t, o, schema.FailedPartial, "helper_died")
	if !strings.Contains(o.Failure.Message, "ended while materializing (signal: killed)") {
		t.Error(o.Failure)
	}
	release()

	got := answer(t, h.Probe("registry", nil))
	v := got["views"].(map[string]any)[view].(map[string]any)
	if v["state"] != "MATERIALIZING" || v["servable"] != false || got["summary"] != "the registry holds technical_features; technical_features is MATERIALIZING, and Feast does not serve it" {
		t.Errorf("got %v", got)
	}
	if now := watermark(t, h); !now.Equal(mark) {
		t.Errorf("the watermark moved from %s to %s", mark, now)
	}
	features := map[string]any{"features": []string{view + ":rsi_9"}, "entities": usdcop()}
	if got := answer(t, h.Probe("online_features", features)); got["ok"] != false || !strings.Contains(got["refused"].(string), "MATERIALIZING") {
		t.Errorf("got %v", got)
	}
	for _, probe := range []string{"freshness", "sync"} {
		if got := answer(t, h.Probe(probe, map[string]any{"feature_view": view})); got["ok"] != false || got["servable"] != false {
			t.Errorf("%s says %v", probe, got)
		}
	}

	// A later run takes the view as it is, and leaves it servable.
	answer(t, h.Act("materialize_incremental", map[string]any{"end_time": time.Now()}))
	if got := answer(t, h.Probe("online_features", features)); got["ok"] != true {
		t.Errorf("got %v", got)
	}
}

func testCancelled(t *testing.T, h *sdktest.Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch := room.postgres(t)
	outcome, release := hanging(t, h, ctx)
	defer release()
	cancel()
	failed(t, <-outcome, schema.FailedPartial, "cancelled")
	if n := waiting(t, watch); n != 0 {
		t.Errorf("%d statements still wait in PostgreSQL", n)
	}
	got := answer(t, h.Probe("registry", nil))
	if v := got["views"].(map[string]any)[view].(map[string]any); v["state"] != "AVAILABLE_ONLINE" || v["servable"] != true {
		t.Errorf("got %v", v)
	}
}

func testRegistryLost(t *testing.T, h *sdktest.Harness) {
	if err := os.Remove(room.registryPath()); err != nil {
		t.Fatal(err)
	}
	d := h.Preview("apply", nil)
	if diff := cmp.Diff(schema.Impact{"changes": 4, "deletions": 0}, d.Impact); diff != "" || d.Failure != nil || d.Destructive {
		t.Errorf("%s %+v", diff, d)
	}
	got := answer(t, h.Act("apply", nil))
	if got["summary"] != "the registry holds what the repository defines; 4 objects were changed; never materialized: technical_features" {
		t.Errorf("got %v", got)
	}
	registry := answer(t, h.Probe("registry", nil))
	v := registry["views"].(map[string]any)[view].(map[string]any)
	if v["watermark"] != nil || v["intervals"] != 0 || registry["ok"] != true {
		t.Errorf("got %v", registry)
	}
	// The values are still online; only when they were written is forgotten.
	if keys := answer(t, h.Probe("online_keys", map[string]any{"feature_view": view})); keys["keys"] != 2 {
		t.Errorf("got %v", keys)
	}
	answer(t, h.Act("materialize", map[string]any{"end": time.Now()}))
	if got := answer(t, h.Probe("sync", map[string]any{"feature_view": view})); got["ok"] != true {
		t.Errorf("got %v", got)
	}
}
