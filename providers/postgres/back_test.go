package postgres_test

import (
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestRestoreRows(t *testing.T) {
	l := newLab(t, bars("10"), "CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, loud text GENERATED ALWAYS AS (upper(name)) STORED)",
		"INSERT INTO numbered (name) VALUES ('a'), ('b'), ('c')")
	kept := func(table, where, to string) {
		done(t, l.Act("delete", map[string]any{"table": table, "where": where, "backup_to": to}, sdktest.Key("delete "+to)))
	}
	kept("bars", "close > 4007", "kept")
	back := map[string]any{"from": "kept", "table": "bars", "expect_rows": map[string]any{"min": 3, "max": 3}}
	equal(t, map[string]int64{"rows": 3}, map[string]int64(l.Preview("restore_rows", back).Impact))
	equal(t, 3, done(t, l.Act("restore_rows", back, sdktest.Key("back")))["rows"])
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
	equal(t, "constraint_violation", l.Preview("restore_rows", back).Failure.Code)
	fails(t, wantEnd{"failed_clean", "constraint_violation"}, l.Act("restore_rows", back, sdktest.Key("again")))

	server.Exec(t, l.database, "UPDATE bars SET close = 0 WHERE close > 4008")
	skip := map[string]any{"from": "kept", "table": "bars", "on_conflict": "skip"}
	equal(t, int64(0), l.Preview("restore_rows", skip).Impact["rows"])
	equal(t, 0, done(t, l.Act("restore_rows", skip, sdktest.Key("skip")))["rows"])
	replace := map[string]any{"from": "kept", "table": "bars", "on_conflict": "replace"}
	if d := l.Describe("restore_rows", replace); !d.Destructive {
		t.Error("to overwrite rows is not called destructive")
	}
	equal(t, 3, done(t, l.Act("restore_rows", replace, sdktest.Key("replace")))["rows"])
	equal(t, "4010", l.one(t, "SELECT max(close) FROM bars"))

	// What the server computes or numbers comes back as it was.
	kept("numbered", "id > 1", "kept_numbered")
	done(t, l.Act("restore_rows", map[string]any{"from": "kept_numbered", "table": "numbered"}, sdktest.Key("numbered")))
	equal(t, "1 A, 2 B, 3 C", l.one(t, "SELECT string_agg(id || ' ' || loud, ', ' ORDER BY id) FROM numbered"))

	fails(t, wantEnd{"failed_clean", "backup_differs"}, l.Act("restore_rows", map[string]any{"from": "numbered", "table": "bars"}), "no column")
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("restore_rows", map[string]any{"from": "bars", "table": "bars"}))
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("restore_rows", map[string]any{"from": "kept", "table": "bars", "on_conflict": "perhaps"}))
}

func TestAlterSystem(t *testing.T) {
	l := newLab(t)
	set := func(args map[string]any) map[string]any { return done(t, l.Act("alter_system", args), "summary") }
	t.Cleanup(func() {
		server.Exec(t, "postgres", "ALTER SYSTEM RESET max_locks_per_transaction", "ALTER SYSTEM RESET work_mem")
	})
	first := set(map[string]any{"name": "work_mem", "value": "5MB"})
	equal(t, map[string]any{"ok": true, "previous": nil, "before": "4MB", "value": "5MB", "pending_restart": false, "changed": true}, first)
	again := set(map[string]any{"name": "work_mem", "value": "5MB"})
	equal(t, map[string]any{"ok": true, "previous": "5MB", "before": "5MB", "value": "5MB", "pending_restart": false, "changed": false}, again)
	undone := set(map[string]any{"name": "work_mem"})
	equal(t, map[string]any{"ok": true, "previous": "5MB", "before": "5MB", "value": "4MB", "pending_restart": false, "changed": true}, undone)
	if logs := l.Logs(); logs[0] != "work_mem was 4MB; postgresql.auto.conf held nothing" {
		t.Errorf("the way back is not in the log: %q", logs)
	}

	later := done(t, l.Act("alter_system", map[string]any{"name": "max_locks_per_transaction", "value": "128"}))
	equal(t, []any{true, true, "64"}, []any{later["ok"], later["pending_restart"], later["value"]})
	equal(t, false, done(t, l.Probe("pending_restart", nil))["ok"])
	// The server forgets that a restart was due only where the value is set back.
	done(t, l.Act("alter_system", map[string]any{"name": "max_locks_per_transaction", "value": "64"}))
	equal(t, true, done(t, l.Probe("pending_restart", nil))["ok"])

	many := l.Describe("alter_system", map[string]any{"name": "session_preload_libraries", "values": []string{"a", "b'c"}})
	if want := `ALTER SYSTEM SET "session_preload_libraries" = 'a', 'b''c'`; many.Command[len(many.Command)-3] != want {
		t.Errorf("the command is %q", many.Command)
	}
	h := outsider(t, l)
	fails(t, wantEnd{"failed_clean", "permission_denied"}, h.Act("alter_system", map[string]any{"name": "work_mem", "value": "5MB"}))
}

func TestWriters(t *testing.T) {
	l := newLab(t, bars("10"))
	look := map[string]any{"watch": "0s"}
	equal(t, true, done(t, l.Probe("writers", look))["ok"])
	reader, writer := server.Connect(t, l.database), server.Connect(t, l.database)
	for conn, sql := range map[interface{ PID() uint32 }]string{reader.PgConn(): "BEGIN; SELECT count(*) FROM bars", writer.PgConn(): "BEGIN; UPDATE bars SET close = 1 WHERE close > 4009"} {
		if conn == reader.PgConn() {
			if _, err := reader.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := writer.Exec(t.Context(), "SET application_name = 'api'; "+sql); err != nil {
			t.Fatal(err)
		}
	}
	got := done(t, outsider(t, l).Probe("writers", look))
	equal(t, []any{false, 1}, []any{got["ok"], len(got["writers"].([]any))})
	one := got["writers"].([]any)[0].(map[string]any)
	equal(t, []any{int(writer.PgConn().PID()), "admin", []any{"bars"}}, []any{one["pid"], one["user"], one["tables"]})
	equal(t, true, done(t, l.Probe("writers", map[string]any{"watch": "0s", "ignore": []string{"api"}}))["ok"])
	if _, err := writer.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	equal(t, true, done(t, l.Probe("writers", look))["ok"])

	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if _, err := writer.Exec(t.Context(), "UPDATE bars SET close = close + 1"); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	busy := done(t, l.Probe("writers", map[string]any{"watch": "3s"}))
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if busy["ok"] != false || busy["rows_written"].(int) == 0 {
		t.Errorf("short transactions are not seen: %v", busy["summary"])
	}
}

// A password in a setting is in no log and no result.
func TestAlterSystemKeepsPasswordsOut(t *testing.T) {
	l := newLab(t)
	for _, value := range []string{"host=primary password=pg-hidden", "postgres://repl:pg-hidden@primary/"} {
		args := map[string]any{"name": "primary_conninfo", "value": value}
		if f := l.Preview("alter_system", args).Failure; f == nil || f.Code != "holds_secret" || strings.Contains(f.Error(), "hidden") {
			t.Errorf("the preview says %v", f)
		}
		fails(t, wantEnd{"failed_clean", "holds_secret"}, l.Act("alter_system", args))
	}
	if said := strings.Join(l.Logs(), "\n"); strings.Contains(said, "hidden") {
		t.Errorf("the log says %s", said)
	}
}
