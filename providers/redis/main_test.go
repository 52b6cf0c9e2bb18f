package redis_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	goredis "github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/redis"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

var server *backendtest.Redis

func TestMain(m *testing.M) {
	sdktest.Serve(redis.Provider)
	backendtest.Main(m, backendtest.WithRedis(&server))
}

// lab is one test's database, a client of it, and a provider configured for it.
type lab struct {
	*sdktest.Harness
	client *goredis.Client
	db     int
}

func newLab(t *testing.T) lab {
	t.Helper()
	db := server.Database(t)
	return lab{harness(t, map[string]any{"db": db}), server.Client(t, db), db}
}

func harness(t *testing.T, overrides map[string]any) *sdktest.Harness {
	t.Helper()
	config := map[string]any{"host": server.Host, "port": server.Port, "password": server.Password}
	maps.Copy(config, overrides)
	return sdktest.New(t, redis.Provider(), config)
}

// keys is how many keys the test's database holds.
func (l lab) keys(t *testing.T) int {
	t.Helper()
	n, err := l.client.DBSize(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// do runs a command as somebody else would.
func (l lab) do(t *testing.T, words ...any) {
	t.Helper()
	if err := l.client.Do(t.Context(), words...).Err(); err != nil {
		t.Fatalf("%v: %v", words, err)
	}
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
