package feast_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/feast"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// All of these share one provider, as the steps of a runbook do, and so one
// long-lived Feast; each begins with the lab as it was.
func TestFeast(t *testing.T) {
	h := sdktest.New(t, feast.Provider(), room.config())
	for _, test := range []struct {
		name string
		run  func(*testing.T, *sdktest.Harness)
	}{
		{"probes of a healthy lab", testHealthy},
		{"probes change nothing", testProbesChangeNothing},
		{"a missing registry is not written by looking", testRegistryMissing},
		{"an empty registry is not ok", testRegistryEmpty},
		{"a key that is missing is not fresh", testMissingKey},
		{"Feast calls missing keys PRESENT", testStatuses},
		{"a source without recent rows", testStaleSource},
		{"entities that make no sense", testEntities},
		{"an increment after a flush leaves the store empty", testFlushed},
		{"materialize after a flush", testMaterializeAfterFlush},
		{"an increment writes what is new", testIncremental},
		{"Redis skips rows that are not newer", testNotNewer},
		{"an end in the future poisons the watermark", testFutureEnd},
		{"a value from the future is not fresh", testFromTheFuture},
		{"limits", testLimits},
		{"what Feast cannot do is a failure", testFailures},
		{"a killed materialization", testKilled},
		{"a cancelled materialization", testCancelled},
		{"the registry is lost", testRegistryLost},
		{"apply refuses deletions", testDeletions},
		{"Feast's plan invents updates", testSpuriousUpdate},
		{"purge_view", testPurge},
		{"the helper dies", testHelperDies},
		{"a question out of time", testDeadline},
	} {
		t.Run(test.name, func(t *testing.T) {
			room.heal(t)
			test.run(t, h)
		})
	}
}

// answer is a result as plain values.
func answer(t *testing.T, o schema.Outcome) map[string]any {
	t.Helper()
	if o.State != schema.Done {
		t.Fatalf("got %s: %v", o.State, o.Failure)
	}
	return sdktest.Go(t, o.Result).(map[string]any)
}

// without leaves out what differs from run to run.
func without(fields map[string]any, names ...string) map[string]any {
	for _, name := range names {
		delete(fields, name)
	}
	return fields
}

// failed checks state and code.
func failed(t *testing.T, o schema.Outcome, state schema.State, code string) *schema.Failure {
	t.Helper()
	if o.State != state || o.Failure == nil || o.Failure.Code != code {
		t.Fatalf("got %s, %+v, want %s, %s", o.State, o.Failure, state, code)
	}
	return o.Failure
}

func usdcop() cty.Value { return entities("USDCOP") }

func entities(symbols ...string) cty.Value {
	var list []cty.Value
	for _, symbol := range symbols {
		list = append(list, cty.ObjectVal(map[string]cty.Value{"symbol": cty.StringVal(symbol)}))
	}
	return cty.TupleVal(list)
}

func when(t *testing.T, v any) time.Time {
	t.Helper()
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatalf("%v is no time", v)
	}
	return at
}

func testHealthy(t *testing.T, h *sdktest.Harness) {
	registry := answer(t, h.Probe("registry", nil))
	watermark := when(t, registry["views"].(map[string]any)[view].(map[string]any)["watermark"])
	mark := watermark.Format(time.RFC3339Nano)
	start := watermark.Add(-24 * time.Hour).Format(time.RFC3339Nano)
	want := map[string]any{
		"ok": true, "summary": "the registry holds technical_features",
		"exists": true, "project": "usdcop", "path": room.registryPath(), "feast_version": "0.67.0",
		"feature_views": []any{view}, "entities": []any{"symbol"}, "feature_services": []any{},
		"online_store":  "redis://127.0.0.1:" + room.env["REDIS_PORT"] + "/0/usdcop",
		"offline_store": "postgres://127.0.0.1:" + room.env["POSTGRES_PORT"] + "/usdcop_trading",
		"views": map[string]any{view: map[string]any{
			"entities": []any{"symbol"}, "features": []any{"rsi_9", "log_ret_5m", "log_ret_1h", "atr_pct_9"},
			"ttl_seconds": 86400, "online": true, "state": "AVAILABLE_ONLINE", "servable": true,
			"intervals": 1, "last_start": start, "last_end": mark, "watermark": mark, "watermark_in_future": false,
		}},
	}
	if diff := cmp.Diff(want, registry); diff != "" {
		t.Error(diff)
	}

	var newest time.Time
	if err := room.postgres(t).QueryRow(t.Context(), "SELECT max(time) FROM usdcop_m5_ohlcv").Scan(&newest); err != nil {
		t.Fatal(err)
	}
	bar := newest.UTC().Format(time.RFC3339Nano)
	before := time.Since(newest).Seconds()
	fresh := answer(t, h.Probe("freshness", map[string]any{"feature_view": view}))
	age, _ := fresh["age_seconds"].(float64)
	if after := time.Since(newest).Seconds(); age < before-0.01 || age > after+0.01 { // as exact as it is told
		t.Errorf("the age is %v, not between %v and %v", age, before, after)
	}
	want = map[string]any{
		"ok": true, "entities": 2, "missing": 0, "missing_entities": []any{},
		"oldest": bar, "newest": bar, "offline_newest": bar, "lag_seconds": 0,
		"watermark": mark, "state": "AVAILABLE_ONLINE", "servable": true,
	}
	if diff := cmp.Diff(want, without(fresh, "summary", "age_seconds", "oldest_entity")); diff != "" {
		t.Error(diff)
	}
	stale := answer(t, h.Probe("freshness", map[string]any{"feature_view": view, "max_age": "1ms"}))
	if stale["ok"] != false || !strings.HasSuffix(stale["summary"].(string), "old, more than 1ms") {
		t.Errorf("got %v", stale)
	}
	given := answer(t, h.Probe("freshness", map[string]any{"feature_view": view, "entities": usdcop()}))
	want = map[string]any{
		"ok": true, "entities": 1, "missing": 0, "missing_entities": []any{},
		"oldest": bar, "newest": bar, "oldest_entity": map[string]any{"symbol": "USDCOP"},
		"offline_newest": nil, "lag_seconds": nil,
		"watermark": mark, "state": "AVAILABLE_ONLINE", "servable": true,
	}
	if diff := cmp.Diff(want, without(given, "summary", "age_seconds")); diff != "" {
		t.Error(diff)
	}

	want = map[string]any{
		"ok": true, "summary": "2 entities of technical_features are online as in their source",
		"entities": 2, "missing": 0, "behind": 0, "ahead": 0, "different": 0, "wrong_entities": []any{},
		"lag_seconds": 0, "offline_newest": bar, "online_newest": bar,
		"state": "AVAILABLE_ONLINE", "servable": true,
	}
	if diff := cmp.Diff(want, answer(t, h.Probe("sync", map[string]any{"feature_view": view}))); diff != "" {
		t.Error(diff)
	}

	keys := answer(t, h.Probe("online_keys", map[string]any{"feature_view": view}))
	if diff := cmp.Diff(map[string]any{"ok": true, "summary": "2 keys hold values of technical_features", "keys": 2}, without(keys, "sample")); diff != "" {
		t.Error(diff)
	}

	var rsi float64
	if err := room.postgres(t).QueryRow(t.Context(), "SELECT rsi_9 FROM technical_features WHERE symbol = 'USDCOP' ORDER BY event_timestamp DESC LIMIT 1").Scan(&rsi); err != nil {
		t.Fatal(err)
	}
	want = map[string]any{
		"ok": true, "summary": "every value is present (1 asked for)", "missing": 0, "refused": "",
		"rows": []any{map[string]any{
			"entity": map[string]any{"symbol": "USDCOP"}, "values": map[string]any{"rsi_9": rsi},
			"statuses": map[string]any{"rsi_9": "present"}, "event_timestamps": map[string]any{"rsi_9": bar},
		}},
	}
	features := map[string]any{"features": []string{view + ":rsi_9"}, "entities": usdcop()}
	if diff := cmp.Diff(want, answer(t, h.Probe("online_features", features))); diff != "" {
		t.Error(diff)
	}

	want = map[string]any{
		"ok": true, "summary": "the registry holds what the repository defines", "exists": true,
		"changes": []any{}, "created": 0, "updated": 0, "deleted": 0,
	}
	if diff := cmp.Diff(want, answer(t, h.Probe("plan", nil))); diff != "" {
		t.Error(diff)
	}
}

func testProbesChangeNothing(t *testing.T, h *sdktest.Harness) {
	before, err := room.dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, probe := range []string{"freshness", "sync", "online_keys"} {
		answer(t, h.Probe(probe, map[string]any{"feature_view": view}))
	}
	answer(t, h.Probe("registry", nil))
	answer(t, h.Probe("plan", nil))
	answer(t, h.Probe("online_features", map[string]any{"features": []string{view + ":rsi_9"}, "entities": usdcop()}))
	end := time.Now().UTC().Format(time.RFC3339)
	for name, args := range map[string]map[string]any{
		"materialize": {"end": end}, "materialize_incremental": {"end_time": end},
		"purge_view": {"feature_view": view}, "apply": {},
	} {
		if d := h.Preview(name, args); d.Failure != nil {
			t.Errorf("%s: %v", name, d.Failure)
		}
	}
	after, err := room.dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("Redis: %s", diff)
	}
	registry, err := os.ReadFile(room.registryPath())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(room.registry, registry) {
		t.Error("the registry was written")
	}
	for _, folder := range []string{room.env["LAB_FEATURE_REPO"]} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if diff := cmp.Diff([]string{"data", "feature_store.yaml", "technical_features.py"}, names); diff != "" {
			t.Errorf("the repository: %s", diff)
		}
	}
}

func testRegistryMissing(t *testing.T, h *sdktest.Harness) {
	if err := os.Remove(room.registryPath()); err != nil {
		t.Fatal(err)
	}
	got := answer(t, h.Probe("registry", nil))
	if got["ok"] != false || got["exists"] != false || got["summary"] != "there is no registry at "+room.registryPath() {
		t.Errorf("got %v", got)
	}
	failed(t, h.Probe("freshness", map[string]any{"feature_view": view}), schema.FailedClean, "registry_missing")
	failed(t, h.Act("materialize", map[string]any{"end": time.Now()}), schema.FailedClean, "registry_missing")
	plan := answer(t, h.Probe("plan", nil))
	if plan["ok"] != false || plan["created"] != 4 {
		t.Errorf("got %v", plan)
	}
	if _, err := os.Stat(room.registryPath()); !os.IsNotExist(err) {
		t.Errorf("the registry was written: %v", err)
	}
}

func testRegistryEmpty(t *testing.T, h *sdktest.Harness) {
	room.writeRegistry(t, nil)
	got := answer(t, h.Probe("registry", nil))
	if got["ok"] != false || got["exists"] != true || got["summary"] != "the registry at "+room.registryPath()+" holds no feature view" {
		t.Errorf("got %v", got)
	}
	f := failed(t, h.Probe("sync", map[string]any{"feature_view": view}), schema.FailedClean, "no_such_feature_view")
	if f.Message != "the registry has no feature view technical_features; it has: none" {
		t.Error(f)
	}
}

func testMissingKey(t *testing.T, h *sdktest.Harness) {
	got := answer(t, h.Probe("freshness", map[string]any{"feature_view": view, "entities": entities("USDCOP", "NOWHERE")}))
	want := map[string]any{
		"ok": false, "summary": "the online store holds 1 of 2 entities of technical_features",
		"age_seconds": nil, "entities": 2, "missing": 1, "missing_entities": []any{map[string]any{"symbol": "NOWHERE"}},
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	room.flush(t)
	got = answer(t, h.Probe("freshness", map[string]any{"feature_view": view}))
	if got["ok"] != false || got["missing"] != 2 || got["age_seconds"] != nil ||
		got["summary"] != "the online store holds none of 2 entities of technical_features" {
		t.Errorf("got %v", got)
	}
	synced := answer(t, h.Probe("sync", map[string]any{"feature_view": view}))
	if synced["ok"] != false || synced["missing"] != 2 || synced["lag_seconds"] != nil {
		t.Errorf("got %v", synced)
	}
	keys := answer(t, h.Probe("online_keys", map[string]any{"feature_view": view}))
	if keys["ok"] != false || keys["keys"] != 0 {
		t.Errorf("got %v", keys)
	}
}

func testStatuses(t *testing.T, h *sdktest.Harness) {
	got := answer(t, h.Probe("online_features", map[string]any{"features": []string{view + ":rsi_9"}, "entities": entities("NOWHERE")}))
	want := map[string]any{
		"ok": false, "summary": "1 of 1 values are not present", "missing": 1, "refused": "",
		"rows": []any{map[string]any{
			"entity": map[string]any{"symbol": "NOWHERE"}, "values": map[string]any{"rsi_9": nil},
			"statuses": map[string]any{"rsi_9": "missing"}, "event_timestamps": map[string]any{"rsi_9": nil},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func testStaleSource(t *testing.T, h *sdktest.Harness) {
	conn := room.postgres(t)
	move := func(by string) {
		if _, err := conn.Exec(t.Context(), "UPDATE usdcop_m5_ohlcv SET time = time + $1::text::interval", by); err != nil {
			t.Fatal(err)
		}
	}
	move("-30 days")
	defer move("30 days")
	got := answer(t, h.Probe("freshness", map[string]any{"feature_view": view}))
	if got["ok"] != false || got["entities"] != 0 || got["age_seconds"] != nil || !strings.HasPrefix(got["summary"].(string), "no entity has a source row within the time to live of technical_features; the newest row is of 20") {
		t.Errorf("got %v", got)
	}
	synced := answer(t, h.Probe("sync", map[string]any{"feature_view": view}))
	if synced["ok"] != false || synced["entities"] != 0 || synced["lag_seconds"] != nil {
		t.Errorf("got %v", synced)
	}
}

func testEntities(t *testing.T, h *sdktest.Harness) {
	wrong := cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"ticker": cty.StringVal("USDCOP")})})
	f := failed(t, h.Probe("freshness", map[string]any{"feature_view": view, "entities": wrong}), schema.FailedClean, "invalid_argument")
	if f.Argument != "entities" || f.Message != "an entity of technical_features is made of symbol, not of ticker" {
		t.Errorf("got %+v", f)
	}
	none := answer(t, h.Probe("freshness", map[string]any{"feature_view": view, "entities": cty.EmptyTupleVal}))
	if none["ok"] != false || none["summary"] != "there is no entity of technical_features to look for" {
		t.Errorf("got %v", none)
	}
	failed(t, h.Probe("freshness", map[string]any{"feature_view": "nope"}), schema.FailedClean, "no_such_feature_view")
}
