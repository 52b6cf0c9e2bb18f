package postgres_test

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestDelete(t *testing.T) {
	l := newLab(t, bars("100"))
	args := map[string]any{"table": "bars", "where": "close > $1 AND bars.symbol = 'USDCOP' -- late ones", "params": []any{4090}, "backup_to": "bars_deleted"}

	preview := l.Preview("delete", args)
	if preview.Failure != nil {
		t.Fatal(preview.Failure)
	}
	equal(t, []any{schema.Impact{"rows": 10}, "deletes 10 rows of public.bars", 5, true}, []any{preview.Impact, preview.Summary, len(preview.Sample), preview.Destructive})
	equal(t, []schema.Effect{{Resource: l.here("/public.bars"), Mode: schema.Delete}, {Resource: l.here("/public.bars_deleted"), Mode: schema.Write}}, preview.Effects)
	equal(t, "true", l.one(t, "SELECT to_regclass('bars_deleted') IS NULL"))

	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("delete", args, sdktest.Limit("rows", 9)), "10 rows would be hit, the limit is 9; it was rolled back")
	equal(t, "100 true", l.one(t, "SELECT (SELECT count(*) FROM bars) || ' ' || (to_regclass('bars_deleted') IS NULL)"))

	got := done(t, l.Act("delete", args, sdktest.Limit("rows", 10), sdktest.Key("k")), "at")
	equal(t, map[string]any{"ok": true, "summary": "deleted from bars: 10 rows", "rows": int(preview.Impact["rows"]), "repeated": false}, got)
	equal(t, "90 10", l.one(t, "SELECT (SELECT count(*) FROM bars) || ' ' || (SELECT count(*) FROM bars_deleted WHERE close > 4090)"))
	equal(t, true, done(t, l.Act("delete", args, sdktest.Key("k")))["repeated"])
	equal(t, 10, done(t, l.Settle("delete", args, sdktest.Key("k")))["rows"])

	// Another run's rows would be mixed with these.
	fails(t, wantEnd{"failed_clean", "backup_not_empty"}, l.Act("delete", args, sdktest.Key("other")), "the backup table bars_deleted already holds rows")
	equal(t, "backup_not_empty", l.Preview("delete", args).Failure.Code)
	server.Exec(t, l.database, "CREATE TABLE other (id int)")
	args["backup_to"] = "other"
	fails(t, wantEnd{"failed_clean", "backup_differs"}, l.Act("delete", args))
	equal(t, "backup_differs", l.Preview("delete", args).Failure.Code)
	equal(t, "90", l.one(t, "SELECT count(*) FROM bars"))
}

func TestDeleteOfNothing(t *testing.T) {
	l := newLab(t, bars("10"))
	args := map[string]any{"table": "bars", "where": "symbol LIKE 'usd%'"}
	equal(t, "deletes 0 rows of public.bars; LIKE tells upper from lower case, ILIKE does not", l.Preview("delete", args).Summary)
	equal(t, "deleted from bars: 0 rows", done(t, l.Act("delete", args))["summary"])
	equal(t, "deletes 0 rows of public.bars", l.Preview("delete", map[string]any{"table": "bars", "where": "symbol ILIKE 'like%'"}).Summary)
	args["expect_rows"] = map[string]any{"min": 1}
	fails(t, wantEnd{"failed_clean", "unexpected_rows"}, l.Act("delete", args), "0 rows would be hit, expect_rows says at least 1")
}

func TestDeleteNamesWhatForeignKeysTake(t *testing.T) {
	l := newLab(t, "CREATE SCHEMA market", "CREATE TABLE market.orders (id int PRIMARY KEY)",
		"CREATE TABLE market.lines (id int PRIMARY KEY, of int REFERENCES market.orders ON DELETE CASCADE)",
		"CREATE TABLE market.notes (line int REFERENCES market.lines ON DELETE SET NULL)",
		"CREATE TABLE market.kept (of int REFERENCES market.orders)",
		"INSERT INTO market.orders VALUES (1)", "INSERT INTO market.lines VALUES (1, 1), (2, 1)")
	server.Exec(t, l.database, "ALTER DATABASE "+l.database+" SET search_path = market")
	preview := l.Preview("delete", map[string]any{"table": "orders", "where": "id = 1"})
	if preview.Failure != nil {
		t.Fatal(preview.Failure)
	}
	equal(t, []schema.Effect{
		{Resource: l.here("/market.orders"), Mode: schema.Delete}, {Resource: l.here("/market.lines"), Mode: schema.Delete}, {Resource: l.here("/market.notes"), Mode: schema.Write},
	}, preview.Effects)
	equal(t, "deletes 1 row of market.orders; foreign keys take along rows of market.lines (deleted), market.notes (keys cleared), which are not counted", preview.Summary)
}

func TestUpdate(t *testing.T) {
	l := newLab(t, "CREATE TABLE pipeline_status (id int PRIMARY KEY, pipeline_name text, status text, ended_at timestamptz, tries int DEFAULT 1)",
		"INSERT INTO pipeline_status SELECT i, CASE WHEN i % 2 = 0 THEN 'L0' ELSE 'l0' END, 'running', now() FROM generate_series(1, 10) AS i")
	args := map[string]any{
		"table": "public.pipeline_status", "where": "pipeline_name ILIKE $1 AND id <= $2", "params": []any{"%l0%", 6},
		"set": map[string]any{"status": "it's failed", "ended_at": nil, "tries": 3}, "backup_to": "status_before",
	}
	preview := l.Preview("update", args)
	equal(t, []any{schema.Impact{"rows": 6}, "updates 6 rows of public.pipeline_status", false}, []any{preview.Impact, preview.Summary, preview.Destructive})
	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("update", args, sdktest.Limit("rows", 5)))
	equal(t, "0", l.one(t, "SELECT count(*) FROM pipeline_status WHERE status <> 'running'"))

	got := done(t, l.Act("update", args, sdktest.Key("k")), "at")
	equal(t, map[string]any{"ok": true, "summary": "updated in public.pipeline_status: 6 rows", "rows": 6, "repeated": false}, got)
	equal(t, "6", l.one(t, "SELECT count(*) FROM pipeline_status WHERE status = 'it''s failed' AND ended_at IS NULL AND tries = 3"))
	equal(t, "6", l.one(t, "SELECT count(*) FROM status_before WHERE status = 'running' AND ended_at IS NOT NULL AND tries = 1"))
	equal(t, true, done(t, l.Act("update", args, sdktest.Key("k")))["repeated"])
	fails(t, wantEnd{"failed_clean", "backup_not_empty"}, l.Act("update", args, sdktest.Key("other")))
}

func TestChangesAreDescribed(t *testing.T) {
	l := newLab(t)
	equal(t, schema.Description{
		Effects:     []schema.Effect{{Resource: l.here("/public.bars"), Mode: schema.Delete}, {Resource: l.here("/market.old"), Mode: schema.Write}},
		Destructive: true, Settling: schema.Keyed,
		Summary: "deletes the rows of bars with time > $1 and keeps them in market.old",
		Command: l.psql(
			`CREATE TABLE IF NOT EXISTS "market"."old" (LIKE "bars")`,
			"PREPARE runbook_step AS WITH gone AS (DELETE FROM \"bars\" WHERE (time > $1) RETURNING *) INSERT INTO \"market\".\"old\" SELECT * FROM gone",
			"EXECUTE runbook_step ('2025-10-22T10:00:00-05:00')",
		),
	}, l.Describe("delete", map[string]any{"table": "bars", "where": "time > $1", "params": []any{"2025-10-22T10:00:00-05:00"}, "backup_to": "market.old"}))
	equal(t, schema.Description{
		Effects: []schema.Effect{{Resource: l.here("/public.bars"), Mode: schema.Delete}}, Destructive: true, Settling: schema.Keyed, Summary: "deletes rows",
	}, l.Describe("delete", map[string]any{"table": "bars", "where": "time > $1", "params": cty.UnknownVal(cty.DynamicPseudoType)}))
	equal(t, schema.Description{
		Effects: []schema.Effect{{Resource: l.here(""), Mode: schema.Write}}, Settling: schema.Keyed, Summary: "updates rows",
	}, l.Describe("update", map[string]any{"table": cty.UnknownVal(cty.String), "where": "id = 1", "set": map[string]any{"a": 1}}))
}

// A condition that every row meets is none: what was there is lost, so a person
// is asked, and something else has to bound it.
func TestEveryRowNeedsABound(t *testing.T) {
	l := newLab(t, bars("10"))
	set := map[string]any{"close": 1}
	for _, where := range []string{"true", "1 = 1", "(TRUE) -- all"} {
		for name, args := range map[string]map[string]any{
			"delete": {"table": "bars", "where": where},
			"update": {"table": "bars", "where": where, "set": set},
		} {
			equal(t, true, l.Describe(name, args).Destructive)
			fails(t, wantEnd{"failed_clean", "unbounded"}, l.Act(name, args), "every row of bars")
			equal(t, "unbounded", l.Preview(name, args).Failure.Code)
			args["expect_rows"] = map[string]any{"min": 1}
			fails(t, wantEnd{"failed_clean", "unbounded"}, l.Act(name, args))
		}
	}
	equal(t, false, l.Describe("update", map[string]any{"table": "bars", "where": "close > 4005", "set": set}).Destructive)
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars WHERE close > 1"))

	all := map[string]any{"table": "bars", "where": "true", "set": set, "expect_rows": map[string]any{"max": 10}}
	equal(t, schema.Impact{"rows": 10}, l.Preview("update", all).Impact)
	equal(t, 10, done(t, l.Act("update", all))["rows"])
	delete(all, "set")
	delete(all, "expect_rows")
	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("delete", all, sdktest.Limit("rows", 9)))
	equal(t, schema.Impact{"rows": 10}, l.Preview("delete", all, sdktest.Limit("rows", 9)).Impact)
	equal(t, 10, done(t, l.Act("delete", all, sdktest.Limit("rows", 10)))["rows"])
}

func TestInvalidChanges(t *testing.T) {
	l := newLab(t, bars("10"))
	for _, args := range []map[string]any{
		{"table": "bars", "where": ""},
		{"table": "bars", "where": " -- all"},
		{"table": "", "where": "true"},
		{"table": "a.b.c", "where": "true"},
		{"table": `"open`, "where": "true"},
		{"table": "bars", "where": "close > $1"},
		{"table": "bars", "where": "close > $2", "params": []any{1}},
		{"table": "bars", "where": "true", "params": []any{1}},
		{"table": "bars", "where": "true", "params": "1"},
		{"table": "bars", "where": "true", "backup_to": "a.b.c"},
		{"table": "bars", "where": "true", "expect_rows": map[string]any{"min": 2, "max": 1}},
	} {
		equal(t, "invalid_argument", l.Describe("delete", args).Failure.Code)
		fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("delete", args))
		args["set"] = map[string]any{"close": 1}
		fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("update", args))
	}
	for _, set := range []any{nil, map[string]any{}, "close = 1"} {
		fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("update", map[string]any{"table": "bars", "where": "true", "set": set}))
	}
	// A condition cannot become more than a condition.
	fails(t, wantEnd{"failed_clean", "syntax_error"}, l.Act("delete", map[string]any{"table": "bars", "where": "false); DELETE FROM bars; --"}))
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}
