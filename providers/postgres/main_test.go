package postgres_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/postgres"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

var server *backendtest.Postgres

func TestMain(m *testing.M) {
	sdktest.Serve(postgres.Provider)
	backendtest.Main(m, backendtest.WithPostgres(&server))
}

// lab is one test's database and a provider that is configured for it.
type lab struct {
	*sdktest.Harness
	database string
}

func newLab(t *testing.T, statements ...string) lab {
	t.Helper()
	database := server.Database(t)
	server.Exec(t, database, statements...)
	return lab{harness(t, database, nil), database}
}

// harness configures a provider; overrides replace what reaches the server.
func harness(t *testing.T, database string, overrides map[string]any) *sdktest.Harness {
	t.Helper()
	config := map[string]any{
		"host": server.Host, "port": server.Port, "database": database, "user": server.User, "password": server.Password,
	}
	maps.Copy(config, overrides)
	return sdktest.New(t, postgres.Provider(), config)
}

// bars is a table of n bars, one a minute, the newest a minute old.
func bars(n string) string {
	return `CREATE TABLE bars (time timestamptz PRIMARY KEY, symbol text NOT NULL, close numeric);
INSERT INTO bars SELECT date_trunc('second', now()) - make_interval(mins => i), 'USDCOP', 4000 + i FROM generate_series(1, ` + n + `) AS i;
ANALYZE bars`
}

// one reads a single value as text.
func (l lab) one(t *testing.T, sql string) string {
	t.Helper()
	var text string
	if err := server.Connect(t, l.database).QueryRow(t.Context(), "SELECT ("+sql+")::text").Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

// done is the result of an outcome that must be done, without fields that no
// test can foresee.
func done(t *testing.T, outcome schema.Outcome, without ...string) map[string]any {
	t.Helper()
	if outcome.State != schema.Done {
		t.Fatalf("state %s: %v", outcome.State, outcome.Failure)
	}
	result := sdktest.Go(t, outcome.Result).(map[string]any)
	for _, name := range append(without, "duration_seconds") {
		delete(result, name)
	}
	return result
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// wantEnd is what a test expects of a failed operation.
type wantEnd struct {
	State schema.State
	Code  string
}

// inTime gives an operation ever more time until it had begun before its
// deadline: on a busy machine the first may pass while it connects.
func inTime(t *testing.T, begun string, operate func(sdktest.Option) schema.Outcome) schema.Outcome {
	t.Helper()
	for patience := 500 * time.Millisecond; ; patience *= 2 {
		o := operate(sdktest.Deadline(time.Now().Add(patience)))
		if o.Failure == nil || strings.Contains(o.Failure.Message, begun) || patience > time.Minute {
			return o
		}
	}
}

// fails checks state and code, and that the message holds every part.
func fails(t *testing.T, want wantEnd, outcome schema.Outcome, parts ...string) {
	t.Helper()
	if outcome.Failure == nil {
		t.Fatalf("state %s without a failure: %v", outcome.State, sdktest.Go(t, outcome.Result))
	}
	equal(t, want, wantEnd{outcome.State, outcome.Failure.Code})
	for _, part := range parts {
		if !strings.Contains(outcome.Failure.Message, part) {
			t.Errorf("the message %q lacks %q", outcome.Failure.Message, part)
		}
	}
}
