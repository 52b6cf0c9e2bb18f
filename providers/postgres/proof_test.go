package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/postgres"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// proofRoom is the database that everything is proved in.
type proofRoom struct {
	database string
	look     *pgx.Conn
	holder   *pgx.Conn // holds a lock where something is to be slow
}

func TestProof(t *testing.T) {
	database := server.Database(t)
	r := &proofRoom{database: database, look: server.Connect(t, database), holder: server.Connect(t, database)}
	sdktest.Prove(t, sdktest.Proof{
		Provider: postgres.Provider,
		Config: map[string]any{
			"host": server.Host, "port": server.Port, "database": database, "user": server.User, "password": server.Password,
		},
		World: r.world,
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"port": backendtest.Refused(t)}, Code: "connection_refused"},
			{Name: "blackholed", Config: map[string]any{"port": backendtest.Blackhole(t), "connect_timeout": "200ms"}, Code: "timeout"},
			{Name: "wrong password", Config: map[string]any{"password": "no-such-password"}, Code: "authentication_failed"},
			{Name: "no such database", Config: map[string]any{"database": "nowhere"}, Code: "database_missing"},
		},
		Probes:  r.probes(),
		Actions: append(r.changes(), r.upkeep()...),
	})
}

func (r *proofRoom) probes() []sdktest.ProbeProof {
	missing := func(args map[string]any) []sdktest.Refused {
		return []sdktest.Refused{{Args: args, Code: "undefined_table"}}
	}
	return []sdktest.ProbeProof{
		{Name: "ready", Answers: true},
		{Name: "query", Setup: r.filled, Args: map[string]any{"sql": "SELECT * FROM bars WHERE close > $1", "params": []int{4001}}, Refused: append(
			missing(map[string]any{"sql": "SELECT * FROM nowhere"}),
			sdktest.Refused{Args: map[string]any{"sql": "DELETE FROM bars"}, Code: "read_only_violation"}),
		},
		{
			Name: "freshness", Setup: r.filled, Args: map[string]any{"table": "bars", "column": "time", "max_age": "1h"},
			Refused: missing(map[string]any{"table": "nowhere", "column": "time", "max_age": "1h"}),
		},
		{Name: "connections"}, {Name: "replication_lag"}, {Name: "locks"}, {Name: "pending_restart"}, {Name: "table_sizes"},
	}
}

// changes are the actions that change rows, each once under its key.
func (r *proofRoom) changes() []sdktest.ActionProof {
	missing := []sdktest.Refused{{Args: map[string]any{"table": "nowhere", "where": "close > 1"}, Code: "undefined_table"}}
	return []sdktest.ActionProof{
		{
			Name: "execute", Setup: r.filled, Class: schema.Keyed, Destroys: true,
			Args:      map[string]any{"sql": "DELETE FROM bars WHERE close > $1", "params": []int{4005}},
			Slow:      r.slow("DELETE", map[string]any{"sql": "DELETE FROM bars WHERE pg_sleep(600) IS NOT NULL"}, nil),
			Estimates: []string{"estimated_rows"},
			Refused: []sdktest.Refused{
				{Args: map[string]any{"sql": "DELETE FROM nowhere"}, Code: "undefined_table"},
				{Args: map[string]any{"sql": "DELETE FROM bars", "expect_rows": map[string]any{"max": 5}}, Code: "unexpected_rows"},
				{Args: map[string]any{"sql": "VACUUM"}, Code: "not_in_transaction"},
			},
		},
		{
			Name: "execute", Setup: r.filled, Class: schema.Keyed,
			Args:      map[string]any{"sql": "INSERT INTO bars (symbol, close) VALUES ('EURCOP', 4500)"},
			Estimates: []string{"estimated_rows"},
		},
		{
			Name: "delete", Setup: r.filled, Args: map[string]any{"table": "bars", "where": "close > 4005", "backup_to": "kept"},
			Class: schema.Keyed, Destroys: true,
			Slow: r.slow("DELETE", map[string]any{"table": "bars", "where": "pg_sleep(600) IS NOT NULL"}, nil),
			Refused: append(missing,
				sdktest.Refused{Args: map[string]any{"table": "bars", "where": "true"}, Code: "unbounded"},
				sdktest.Refused{Args: map[string]any{"table": "bars", "where": ""}, Code: "invalid_argument"}),
		},
		{
			Name: "update", Setup: r.filled, Args: map[string]any{"table": "bars", "where": "close > 4005", "set": map[string]any{"close": 0}},
			Class: schema.Keyed,
			Slow:  r.slow("UPDATE", map[string]any{"table": "bars", "where": "pg_sleep(600) IS NOT NULL", "set": map[string]any{"close": 0}}, nil),
			Refused: []sdktest.Refused{
				{Args: map[string]any{"table": "bars", "where": "close > 1", "set": map[string]any{"nothing": 0}}, Code: "undefined_column"},
				{Args: map[string]any{"table": "bars", "where": "close > 1", "set": map[string]any{}}, Code: "invalid_argument"},
			},
		},
	}
}

// upkeep are the actions that may be done again.
func (r *proofRoom) upkeep() []sdktest.ActionProof {
	size := func(_ testing.TB, result map[string]any) schema.Impact {
		return schema.Impact{"bytes": int64(result["bytes_before"].(int))}
	}
	table := map[string]any{"table": "bars"}
	missing := []sdktest.Refused{{Args: map[string]any{"table": "nowhere"}, Code: "undefined_table"}}
	return []sdktest.ActionProof{
		{
			Name: "terminate_idle", Setup: r.idle, Args: map[string]any{"older_than": "1ms", "application": "api"}, Class: schema.Idempotent,
			Did: func(_ testing.TB, result map[string]any) schema.Impact {
				return schema.Impact{"connections": int64(result["terminated"].(int))}
			},
			Refused: []sdktest.Refused{{Args: map[string]any{"older_than": "-1s"}, Code: "invalid_argument"}},
		},
		{
			Name: "vacuum", Setup: r.filled, Args: table, Class: schema.Idempotent, Unseen: true, Did: size,
			Slow: r.slow("VACUUM", table, r.locked), Refused: missing,
		},
		{
			Name: "reindex", Setup: r.filled, Args: table, Class: schema.Idempotent, Unseen: true, Did: size,
			Slow: r.slow("REINDEX", table, r.locked), Refused: missing,
		},
	}
}

// world is every row of every table but the one of the keys, and who is
// connected for the API.
func (r *proofRoom) world(t testing.TB) any {
	t.Helper()
	held := map[string][]string{}
	for _, table := range r.list(t, `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'runbook_attempts' ORDER BY 1`) {
		held[table] = r.list(t, "SELECT t::text FROM "+table+" AS t ORDER BY 1")
	}
	held["indexes"] = r.list(t, "SELECT indexrelid::regclass::text || ' ' || indisvalid FROM pg_index WHERE indrelid = to_regclass('bars') ORDER BY 1")
	held["api"] = r.list(t, "SELECT application_name FROM pg_stat_activity WHERE application_name = 'api' AND datname = current_database()")
	return held
}

func (r *proofRoom) list(t testing.TB, sql string) []string {
	t.Helper()
	rows, err := r.look.Query(context.Background(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return held
}

func (r *proofRoom) filled(t testing.TB) {
	t.Helper()
	for _, sql := range []string{"ROLLBACK", "DROP TABLE IF EXISTS kept, bars", "CREATE TABLE bars (symbol text, close numeric, time timestamptz DEFAULT '2026-01-01')",
		"INSERT INTO bars (symbol, close) SELECT 'USDCOP', 4000 + i FROM generate_series(1, 10) AS i", "CREATE INDEX bars_close ON bars (close)", "ANALYZE bars"} {
		if _, err := r.holder.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// locked keeps whoever wants to maintain the table waiting.
func (r *proofRoom) locked(t testing.TB) {
	t.Helper()
	r.filled(t)
	if _, err := r.holder.Exec(t.Context(), "BEGIN; LOCK TABLE bars IN SHARE UPDATE EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
}

// idle brings the sessions of the API to two.
func (r *proofRoom) idle(t testing.TB) {
	t.Helper()
	for range 2 - len(r.list(t, "SELECT '' FROM pg_stat_activity WHERE application_name = 'api' AND datname = current_database()")) {
		if _, err := server.Connect(t, r.database).Exec(t.Context(), "SET application_name = 'api'"); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *proofRoom) slow(word string, args map[string]any, setup func(testing.TB)) *sdktest.Slow {
	return &sdktest.Slow{Setup: setup, Args: args, Working: func(t testing.TB) bool {
		return len(r.list(t, fmt.Sprintf(`SELECT '' FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
AND application_name LIKE 'runbook%%' AND wait_event IS NOT NULL AND query ILIKE '%%%s%%'`, word))) > 0
	}}
}
