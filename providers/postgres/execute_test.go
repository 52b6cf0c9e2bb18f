package postgres_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// here is something in a test's database as effects name it.
func (l lab) here(rest string) string {
	return fmt.Sprintf("postgres://%s/%s%s", net.JoinHostPort(sdk.EffectHost("localhost"), strconv.Itoa(server.Port)), l.database, rest)
}

// psql is the command that is shown instead of an action.
func (l lab) psql(statements ...string) []string {
	argv := []string{"psql", "-h", "127.0.0.1", "-p", strconv.Itoa(server.Port), "-U", "admin", "-d", l.database, "-X", "-v", "ON_ERROR_STOP=1"}
	for _, s := range statements {
		argv = append(argv, "-c", s)
	}
	return append(argv, "--single-transaction")
}

func TestExecuteChangesOnceForOneKey(t *testing.T) {
	l := newLab(t, bars("10"))
	args := map[string]any{"sql": "UPDATE bars SET close = close + $1 WHERE close > $2", "params": []any{1, 4005}, "expect_rows": map[string]any{"min": 1, "max": 5}}
	first := done(t, l.Act("execute", args, sdktest.Key("run-1/step.a")), "at")
	equal(t, map[string]any{"ok": true, "summary": "UPDATE: 5 rows", "rows": 5, "repeated": false}, first)
	sum := l.one(t, "SELECT sum(close) FROM bars")

	again := done(t, l.Act("execute", args, sdktest.Key("run-1/step.a")))
	equal(t, []any{true, 5, true}, []any{again["ok"], again["rows"], again["repeated"]})
	equal(t, sum, l.one(t, "SELECT sum(close) FROM bars"))
	equal(t, fmt.Sprintf("UPDATE: 5 rows, done before, at %s", strings.Split(again["at"].(string), ".")[0]+"Z"), again["summary"])

	done(t, l.Act("execute", args, sdktest.Key("run-2/step.a")))
	equal(t, "2", l.one(t, "SELECT count(*) FROM runbook_attempts"))
	equal(t, "2", l.one(t, "SELECT count(*) FROM runbook_attempts WHERE rows = 5 AND at < now()"))
}

func TestExecuteRollsBackUnexpectedRows(t *testing.T) {
	l := newLab(t, bars("10"))
	for _, test := range []struct {
		expect  map[string]any
		options []sdktest.Option
		code    string
		message string
	}{
		{map[string]any{"min": 11}, nil, "unexpected_rows", "10 rows would be hit, expect_rows says at least 11; it was rolled back"},
		{map[string]any{"max": 9}, nil, "unexpected_rows", "10 rows would be hit, expect_rows says at most 9; it was rolled back"},
		{nil, []sdktest.Option{sdktest.Limit("rows", 9)}, "limit_exceeded", "10 rows would be hit, the limit is 9; it was rolled back"},
	} {
		args := map[string]any{"sql": "DELETE FROM bars", "expect_rows": test.expect}
		fails(t, wantEnd{"failed_clean", test.code}, l.Act("execute", args, test.options...), test.message)
	}
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
	equal(t, "0", l.one(t, "SELECT count(*) FROM runbook_attempts"))
	args := map[string]any{"sql": "DELETE FROM bars", "expect_rows": map[string]any{"min": 10, "max": 10}}
	equal(t, 10, done(t, l.Act("execute", args, sdktest.Limit("rows", 10)))["rows"])
}

// A limit on rows is kept only where the server tells how many a statement has
// hit. Of all others nothing is begun, or nothing stays.
func TestExecuteUnderALimitNeedsItsRowsCounted(t *testing.T) {
	l := newLab(t, bars("10"), "CREATE TABLE copies (LIKE bars)",
		"CREATE PROCEDURE wipe() LANGUAGE sql AS 'DELETE FROM bars'")
	ten := sdktest.Limit("rows", 10)
	for _, sql := range []string{
		"TRUNCATE bars", "DROP TABLE bars", "CALL wipe()", "DO $$ BEGIN DELETE FROM bars; END $$",
		"WITH gone AS (DELETE FROM bars RETURNING *) SELECT count(*) FROM gone",
		"WITH gone AS (DELETE FROM bars RETURNING *) INSERT INTO copies SELECT * FROM gone LIMIT 1",
	} {
		args := map[string]any{"sql": sql}
		fails(t, wantEnd{"failed_clean", "rows_not_counted"}, l.Act("execute", args, ten), "does not tell how many rows")
		if f := l.Preview("execute", args, ten).Failure; f == nil || f.Code != "rows_not_counted" {
			t.Errorf("%s: its preview says %v", sql, f)
		}
	}
	equal(t, "10 0", l.one(t, "SELECT (SELECT count(*) FROM bars) || ' ' || (SELECT count(*) FROM copies)"))
	for sql, rows := range map[string]int{
		"WITH old AS (SELECT * FROM bars LIMIT 3) INSERT INTO copies SELECT * FROM old":                                          3,
		"MERGE INTO copies c USING bars b ON c.time = b.time WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (b.*)": 10,
		"SELECT * FROM bars": 10,
	} {
		args := map[string]any{"sql": sql}
		equal(t, (*schema.Failure)(nil), l.Preview("execute", args, ten).Failure)
		equal(t, rows, done(t, l.Act("execute", args, ten))["rows"])
	}
}

func TestExecuteFailsClean(t *testing.T) {
	l := newLab(t, bars("10"), "CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)", "INSERT INTO late VALUES (1)")
	for sql, code := range map[string]string{
		"DELETE FROM missing":                             "undefined_table",
		"DELETE FROM bars WHERE nothing = 1":              "undefined_column",
		"DELETE FORM bars":                                "syntax_error",
		"INSERT INTO bars SELECT * FROM bars":             "constraint_violation",
		"INSERT INTO late VALUES (1)":                     "constraint_violation", // found out at COMMIT
		"DELETE FROM bars; DELETE FROM bars":              "syntax_error",
		"VACUUM bars":                                     "not_in_transaction",
		"CREATE DATABASE other":                           "not_in_transaction",
		"ALTER SYSTEM SET work_mem = '8MB'":               "not_in_transaction",
		"COMMIT":                                          "invalid_argument",
		"/* a */ rollback":                                "invalid_argument",
		"":                                                "invalid_argument",
		"DELETE FROM bars WHERE time > $1":                "invalid_argument",
		"DO $$ BEGIN COMMIT; END $$":                      "postgres_error",
		"UPDATE bars SET close = 1 / (close - close)":     "invalid_value",
		"DO $$ BEGIN RAISE EXCEPTION 'no $1 here'; END$$": "postgres_error",
	} {
		fails(t, wantEnd{"failed_clean", code}, l.Act("execute", map[string]any{"sql": sql}))
	}
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}

func TestExecuteRunsOtherStatements(t *testing.T) {
	l := newLab(t)
	for _, sql := range []string{
		"CREATE TABLE t (id int, name text);", "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 3) AS i", "CREATE INDEX ON t (id)",
		"ALTER TABLE t ADD COLUMN more int", "COMMENT ON TABLE t IS 'one; two'", "WITH gone AS (DELETE FROM t WHERE id = 1 RETURNING *) SELECT * FROM gone", "TRUNCATE t", "DROP TABLE t",
	} {
		done(t, l.Act("execute", map[string]any{"sql": sql}))
	}
	equal(t, "true", l.one(t, "SELECT to_regclass('t') IS NULL"))
}

func TestExecuteIsDescribed(t *testing.T) {
	l := newLab(t)
	equal(t, schema.Description{
		Effects:  []schema.Effect{{Resource: l.here(""), Mode: schema.Write}},
		Settling: schema.Keyed,
		Summary:  "runs UPDATE in one transaction, recorded in runbook_attempts",
		Command: l.psql("PREPARE runbook_step AS UPDATE bars SET note = $1 WHERE id = $2 AND tags = $3 AND gone IS NOT DISTINCT FROM $4",
			`EXECUTE runbook_step ( E'it''s \\', '7', '{"a"}', NULL)`),
	}, l.Describe("execute", map[string]any{
		"sql":    "UPDATE bars SET note = $1 WHERE id = $2 AND tags = $3 AND gone IS NOT DISTINCT FROM $4;\n",
		"params": []any{`it's \`, 7, []any{"a"}, nil},
	}))
	unknown := l.Describe("execute", map[string]any{"sql": cty.UnknownVal(cty.String)})
	equal(t, schema.Description{
		Effects: []schema.Effect{{Resource: l.here(""), Mode: schema.Delete}}, Destructive: true, Settling: schema.Keyed,
		Summary: "runs a statement that is not known yet",
	}, unknown)
	for sql, destructive := range map[string]bool{
		"insert into t values (1)": false, "UPDATE t SET a = 1 WHERE id = 1": false, "CREATE TABLE t (id int)": false, "/* DROP */ -- DROP\nCREATE INDEX ON t (id)": false,
		"CREATE OR REPLACE VIEW v AS SELECT 1": true, "DELETE FROM t": true, "TRUNCATE t": true, "DROP TABLE t": true, "ALTER TABLE t DROP a": true,
		"UPDATE t SET a = 1": true, "UPDATE t SET a = 1 WHERE true": true, "UPDATE t SET a = (SELECT b FROM s WHERE id = 1)": true,
		"UPDATE t SET a = b FROM s WHERE t.id = s.id RETURNING a": false, "UPDATE t SET a = 1 RETURNING (id IN (SELECT 1 WHERE id = 2))": true,
		"SELECT wipe()": true, "WITH x AS (DELETE FROM t RETURNING *) SELECT 1": true, "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE": true,
		"DO $$ BEGIN END $$": true, "CALL p()": true, "COPY t FROM '/tmp/x'": true, "(SELECT 1)": true,
	} {
		d := l.Describe("execute", map[string]any{"sql": sql})
		if d.Failure != nil || d.Destructive != destructive {
			t.Errorf("%s: destructive %v, %v", sql, d.Destructive, d.Failure)
		}
	}
}

// The command that is shown does what the action would do.
func TestShownCommandWorks(t *testing.T) {
	l := newLab(t, "CREATE TABLE notes (id int, note text, tags text[])", `INSERT INTO notes VALUES (7, '', '{"a b"}')`)
	args := map[string]any{"sql": "UPDATE notes SET note = $1 WHERE id = $2 AND tags = $3", "params": []any{`it's \ "odd"; $1`, 7, []any{"a b"}}}
	shown(t, l.Describe("execute", args).Command)
	equal(t, `it's \ "odd"; $1`, l.one(t, "SELECT note FROM notes"))
	shown(t, l.Describe("update", map[string]any{"table": "notes", "where": "id = $1", "params": []any{7}, "set": map[string]any{"note": "new"}, "backup_to": "old_notes"}).Command)
	equal(t, `new it's \ "odd"; $1`, l.one(t, "SELECT n.note || ' ' || o.note FROM notes n, old_notes o"))
	shown(t, l.Describe("delete", map[string]any{"table": "notes", "where": "id = $1", "params": []any{7}, "backup_to": "gone_notes"}).Command)
	equal(t, "0 1", l.one(t, "SELECT (SELECT count(*) FROM notes) || ' ' || (SELECT count(*) FROM gone_notes)"))
	shown(t, l.Describe("vacuum", map[string]any{"table": "notes"}).Command)
	shown(t, l.Describe("reindex", nil).Command)
	shown(t, l.Describe("terminate_idle", map[string]any{"older_than": "90s", "user": "o'neil"}).Command)
}

func TestExecutePreview(t *testing.T) {
	l := newLab(t, bars("1000"), "CREATE TABLE copies (LIKE bars)")
	for _, test := range []struct {
		sql     string
		params  []any
		impact  schema.Impact
		summary string
	}{
		{"DELETE FROM bars", nil, schema.Impact{"estimated_rows": 1000}, "runs DELETE on about 1000 rows, by the planner's estimate"},
		{"UPDATE bars SET close = 1 WHERE symbol = $1", []any{"USDCOP"}, schema.Impact{"estimated_rows": 1000}, "runs UPDATE on about 1000 rows, by the planner's estimate"},
		{"INSERT INTO copies SELECT * FROM bars", nil, schema.Impact{"estimated_rows": 1000}, "runs INSERT on about 1000 rows, by the planner's estimate"},
		{"WITH gone AS (DELETE FROM bars RETURNING *) INSERT INTO copies SELECT * FROM gone", nil, schema.Impact{"estimated_rows": 2000}, "runs WITH on about 2000 rows, by the planner's estimate"},
		{"SELECT count(*) FROM bars", nil, nil, "runs a statement of which the plan changes no table; functions that it calls may"},
		{"TRUNCATE bars", nil, nil, "runs TRUNCATE, which the server cannot estimate beforehand"},
	} {
		d := l.Preview("execute", map[string]any{"sql": test.sql, "params": test.params})
		if d.Failure != nil {
			t.Errorf("%s: %v", test.sql, d.Failure)
		}
		equal(t, []any{test.impact, test.summary}, []any{d.Impact, d.Summary})
	}
	equal(t, "undefined_table", l.Preview("execute", map[string]any{"sql": "DELETE FROM missing"}).Failure.Code)
	equal(t, "1000 true", l.one(t, "SELECT (SELECT count(*) FROM bars) || ' ' || (to_regclass('runbook_attempts') IS NULL)"))
}

func TestExecuteNeedsItsLedger(t *testing.T) {
	l := newLab(t, bars("3"), "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "CREATE ROLE writer LOGIN PASSWORD 'w'", "GRANT ALL ON bars TO writer")
	t.Cleanup(func() {
		server.Exec(t, l.database, "DROP OWNED BY writer")
		server.Exec(t, "postgres", "DROP ROLE writer")
	})
	writer := harness(t, l.database, map[string]any{"user": "writer", "password": "w"})
	args := map[string]any{"sql": "DELETE FROM bars"}
	outcome := writer.Act("execute", args)
	fails(t, wantEnd{"failed_clean", "attempts_table"}, outcome, "cannot create the table runbook_attempts")
	// The remedy is what mends it.
	_, remedy, _ := strings.Cut(outcome.Failure.Remedy, "run: ")
	create, grant, _ := strings.Cut(remedy, "; ")
	server.Exec(t, l.database, create)
	fails(t, wantEnd{"failed_clean", "attempts_table"}, writer.Act("execute", args), "cannot write the table runbook_attempts")
	server.Exec(t, l.database, grant)
	equal(t, 3, done(t, writer.Act("execute", args))["rows"])
}
