package postgres_test

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// through is a provider whose connection runs over a proxy.
func through(t *testing.T, l lab, port int) *sdktest.Harness {
	t.Helper()
	return harness(t, l.database, map[string]any{"port": port, "sslmode": "disable"})
}

func address() string { return fmt.Sprintf("%s:%d", server.Host, server.Port) }

var removal = map[string]any{"sql": "DELETE FROM bars WHERE close > 4005"}

// COMMIT reached the server and its answer was lost: the action cannot know,
// Settle can, and the same key does nothing twice.
func TestLostAnswerOfACommitThatHappened(t *testing.T) {
	l := newLab(t, bars("10"))
	h := through(t, l, backendtest.Proxy(t, address(), backendtest.Cut{When: "commit", Forward: true}))
	key := sdktest.Key("k")
	fails(t, wantEnd{"unknown", "commit_unknown"}, h.Act("execute", removal, key), "lost before COMMIT was answered")
	equal(t, "5", l.one(t, "SELECT count(*) FROM bars"))
	settled := done(t, l.Settle("execute", removal, key), "at", "summary")
	equal(t, map[string]any{"ok": true, "rows": 5, "repeated": true}, settled)
	equal(t, true, done(t, l.Act("execute", removal, key))["repeated"])
}

// COMMIT never reached the server.
func TestLostCommit(t *testing.T) {
	l := newLab(t, bars("10"))
	h := through(t, l, backendtest.Proxy(t, address(), backendtest.Cut{When: "commit"}))
	key := sdktest.Key("k")
	fails(t, wantEnd{"unknown", "commit_unknown"}, h.Act("execute", removal, key))
	until(t, l.database, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'runbook key:%')")
	fails(t, wantEnd{"failed_clean", "not_committed"}, l.Settle("execute", removal, key))
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
	equal(t, false, done(t, l.Act("execute", removal, key))["repeated"])
}

// The server ends the session in the middle of COMMIT.
func TestSessionKilledDuringCommit(t *testing.T) {
	l := newLab(t, bars("10"),
		"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END'",
		"CREATE CONSTRAINT TRIGGER die AFTER DELETE ON bars DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()")
	key := sdktest.Key("k")
	fails(t, wantEnd{"unknown", "commit_unknown"}, l.Act("execute", removal, key))
	fails(t, wantEnd{"failed_clean", "not_committed"}, l.Settle("execute", removal, key))
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}

// The session is killed before COMMIT: that is certain.
func TestSessionKilledBeforeCommit(t *testing.T) {
	l := newLab(t, bars("10"), "CREATE FUNCTION die() RETURNS bool LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN true; END'")
	fails(t, wantEnd{"failed_clean", "session_terminated"}, l.Act("execute", map[string]any{"sql": "DELETE FROM bars WHERE die()"}))
	fails(t, wantEnd{"failed_clean", "session_terminated"}, l.Act("delete", map[string]any{"table": "bars", "where": "die()"}))
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}

// While the attempt's transaction is open, Settle says so, and a second attempt
// under the same key waits and then finds the work done.
func TestSettleSeesARunningAttempt(t *testing.T) {
	l := newLab(t, bars("10"))
	key := sdktest.Key("k")
	var running, second schema.Outcome
	ended := make(chan struct{})
	port := backendtest.Intercept(t, address(), backendtest.Cut{When: "commit"}, func() {
		running = l.Settle("execute", removal, key)
		go func() {
			defer close(ended)
			second = l.Act("execute", removal, key)
		}()
		if err := await(t.Context(), l.database, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO runbook_attempts%')"); err != nil {
			t.Error(err)
		}
	})
	equal(t, false, done(t, through(t, l, port).Act("execute", removal, key))["repeated"])
	<-ended
	fails(t, wantEnd{"running", "still_running"}, running)
	equal(t, []any{5, true}, []any{done(t, second)["rows"], done(t, second)["repeated"]})
	equal(t, "5", l.one(t, "SELECT count(*) FROM bars"))
}

func TestSettleOfAnAttemptThatNeverBegan(t *testing.T) {
	l := newLab(t, bars("10"))
	for _, name := range []string{"execute", "delete", "update"} {
		args := removal
		if name != "execute" {
			args = map[string]any{"table": "bars", "where": "true"}
		}
		if name == "update" {
			args = map[string]any{"table": "bars", "where": "true", "set": map[string]any{"close": 1}}
		}
		fails(t, wantEnd{"failed_clean", "not_committed"}, l.Settle(name, args, sdktest.Key("never")))
		fails(t, wantEnd{"unknown", "connection_refused"}, harness(t, l.database, map[string]any{"port": backendtest.Refused(t)}).Settle(name, args))
	}
}

// A cancelled statement ends on the server too, and leaves nothing open.
func TestCancelLeavesNothingRunning(t *testing.T) {
	l := newLab(t, bars("10"))
	for name, args := range map[string]map[string]any{
		"execute": {"sql": "DELETE FROM bars WHERE pg_sleep(60) IS NOT NULL"},
		"delete":  {"table": "bars", "where": "pg_sleep(60) IS NOT NULL"},
		"update":  {"table": "bars", "where": "pg_sleep(60) IS NOT NULL", "set": map[string]any{"close": 0}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer cancel()
			if err := await(t.Context(), l.database, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database())"); err != nil {
				t.Error(err)
			}
		}()
		started := time.Now()
		fails(t, wantEnd{"failed_clean", "cancelled"}, l.Act(name, args, sdktest.Context(ctx)))
		if took := time.Since(started); took > 30*time.Second {
			t.Errorf("%s: it was not cancelled, it ended after %s", name, took)
		}
		until(t, l.database, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'runbook%' AND datname = current_database())")
	}
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}

// The client dies in the middle of a long statement: the server notices within
// seconds, and Settle tells the time before from the time after.
func TestOrphanedStatementEnds(t *testing.T) {
	l := newLab(t, bars("10"))
	key := sdktest.Key("k")
	port, sever := backendtest.Severable(t, address())
	h := through(t, l, port)
	args := map[string]any{"sql": "DELETE FROM bars WHERE pg_sleep(600) IS NOT NULL"}
	var running schema.Outcome
	severed := make(chan time.Time, 1)
	go func() {
		if err := await(t.Context(), l.database, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database())"); err != nil {
			t.Error(err)
		}
		running = l.Settle("execute", args, key)
		severed <- time.Now()
		sever()
	}()
	fails(t, wantEnd{"failed_clean", "connection_lost"}, h.Act("execute", args, key))
	at := <-severed
	fails(t, wantEnd{"running", "still_running"}, running)
	until(t, l.database, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database())")
	t.Logf("the server ended the orphan after %s", time.Since(at).Round(time.Millisecond))
	fails(t, wantEnd{"failed_clean", "not_committed"}, l.Settle("execute", args, key))
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}

func TestDeadlineEndsAnAction(t *testing.T) {
	l := newLab(t, bars("10"))
	outcome := inTime(t, "did not finish in time", func(deadline sdktest.Option) schema.Outcome {
		return l.Act("execute", map[string]any{"sql": "DELETE FROM bars WHERE pg_sleep(60) IS NOT NULL"}, deadline)
	})
	fails(t, wantEnd{"failed_clean", "timeout"}, outcome, "did not finish in time")
	equal(t, "10", l.one(t, "SELECT count(*) FROM bars"))
}

func TestActionsOnADeadServerAreClean(t *testing.T) {
	h := harness(t, "any", map[string]any{"port": backendtest.Refused(t)})
	for name, args := range map[string]map[string]any{
		"execute": removal, "delete": {"table": "bars", "where": "close > 1"}, "update": {"table": "bars", "where": "close > 1", "set": map[string]any{"close": 0}},
		"terminate_idle": {"older_than": "1m"}, "vacuum": nil, "reindex": nil,
	} {
		fails(t, wantEnd{"failed_clean", "connection_refused"}, h.Act(name, args), "refused the connection")
		if name != "execute" || args["sql"] == nil {
			equal(t, "connection_refused", h.Preview(name, args).Failure.Code)
		}
	}
}

// shown runs a command as a person would who copies it.
func shown(t *testing.T, argv []string) {
	t.Helper()
	command := exec.Command(argv[0], argv[1:]...)
	command.Env = append(command.Environ(), "PGPASSWORD="+server.Password)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, output)
	}
}

// What acts outside of the transaction is not taken back with it.
func TestWhatNoRollbackTakesBackIsNotClean(t *testing.T) {
	l := newLab(t)
	args := map[string]any{"sql": "SELECT pg_terminate_backend(0)", "expect_rows": map[string]any{"min": 2}}
	fails(t, wantEnd{"failed_partial", "unexpected_rows"}, l.Act("execute", args, sdktest.Key("k")), "pg_terminate_backend() may have acted all the same")
	fails(t, wantEnd{"failed_partial", "not_committed"}, l.Settle("execute", args, sdktest.Key("k")))
	refused := map[string]any{"sql": "SELECT pg_terminate_backend(0)", "expect_rows": map[string]any{"min": 2, "max": 1}}
	fails(t, wantEnd{"failed_clean", "invalid_argument"}, l.Act("execute", refused))
}

// A session that was told to end and has not yet may end at any time.
func TestCutWhileASessionEndsIsNotClean(t *testing.T) {
	l := newLab(t)
	idle := server.Connect(t, l.database)
	if _, err := idle.Exec(t.Context(), "SET application_name = 'stuck'"); err != nil {
		t.Fatal(err)
	}
	pid := int(idle.PgConn().PID())
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	o := l.Act("terminate_idle", map[string]any{"older_than": "1ms", "application": "stuck"}, sdktest.Deadline(time.Now().Add(3*time.Second)))
	fails(t, wantEnd{"failed_partial", "timeout"}, o)
}

// What runs outside of transactions and was not answered may go on, or not.
func TestLostAnswerOutsideOfATransactionIsUncertain(t *testing.T) {
	l := newLab(t, bars("10"))
	idle := server.Connect(t, l.database)
	if _, err := idle.Exec(t.Context(), "SET application_name = 'api'"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args map[string]any
		when string
	}{
		"vacuum":         {map[string]any{"table": "bars"}, "VACUUM ("},
		"reindex":        {map[string]any{"table": "bars"}, "REINDEX TABLE"},
		"terminate_idle": {map[string]any{"older_than": "1ms", "application": "api"}, "pg_terminate_backend(pid"},
	} {
		for _, forward := range []bool{false, true} {
			h := through(t, l, backendtest.Proxy(t, address(), backendtest.Cut{When: test.when, Forward: forward}))
			fails(t, wantEnd{"unknown", "connection_lost"}, h.Act(name, test.args))
		}
	}
}

// The server's own word that it ended the session is certain.
func TestMaintenanceEndedByTheServerIsCertain(t *testing.T) {
	l := newLab(t, bars("10"))
	hold := server.Connect(t, l.database)
	if _, err := hold.Exec(t.Context(), "BEGIN; LOCK TABLE bars IN SHARE UPDATE EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := await(t.Context(), l.database, "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity WHERE query LIKE 'VACUUM%' AND wait_event_type = 'Lock'"); err != nil {
			t.Error(err)
		}
	}()
	fails(t, wantEnd{"failed_partial", "session_terminated"}, l.Act("vacuum", map[string]any{"table": "bars"}))
	<-ended
}
