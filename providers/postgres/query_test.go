package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestQueryTypes(t *testing.T) {
	l := newLab(t)
	got := done(t, l.Probe("query", map[string]any{"sql": `SELECT
 7::int2 AS small, 8::int4 AS medium, 9007199254740993::int8 AS large, 0.1::float4 AS single, 0.2::float8 AS double,
 12345.678901234567890123::numeric AS exact, 'NaN'::float8 AS nan, 'Infinity'::numeric AS endless,
 true AS yes, 'text'::text AS text, 'bpchar'::char(8) AS padded, '{"a": [1, null, "x"]}'::jsonb AS jsonb, '[1.50]'::json AS json,
 timestamptz '2026-01-31 12:00:00.25-05' AS at, timestamp '2026-01-31 12:00:00' AS local, date '2026-01-31' AS day, 'infinity'::timestamptz AS never,
 interval '1 day 00:00:01.5' AS age, interval '1 year 1 month' AS long, time '09:30' AS clock,
 '\xdeadbeef'::bytea AS bytes, '2f4bb2f0-1111-4222-8333-444455556666'::uuid AS id, '10.0.0.1'::inet AS address, '10.0.0.0/8'::cidr AS network,
 ARRAY[1, 2]::int4[] AS numbers, ARRAY['a', NULL] AS texts, ARRAY[date '2026-01-31'] AS days, 'pg_class'::regclass AS class,
 NULL::int4 AS no_number, NULL::text AS no_text, NULL::jsonb AS no_json`}))
	equal(t, map[string]any{
		"ok": true, "row_count": 1, "summary": "1 row: small = 7, medium = 8, large = 9007199254740993, single = 0.1",
		"columns": []any{
			"small", "medium", "large", "single", "double", "exact", "nan", "endless", "yes", "text", "padded", "jsonb", "json", "at", "local", "day", "never",
			"age", "long", "clock", "bytes", "id", "address", "network", "numbers", "texts", "days", "class", "no_number", "no_text", "no_json",
		},
		"rows": []any{map[string]any{
			"small": 7, "medium": 8, "large": 9007199254740993, "single": 0.1, "double": 0.2, "exact": 12345.678901234567,
			"nan": "NaN", "endless": "Infinity", "yes": true, "text": "text", "padded": "bpchar  ",
			"jsonb": map[string]any{"a": []any{1, nil, "x"}}, "json": []any{1.5},
			"at": "2026-01-31T17:00:00.25Z", "local": "2026-01-31T12:00:00", "day": "2026-01-31", "never": "infinity",
			"age": 86401.5, "long": 34149600, "clock": "09:30:00",
			"bytes": `\xdeadbeef`, "id": "2f4bb2f0-1111-4222-8333-444455556666", "address": "10.0.0.1", "network": "10.0.0.0/8",
			"numbers": []any{1, 2}, "texts": []any{"a", nil}, "days": []any{"2026-01-31"}, "class": "pg_class",
			"no_number": nil, "no_text": nil, "no_json": nil,
		}},
	}, got)
}

func TestQueryKeepsEveryDigit(t *testing.T) {
	l := newLab(t)
	outcome := l.Probe("query", map[string]any{"sql": "SELECT 12345678901234567890.123456789 AS n"})
	n := outcome.Result.GetAttr("rows").Index(cty.NumberIntVal(0)).GetAttr("n")
	equal(t, "12345678901234567890.123456789", n.AsBigFloat().Text('f', 9))
}

func TestQueryParameters(t *testing.T) {
	l := newLab(t, `CREATE TABLE runs (id int, name text, tags text[], info jsonb, at timestamptz, cost numeric, good bool)`,
		`INSERT INTO runs VALUES (1, 'L0 Ingest''s', '{a,"b c",NULL}', '{"k": 1}', '2026-01-31T12:00:00Z', 1.5, true)`)
	got := done(t, l.Probe("query", map[string]any{
		"sql": `SELECT id FROM runs WHERE id = $1 AND name = $2 AND tags = $3 AND info = $4 AND at >= $5 AND cost = $6 AND good = $7 AND $8::int IS NULL
 AND id = ANY($9)`,
		"params": []any{1, "L0 Ingest's", []any{"a", "b c", nil}, map[string]any{"k": 1}, "2026-01-31T07:00:00-05:00", 1.5, true, nil, []any{1, 2}},
	}))
	equal(t, []any{map[string]any{"id": 1}}, got["rows"].([]any))
	// A value is never read as SQL.
	got = done(t, l.Probe("query", map[string]any{"sql": "SELECT id FROM runs WHERE name = $1", "params": []any{"' OR true --"}}))
	equal(t, map[string]any{"ok": false, "summary": "0 rows", "row_count": 0, "columns": []any{"id"}, "rows": []any{}}, got)
}

func TestLikeTellsLetterCaseApart(t *testing.T) {
	l := newLab(t, "CREATE TABLE pipeline_status (pipeline_name text, status text)", "INSERT INTO pipeline_status VALUES ('l0_daily', 'completed')")
	missed := done(t, l.Probe("query", map[string]any{"sql": "SELECT status FROM pipeline_status WHERE pipeline_name LIKE '%L0%'"}))
	found := done(t, l.Probe("query", map[string]any{"sql": "SELECT status FROM pipeline_status WHERE pipeline_name ILIKE '%L0%'"}))
	equal(t, []any{false, "0 rows", true, "1 row: status = completed"}, []any{missed["ok"], missed["summary"], found["ok"], found["summary"]})
}

func TestQueryNeverWrites(t *testing.T) {
	l := newLab(t, bars("10"), "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM bars; SELECT 1'", "CREATE SEQUENCE ids")
	before := l.one(t, "SELECT count(*) FROM bars")
	for _, sql := range []string{
		"DELETE FROM bars",
		"WITH gone AS (DELETE FROM bars RETURNING *) SELECT * FROM gone",
		"SELECT wipe()",
		"SELECT nextval('ids')",
		"EXPLAIN ANALYZE DELETE FROM bars",
		"CREATE TABLE more (id int)",
		"/* look */ TRUNCATE bars",
		"COPY bars TO PROGRAM 'cat'",
		"DO $$ BEGIN PERFORM 1; END $$",
		"SELECT pg_terminate_backend(1)",
		`SELECT "pg_terminate_backend"(1)`,
		"SELECT pg_catalog.pg_stat_reset_single_table_counters('bars'::regclass)",
		"SELECT * FROM pg_logical_slot_get_changes('slot', NULL, NULL)",
		"SELECT * FROM dblink('', 'DELETE FROM bars RETURNING symbol') AS t(symbol text)",
		"COMMIT",
		"SET TRANSACTION READ WRITE",
	} {
		t.Run(sql, func(t *testing.T) {
			fails(t, wantEnd{"failed_clean", "read_only_violation"}, l.Probe("query", map[string]any{"sql": sql}))
		})
	}
	fails(t, wantEnd{"failed_clean", "syntax_error"}, l.Probe("query", map[string]any{"sql": "SELECT 1; DELETE FROM bars"}))
	equal(t, before, l.one(t, "SELECT count(*) FROM bars"))
}

// Conditions are looked at by probes and previews too.
func TestConditionsOnlyRead(t *testing.T) {
	l := newLab(t, bars("10"))
	where := "pg_terminate_backend(0)"
	fails(t, wantEnd{"failed_clean", "read_only_violation"},
		l.Probe("freshness", map[string]any{"table": "bars", "column": "time", "where": where, "max_age": "1h"}), "pg_terminate_backend() acts outside")
	for name, args := range map[string]map[string]any{
		"delete": {"table": "bars", "where": where},
		"update": {"table": "bars", "where": where, "set": map[string]any{"close": 1}},
	} {
		if f := l.Preview(name, args).Failure; f == nil || f.Code != "read_only_violation" || f.Argument != "where" {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestQueryFailures(t *testing.T) {
	l := newLab(t, "CREATE ROLE reader LOGIN PASSWORD 'r'", "CREATE TABLE secret (id int)")
	t.Cleanup(func() { server.Exec(t, "postgres", "DROP ROLE reader") })
	for _, test := range []struct {
		config map[string]any
		sql    string
		params []any
		code   string
		part   string
	}{
		{nil, "SELECT * FROM missing", nil, "undefined_table", `relation "missing" does not exist (SQLSTATE 42P01) at character 15`},
		{nil, "SELECT missing FROM secret", nil, "undefined_column", "missing"},
		{nil, "SELECT nothing(1)", nil, "undefined_function", "nothing"},
		{nil, "SELEC 1", nil, "read_only_violation", "SELEC is not a reading statement"},
		{nil, "SELECT 1 FRM x y", nil, "syntax_error", "syntax error"},
		{nil, " -- nothing", nil, "invalid_argument", "sql is empty"},
		{nil, "SELECT $1::int", []any{"x"}, "invalid_value", "invalid input syntax for type integer"},
		{nil, "SELECT $1::int", nil, "invalid_argument", "expected 1 arguments, got 0"},
		{nil, "SELECT 1/0", nil, "invalid_value", "division by zero"},
		{nil, "SELECT 1 AS n, 2 AS n", nil, "duplicate_column", "named n"},
		{nil, "SELECT generate_series(1, 10001)", nil, "too_many_rows", "more than 10000 rows"},
		{nil, "SELECT repeat('x', 5000000)", nil, "result_too_large", "more than 4 MiB"},
		{map[string]any{"user": "reader", "password": "r"}, "SELECT * FROM secret", nil, "permission_denied", "permission denied for table secret"},
		{map[string]any{"password": "wrong"}, "SELECT 1", nil, "authentication_failed", "password authentication failed"},
		{map[string]any{"database": "nothing"}, "SELECT 1", nil, "database_missing", "nothing"},
	} {
		t.Run(test.code+" "+test.sql, func(t *testing.T) {
			outcome := harness(t, l.database, test.config).Probe("query", map[string]any{"sql": test.sql, "params": test.params})
			fails(t, wantEnd{"failed_clean", test.code}, outcome, test.part)
		})
	}
}

func TestQueryTimeoutStopsTheStatement(t *testing.T) {
	l := newLab(t)
	started := time.Now()
	outcome := inTime(t, "did not finish in time", func(deadline sdktest.Option) schema.Outcome {
		return l.Probe("query", map[string]any{"sql": "SELECT pg_sleep(60)"}, deadline)
	})
	fails(t, wantEnd{"failed_clean", "timeout"}, outcome, "did not finish in time")
	if took := time.Since(started); took > 50*time.Second {
		t.Errorf("it took %s", took)
	}
	equal(t, "0", l.one(t, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'"))
}

func TestPasswordIsNeverShown(t *testing.T) {
	outcome := harness(t, "nothing", map[string]any{"password": "hunter2-secret"}).Probe("query", map[string]any{"sql": "SELECT 1"})
	if strings.Contains(outcome.Failure.Error(), "hunter2") {
		t.Error(outcome.Failure.Error())
	}
}
