package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

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
	dir      string    // of the dumps
}

func TestProof(t *testing.T) {
	database := server.Database(t)
	r := &proofRoom{database: database, look: server.Connect(t, database), holder: server.Connect(t, database), dir: t.TempDir()}
	files := []string{"archives", "prune_dumps"} // which ask no server
	sdktest.Prove(t, sdktest.Proof{
		Provider: postgres.Provider,
		Config: map[string]any{
			"host": server.Host, "port": server.Port, "database": database, "user": server.User, "password": server.Password,
		},
		World: r.world,
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"port": backendtest.Refused(t)}, Code: "connection_refused", Spares: files},
			{Name: "blackholed", Config: map[string]any{"port": backendtest.Blackhole(t), "connect_timeout": "200ms"}, Code: "timeout", Spares: files},
			{Name: "wrong password", Config: map[string]any{"password": "no-such-password"}, Code: "authentication_failed", Spares: files},
			{Name: "no such database", Config: map[string]any{"database": "nowhere"}, Code: "database_missing", Spares: files},
		},
		Probes:  r.probes(),
		Actions: slices.Concat(r.changes(), r.upkeep(), r.dumps()),
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
		{Name: "writers", Args: map[string]any{"watch": "0s"}},
		{
			Name: "archives", Setup: r.dumped, Args: map[string]any{"dir": r.dir},
			Refused: []sdktest.Refused{{Args: map[string]any{"dir": filepath.Join(r.dir, "none")}, Code: "folder_missing"}},
		},
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

// dumps are the actions on dumps, and what brings things back.
func (r *proofRoom) dumps() []sdktest.ActionProof {
	path, kept := filepath.Join(r.dir, "new.dump"), filepath.Join(r.dir, "kept.dump")
	back := map[string]any{"from": "kept", "table": "bars"}
	lock := func(table, mode string) func(testing.TB) {
		return func(t testing.TB) {
			r.dumped(t)
			if _, err := r.holder.Exec(t.Context(), "BEGIN; LOCK TABLE "+table+" IN "+mode+" MODE"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return []sdktest.ActionProof{
		{
			Name: "restore_rows", Setup: r.removed, Args: back, Class: schema.Keyed,
			Refused: []sdktest.Refused{
				{Args: map[string]any{"from": "nowhere", "table": "bars"}, Code: "undefined_table"},
				{Args: map[string]any{"from": "kept", "table": "bars", "on_conflict": "skip"}, Code: "no_primary_key"},
			},
		},
		{
			Name: "alter_system", Setup: r.reset, Args: map[string]any{"name": "work_mem", "value": "5MB"}, Class: schema.Idempotent,
			Refused: []sdktest.Refused{
				{Args: map[string]any{"name": "no_such_setting", "value": "1"}, Code: "undefined_setting"},
				{Args: map[string]any{"name": "work_mem", "value": "plenty"}, Code: "invalid_value"},
				{Args: map[string]any{"name": "work_mem = 1; DROP TABLE bars", "value": "1"}, Code: "invalid_argument"},
			},
		},
		{
			Name: "dump", Setup: r.dumped, Args: map[string]any{"path": path}, Class: schema.Idempotent, Estimates: []string{"estimated_bytes"},
			Slow: r.slow("LOCK TABLE", map[string]any{"path": path}, lock("hidden.barrier", "ACCESS EXCLUSIVE")),
			Refused: []sdktest.Refused{
				{Args: map[string]any{"path": kept}, Code: "file_exists"},
				{Args: map[string]any{"path": filepath.Join(r.dir, "none", "x.dump")}, Code: "folder_missing"},
				{Args: map[string]any{"path": path, "tables": []string{"nowhere"}}, Code: "undefined_table"},
			},
		},
		{
			Name: "restore", Setup: r.dumped, Args: map[string]any{"path": kept}, Class: schema.Idempotent, Destroys: true,
			Slow: r.slow("DROP", map[string]any{"path": kept, "lock_timeout": "10m"}, lock("bars", "ACCESS SHARE")),
			Refused: []sdktest.Refused{
				{Args: map[string]any{"path": filepath.Join(r.dir, "none.dump")}, Code: "archive_missing"},
				{Args: map[string]any{"path": filepath.Join(r.dir, "broken.dump")}, Code: "not_verified"},
				{Args: map[string]any{"path": kept, "into_empty": true}, Code: "not_empty"},
				{Args: map[string]any{"path": kept}, Setup: lock("bars", "ROW EXCLUSIVE"), Code: "writers_present"},
				{Args: map[string]any{"path": kept, "lock_timeout": "10ms"}, Setup: lock("bars", "ACCESS SHARE"), Code: "lock_timeout"},
			},
		},
		{
			Name: "prune_dumps", Setup: r.dumped, Args: map[string]any{"dir": r.dir, "keep": 1}, Class: schema.Idempotent, Destroys: true,
			Refused: []sdktest.Refused{
				{Args: map[string]any{"dir": r.dir, "keep": 0}, Code: "invalid_argument"},
				{Args: map[string]any{"dir": filepath.Join(r.dir, "none"), "keep": 1}, Code: "folder_missing"},
			},
		},
	}
}

// dumped leaves dumps of the filled database in the folder, and has lost rows
// since: three that verify, and a newer one that does not.
func (r *proofRoom) dumped(t testing.TB) {
	t.Helper()
	r.filled(t)
	old, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(r.dir, "kept.dump")
	dump := exec.Command("pg_dump", "-Fc", "-h", server.Host, "-p", strconv.Itoa(server.Port), "-U", server.User, "-d", r.database, "-f", kept, "-t", "bars")
	dump.Env = append(os.Environ(), "PGPASSWORD="+server.Password)
	if out, err := dump.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"kept.dump", "old.dump", "older.dump", "broken.dump"} {
		path, content := filepath.Join(r.dir, name), text
		if name == "broken.dump" {
			i, content = -1, text[:len(text)/2]
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%x  %s\n", sha256.Sum256(text), name)
		if err := os.WriteFile(path+".sha256", []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(-i-2) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.holder.Exec(t.Context(), "DELETE FROM bars WHERE close > 4005"); err != nil {
		t.Fatal(err)
	}
}

// removed has moved rows to the table kept.
func (r *proofRoom) removed(t testing.TB) {
	t.Helper()
	r.filled(t)
	for _, sql := range []string{"CREATE TABLE kept (LIKE bars)", "WITH gone AS (DELETE FROM bars WHERE close > 4007 RETURNING *) INSERT INTO kept SELECT * FROM gone"} {
		if _, err := r.holder.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// reset takes the setting out of the server's file.
func (r *proofRoom) reset(t testing.TB) {
	t.Helper()
	r.filled(t)
	if _, err := r.holder.Exec(t.Context(), "ALTER SYSTEM RESET work_mem"); err != nil {
		t.Fatal(err)
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
WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'hidden') AND tablename <> 'runbook_attempts' ORDER BY 1`) {
		held[table] = r.list(t, "SELECT t::text FROM "+table+" AS t ORDER BY 1")
	}
	held["indexes"] = r.list(t, "SELECT indexrelid::regclass::text || ' ' || indisvalid FROM pg_index WHERE indrelid = to_regclass('bars') ORDER BY 1")
	held["settings"] = r.list(t, "SELECT setting FROM pg_file_settings WHERE name = 'work_mem'")
	files, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		held["files"] = append(held["files"], file.Name())
	}
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
		"INSERT INTO bars (symbol, close) SELECT 'USDCOP', 4000 + i FROM generate_series(1, 10) AS i", "CREATE INDEX bars_close ON bars (close)", "ANALYZE bars", "CREATE SCHEMA IF NOT EXISTS hidden", "CREATE TABLE IF NOT EXISTS hidden.barrier ()"} {
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
