package postgres_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestConnections(t *testing.T) {
	l := newLab(t)
	holder := server.Connect(t, l.database)
	if _, err := holder.Exec(t.Context(), "SET application_name = 'dashboard'; BEGIN"); err != nil {
		t.Fatal(err)
	}
	got := done(t, l.Probe("connections", nil))
	applications, databases := got["by_application"].(map[string]any), got["by_database"].(map[string]any)
	equal(t, []any{true, 60, 57, 1, 2}, []any{got["ok"], got["max_connections"], got["available"], applications["dashboard"], databases[l.database]})
	if got["idle_in_transaction"].(int) < 1 || got["active"].(int) < 1 {
		t.Errorf("%v", got)
	}
	tight := done(t, l.Probe("connections", map[string]any{"max_ratio": 0.01}))
	equal(t, false, tight["ok"])
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Probe("connections", map[string]any{"max_ratio": 90}))
}

func TestLocks(t *testing.T) {
	l := newLab(t, "CREATE TABLE bars (id int)")
	equal(t, map[string]any{"ok": true, "summary": "no session waits for a lock", "waiting": []any{}, "blockers": []any{}}, done(t, l.Probe("locks", nil)))
	ctx, cancel := context.WithCancel(t.Context())
	holder, waiter := server.Connect(t, l.database), server.Connect(t, l.database)
	holderPID, waiterPID := int(holder.PgConn().PID()), int(waiter.PgConn().PID())
	if _, err := holder.Exec(ctx, "SET application_name = 'migration'; BEGIN; LOCK TABLE bars"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		waiter.Exec(ctx, "SELECT count(*) FROM bars") // ends with ctx
	}()
	defer func() { cancel(); <-ended }()
	until(t, l.database, "SELECT cardinality(pg_blocking_pids($1)) > 0", waiterPID)

	got := done(t, l.Probe("locks", nil), "summary")
	waiting, blockers := got["waiting"].([]any)[0].(map[string]any), got["blockers"].([]any)[0].(map[string]any)
	delete(waiting, "waiting_seconds")
	delete(blockers, "open_seconds")
	delete(blockers, "query")
	equal(t, map[string]any{
		"ok": false,
		"waiting": []any{map[string]any{
			"pid": waiterPID, "user": "admin", "application": "", "query": "SELECT count(*) FROM bars", "relation": "bars", "blocked_by": []any{holderPID},
		}},
		"blockers": []any{map[string]any{"pid": holderPID, "user": "admin", "application": "migration", "state": "idle in transaction"}},
	}, got)
	equal(t, true, done(t, l.Probe("locks", map[string]any{"longer_than": "1h"}))["ok"])
}

// until asks the database again and again until the answer is true.
func until(t *testing.T, database, sql string, args ...any) {
	t.Helper()
	if err := await(t.Context(), database, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func await(ctx context.Context, database, sql string, args ...any) error {
	conn, err := pgx.Connect(ctx, server.URL(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		var holds bool
		if err := conn.QueryRow(ctx, sql, args...).Scan(&holds); err != nil || holds {
			return err
		}
	}
}

func TestPendingRestart(t *testing.T) {
	p, err := backendtest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	h := harness(t, "postgres", map[string]any{"port": p.Port})
	p.Exec(t, "postgres", "CREATE ROLE reader LOGIN PASSWORD 'r'")
	reader := harness(t, "postgres", map[string]any{"port": p.Port, "user": "reader", "password": "r"})
	none := map[string]any{"ok": true, "summary": "no setting waits for a restart", "settings": []any{}, "complete": true}
	equal(t, none, done(t, h.Probe("pending_restart", nil)))
	// Some settings, such as shared_preload_libraries, are shown to few.
	equal(t, map[string]any{
		"ok": false, "settings": []any{}, "complete": false,
		"summary": "no setting that this role may see waits for a restart; to see all, grant it pg_read_all_settings",
	}, done(t, reader.Probe("pending_restart", nil)))
	p.Exec(t, "postgres", "GRANT pg_read_all_settings TO reader")
	equal(t, none, done(t, reader.Probe("pending_restart", nil)))

	// The server starts with max_connections in its file, and 16MB of buffers.
	p.Exec(t, "postgres", "ALTER SYSTEM SET wal_level = 'logical'", "ALTER SYSTEM SET shared_buffers = '24MB'", "ALTER SYSTEM RESET max_connections", "SELECT pg_reload_conf()")
	conn := p.Connect(t, "postgres")
	for pending := 0; pending < 3; {
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_settings WHERE pending_restart").Scan(&pending); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(p.Data, "postgresql.auto.conf")
	got := done(t, h.Probe("pending_restart", nil))
	equal(t, map[string]any{
		"ok": false, "complete": true,
		"summary": "3 settings wait for a restart: max_connections from 60 to 100, shared_buffers from 16MB to 24MB, wal_level from replica to logical",
		"settings": []any{
			map[string]any{"name": "max_connections", "value": "60", "new_value": "100", "file": filepath.Join(p.Data, "postgresql.conf")},
			map[string]any{"name": "shared_buffers", "value": "16MB", "new_value": "24MB", "file": file},
			map[string]any{"name": "wal_level", "value": "replica", "new_value": "logical", "file": file},
		},
	}, got)
	// Only superusers read the files, unless it is granted to others.
	unseen := done(t, reader.Probe("pending_restart", nil))
	equal(t, []any{false, "3 settings wait for a restart: max_connections, shared_buffers, wal_level", nil},
		[]any{unseen["ok"], unseen["summary"], unseen["settings"].([]any)[2].(map[string]any)["new_value"]})
}

func TestReplicationLag(t *testing.T) {
	primary, err := backendtest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(primary.Stop)
	h := harness(t, "postgres", map[string]any{"port": primary.Port})
	alone := done(t, h.Probe("replication_lag", nil))
	equal(t, map[string]any{
		"ok": false, "summary": "0 standbys are connected, 1 wanted", "role": "primary", "standbys": []any{}, "lag_bytes": 0, "lag_seconds": 0, "receiving": false,
	}, alone)
	equal(t, true, done(t, h.Probe("replication_lag", map[string]any{"min_standbys": 0}))["ok"])

	standby := primary.Standby(t)
	conn := primary.Connect(t, "postgres")
	for caughtUp := false; !caughtUp; {
		err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn = pg_current_wal_lsn())").Scan(&caughtUp)
		if err != nil {
			t.Fatal(err)
		}
	}
	got := done(t, h.Probe("replication_lag", nil), "summary", "lag_seconds")
	delete(got["standbys"].([]any)[0].(map[string]any), "lag_seconds")
	equal(t, map[string]any{
		"ok": true, "role": "primary", "lag_bytes": 0, "receiving": false,
		"standbys": []any{map[string]any{"application": "standby", "address": "127.0.0.1", "state": "streaming", "sync": "async", "lag_bytes": 0}},
	}, got)

	behind := harness(t, "postgres", map[string]any{"port": standby.Port})
	equal(t, map[string]any{
		"ok": true, "summary": "this standby is 0s and 0 bytes behind", "role": "standby", "standbys": []any{}, "lag_bytes": 0, "lag_seconds": 0, "receiving": true,
	}, done(t, behind.Probe("replication_lag", nil)))
	equal(t, true, done(t, behind.Probe("ready", nil))["standby"])
	fails(t, wantEnd{"failed_clean", "read_only_violation"}, behind.Act("execute", map[string]any{"sql": "CREATE TABLE t (id int)"}), "read-only transaction")

	primary.Stop()
	standbyConn := standby.Connect(t, "postgres")
	for receiving := true; receiving; {
		if err := standbyConn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)").Scan(&receiving); err != nil {
			t.Fatal(err)
		}
	}
	cut := done(t, behind.Probe("replication_lag", nil))
	equal(t, []any{false, "this standby receives no WAL from its primary"}, []any{cut["ok"], cut["summary"]})
}

func TestTableSizes(t *testing.T) {
	l := newLab(t)
	equal(t, []any{false, "there is no table"}, firstTwo(done(t, l.Probe("table_sizes", nil))))
	server.Exec(t, l.database, bars("1000"), "CREATE SCHEMA market", "CREATE TABLE market.small (id int)")
	got := done(t, l.Probe("table_sizes", nil), "summary")
	tables := got["tables"].([]any)
	largest := tables[0].(map[string]any)
	equal(t, []any{true, 2, 2, "public", "bars", 1000}, []any{got["ok"], got["table_count"], len(tables), largest["schema"], largest["table"], largest["rows_estimate"]})
	if total := largest["total_bytes"].(int); total <= 0 || total != largest["table_bytes"].(int)+largest["index_bytes"].(int) {
		t.Errorf("%v", largest)
	}
	only := done(t, l.Probe("table_sizes", map[string]any{"schema": "market", "limit": 1}))
	equal(t, "small", only["tables"].([]any)[0].(map[string]any)["table"])
	equal(t, []any{false, "there is no table in schema nowhere"}, firstTwo(done(t, l.Probe("table_sizes", map[string]any{"schema": "nowhere"}))))
}

func firstTwo(result map[string]any) []any { return []any{result["ok"], result["summary"]} }

func TestTerminateIdle(t *testing.T) {
	l := newLab(t)
	open := func(application, database string) *pgx.Conn {
		conn := server.Connect(t, database)
		if _, err := conn.Exec(t.Context(), "SET application_name = '"+application+"'"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	idle, busy, own, elsewhere := open("api", l.database), open("worker", l.database), open("runbook key:abc", l.database), open("api", "postgres")
	if _, err := busy.Exec(t.Context(), "BEGIN; SELECT 1"); err != nil {
		t.Fatal(err)
	}
	args := map[string]any{"older_than": "1ms"}
	preview := l.Preview("terminate_idle", args)
	equal(t, map[string]int64{"connections": 1}, map[string]int64(preview.Impact))
	equal(t, fmt.Sprintf("ends 1 idle session of %s", l.database), preview.Summary)
	equal(t, []any{false, true}, []any{preview.Destructive, l.Describe("terminate_idle", map[string]any{"older_than": "1ms", "in_transaction": true}).Destructive})

	fails(t, wantEnd{"failed_clean", "limit_exceeded"}, l.Act("terminate_idle", args, sdktest.Limit("connections", 0)))
	equal(t, 0, done(t, l.Act("terminate_idle", map[string]any{"older_than": "1h"}))["terminated"])
	equal(t, 0, done(t, l.Act("terminate_idle", map[string]any{"older_than": "1ms", "application": "other"}))["terminated"])
	got := done(t, l.Act("terminate_idle", args))
	session := got["sessions"].([]any)[0].(map[string]any)
	equal(t, []any{true, 1, int(idle.PgConn().PID()), "api", "idle"}, []any{got["ok"], got["terminated"], session["pid"], session["application"], session["state"]})

	alive := func(conns ...*pgx.Conn) (alive []bool) {
		for _, conn := range conns {
			alive = append(alive, conn.Ping(t.Context()) == nil)
		}
		return alive
	}
	equal(t, []bool{false, true, true, true}, alive(idle, busy, own, elsewhere))
	equal(t, 1, done(t, l.Act("terminate_idle", map[string]any{"older_than": "1ms", "in_transaction": true}))["terminated"])
	equal(t, []bool{false, true, true}, alive(busy, own, elsewhere))
}

func TestVacuumAndReindex(t *testing.T) {
	l := newLab(t, bars("2000"), "CREATE TABLE foreign_bars (id int PRIMARY KEY)", "DELETE FROM bars WHERE close > 4500",
		"CREATE ROLE janitor LOGIN PASSWORD 'j'", "GRANT ALL ON bars TO janitor")
	t.Cleanup(func() {
		server.Exec(t, l.database, "DROP OWNED BY janitor")
		server.Exec(t, "postgres", "DROP ROLE janitor")
	})
	if preview := l.Preview("vacuum", map[string]any{"table": "bars"}); preview.Failure != nil || preview.Impact["bytes"] <= 0 {
		t.Errorf("%v", preview)
	}
	shrunk := done(t, l.Act("vacuum", map[string]any{"table": "bars", "full": true}))
	if shrunk["bytes_after"].(int) >= shrunk["bytes_before"].(int) {
		t.Errorf("%v", shrunk)
	}
	if len(l.Logs()) == 0 {
		t.Error("the server's words were not logged")
	}
	equal(t, true, done(t, l.Act("vacuum", nil))["ok"])
	fails(t, wantEnd{"failed_clean", "undefined_table"}, l.Act("vacuum", map[string]any{"table": "missing"}))
	// The server only warns of a table that the role may not vacuum.
	janitor := harness(t, l.database, map[string]any{"user": "janitor", "password": "j"})
	fails(t, wantEnd{"failed_partial", "not_ok"}, janitor.Act("vacuum", map[string]any{"table": "bars"}), "not everything was vacuumed", "bars")

	for _, args := range []map[string]any{{"table": "bars"}, {"index": "bars_pkey"}, {"table": "public.bars", "concurrently": false}, nil} {
		got := done(t, l.Act("reindex", args))
		equal(t, []any{true, []any{}}, []any{got["ok"], got["invalid_indexes"]})
	}
	if preview := l.Preview("reindex", map[string]any{"table": "bars"}); preview.Failure != nil || preview.Impact["bytes"] <= 0 {
		t.Errorf("%v", preview)
	}
	fails(t, wantEnd{"failed_clean", "permission_denied"}, janitor.Act("reindex", map[string]any{"table": "bars"}))
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("reindex", map[string]any{"table": "bars", "index": "bars_pkey"}))
}

// An index that an interrupted build has left behind is no news of others.
func TestReindexJudgesWhatItRebuilt(t *testing.T) {
	l := newLab(t, bars("10"), "CREATE TABLE other (id int)", "INSERT INTO other VALUES (1), (1)",
		"CREATE TABLE parts (id int) PARTITION BY LIST (id)", "CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1)", "INSERT INTO parts VALUES (1), (1)")
	leave := func(index, table string) {
		conn := server.Connect(t, l.database)
		if _, err := conn.Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY "+index+" ON "+table+" (id)"); err == nil {
			t.Fatalf("%s could be built", index)
		}
	}
	leave("broken", "other")
	leave("part_broken", "part_1")
	for _, args := range []map[string]any{{"table": "bars"}, {"index": "bars_pkey"}} {
		got := done(t, l.Act("reindex", args))
		equal(t, []any{true, []any{}}, []any{got["ok"], got["invalid_indexes"]})
	}
	fails(t, wantEnd{"failed_partial", "not_ok"}, l.Act("reindex", map[string]any{"table": "other"}), "invalid indexes: broken")
	fails(t, wantEnd{"failed_partial", "not_ok"}, l.Act("reindex", map[string]any{"table": "parts"}), "invalid indexes: part_broken")
	fails(t, wantEnd{"failed_partial", "not_ok"}, l.Act("reindex", nil), "invalid indexes: broken, part_broken")
	server.Exec(t, l.database, "DELETE FROM other", "DELETE FROM parts")
	equal(t, true, done(t, l.Act("reindex", map[string]any{"index": "broken"}))["ok"])
	equal(t, true, done(t, l.Act("reindex", map[string]any{"table": "parts", "concurrently": false}))["ok"])
}
