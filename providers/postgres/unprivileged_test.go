package postgres_test

import (
	"fmt"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// What a role may not see must not look like what is not there.

// outsider is a harness for a role that may log in and nothing else.
func outsider(t *testing.T, l lab) *sdktest.Harness {
	t.Helper()
	server.Exec(t, "postgres", "CREATE ROLE outsider LOGIN PASSWORD 'o'")
	t.Cleanup(func() { server.Exec(t, "postgres", "DROP ROLE outsider") })
	return harness(t, l.database, map[string]any{"user": "outsider", "password": "o"})
}

func TestConnectionsOfOthersAreCounted(t *testing.T) {
	l := newLab(t)
	for range 3 {
		server.Connect(t, l.database)
	}
	got := done(t, outsider(t, l).Probe("connections", nil))
	if got["by_database"].(map[string]any)[l.database] != 4 || got["hidden"].(int) < 3 {
		t.Errorf("got %v", got)
	}
}

func TestLocksOfOthersAreSeen(t *testing.T) {
	l := newLab(t, "CREATE TABLE held (id int)")
	holder, waiter := server.Connect(t, l.database), server.Connect(t, l.database)
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE held"); err != nil {
		t.Fatal(err)
	}
	blocked := make(chan error, 1)
	go func() {
		_, err := waiter.Exec(t.Context(), "TABLE held")
		blocked <- err
	}()
	until(t, l.database, "SELECT cardinality(pg_blocking_pids($1)) > 0", int(waiter.PgConn().PID()))
	got := done(t, outsider(t, l).Probe("locks", map[string]any{"longer_than": "10m"}))
	row := got["waiting"].([]any)[0].(map[string]any)
	equal(t, []any{false, fmt.Sprintf("1 session waits for a lock, since when this role may not see; process %d (, state not seen) blocks", holder.PgConn().PID()), nil},
		[]any{got["ok"], got["summary"], row["waiting_seconds"]})
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-blocked; err != nil {
		t.Fatal(err)
	}
}

// Idle sessions that the role may not see are not "none": nothing is ended and
// nothing is claimed.
func TestTerminateIdleRefusesWhatItCannotSee(t *testing.T) {
	l := newLab(t)
	server.Connect(t, l.database)
	args := map[string]any{"older_than": "1s"}
	h := outsider(t, l)
	want := &schema.Failure{
		Code: "sessions_hidden", Message: "role outsider may not see the state of 1 session of " + l.database,
		Remedy: "grant it pg_read_all_stats and pg_signal_backend, or name its own sessions with user",
	}
	outcome := h.Act("terminate_idle", args)
	equal(t, schema.FailedClean, outcome.State)
	equal(t, want, outcome.Failure)
	equal(t, want, h.Preview("terminate_idle", args).Failure)
	done(t, h.Act("terminate_idle", map[string]any{"older_than": "1s", "user": "outsider"}))
}
