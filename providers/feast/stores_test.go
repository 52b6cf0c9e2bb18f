package feast_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/runbook-engine/runbook/providers/feast"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestUnreachable(t *testing.T) {
	room.heal(t)
	refused, hole := backendtest.Refused(t), backendtest.Blackhole(t)
	config := room.copyRepo(t,
		room.env["REDIS_HOST"]+":"+room.env["REDIS_PORT"], fmt.Sprintf("127.0.0.1:%d", refused),
		"port: "+room.env["POSTGRES_PORT"], fmt.Sprintf("port: %d", hole))
	h := sdktest.New(t, feast.Provider(), config)
	given := map[string]any{"feature_view": view, "entities": usdcop()}
	answer(t, h.Probe("registry", nil)) // Feast is loaded
	began := time.Now()
	f := failed(t, h.Probe("freshness", given), schema.FailedClean, "online_store_unreachable")
	if !strings.Contains(f.Message, strconv.Itoa(refused)) || !f.Retryable {
		t.Errorf("got %+v", f)
	}
	if took := time.Since(began); took > 6*time.Second { // redis-py by itself: seven and more
		t.Errorf("it took %s to see that Redis is away", took)
	}
	o := h.Probe("freshness", map[string]any{"feature_view": view}, sdktest.Deadline(time.Now().Add(5*time.Second)))
	f = failed(t, o, schema.FailedClean, "timeout")
	if !strings.Contains(f.Message, strconv.Itoa(hole)) {
		t.Error(f)
	}
	// Looked at before anything is touched.
	failed(t, h.Act("materialize", map[string]any{"end": time.Now()}), schema.FailedClean, "offline_store_unreachable")
	if logs := h.Logs(); !slices.Contains(logs, fmt.Sprintf("connecting to postgres://127.0.0.1:%d/usdcop_trading", hole)) {
		t.Errorf("got %q", logs)
	}
}

// A registry in PostgreSQL and an online store in SQLite: what is not said of
// Redis holds there too.
func TestOtherStores(t *testing.T) {
	conn := room.postgres(t)
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE feast_registry"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), "DROP DATABASE feast_registry WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	at := net.JoinHostPort(room.env["POSTGRES_HOST"], room.env["POSTGRES_PORT"]) + "/feast_registry"
	config := room.copyRepo(t,
		"path: data/registry.db", "registry_type: sql\n  path: postgresql+psycopg://"+room.env["POSTGRES_USER"]+":${POSTGRES_PASSWORD}@"+at,
		"type: redis", "type: sqlite", "connection_string: "+room.env["REDIS_HOST"]+":"+room.env["REDIS_PORT"]+",db=0", "path: data/online.db")
	h := sdktest.New(t, feast.Provider(), config)
	tables := func() (n int) {
		t.Helper()
		other, err := pgx.Connect(t.Context(), "postgres://"+room.env["POSTGRES_USER"]+":"+room.env["POSTGRES_PASSWORD"]+"@"+at+"?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close(t.Context())
		if err := other.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	got := answer(t, h.Probe("registry", nil))
	if got["ok"] != false || got["exists"] != false || got["path"] != "postgresql+psycopg://"+at {
		t.Errorf("got %v", got)
	}
	if plan := answer(t, h.Probe("plan", nil)); plan["exists"] != false || plan["created"] != 5 || tables() != 0 {
		t.Errorf("got %v, and %d tables", plan, tables())
	}
	answer(t, h.Act("apply", nil))
	if plan := answer(t, h.Probe("plan", nil)); plan["ok"] != true {
		t.Errorf("got %v", plan)
	}
	done := answer(t, h.Act("materialize_incremental", map[string]any{"end_time": time.Now()}))
	if done["rows_written"] != nil || done["rows_offered"] != 2 {
		t.Errorf("got %v", done)
	}
	for _, probe := range []string{"freshness", "sync"} {
		if got := answer(t, h.Probe(probe, map[string]any{"feature_view": view})); got["ok"] != true {
			t.Errorf("%s says %v", probe, got)
		}
	}
	given := map[string]any{"feature_view": view}
	failed(t, h.Probe("online_keys", given), schema.FailedClean, "unsupported_online_store")
	failed(t, h.Act("purge_view", given), schema.FailedClean, "unsupported_online_store")
}

func TestConfiguration(t *testing.T) {
	none := sdktest.New(t, feast.Provider(), map[string]any{"repo": room.env["LAB_FEATURE_REPO"], "python": "no-such-python"})
	f := failed(t, none.Probe("registry", nil), schema.FailedClean, "cannot_start")
	if f.Message != "there is no interpreter no-such-python" || f.Argument != "python" {
		t.Errorf("got %+v", f)
	}
	bare := sdktest.New(t, feast.Provider(), map[string]any{"repo": room.env["LAB_FEATURE_REPO"], "python": "/usr/bin/python3"})
	f = failed(t, bare.Probe("registry", nil), schema.FailedClean, "feast_not_installed")
	if f.Message != "/usr/bin/python3 cannot import feast" {
		t.Errorf("got %+v", f)
	}
	config := room.config()
	config["repo"] = t.TempDir()
	empty := sdktest.New(t, feast.Provider(), config)
	failed(t, empty.Probe("registry", nil), schema.FailedClean, "no_repository")

	for argument, value := range map[string]string{"server": "localhost:6566", "online_store": "redis://user:secret@localhost:6379"} {
		config := room.config()
		config[argument] = value
		if _, err := sdktest.Try(t, feast.Provider(), config); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s = %q: %v", argument, value, err)
		}
	}
}

// What is wrong with feature_store.yaml is told without what stands in it.
func TestConfigurationIsNotQuoted(t *testing.T) {
	password := "password: ${POSTGRES_PASSWORD}"
	for name, test := range map[string]struct {
		edits []string
		says  string
	}{
		"a field too much":        {[]string{password, "password: hunter2\n  passwrod: hunter2"}, "passwrod Extra inputs are not permitted"},
		"a field of another type": {[]string{password, "password: [hunter2]"}, "password Input should be a valid string"},
		"no YAML":                 {[]string{password, "password: [hunter2"}, "expected ',' or ']', but got ':', line "},
	} {
		t.Run(name, func(t *testing.T) {
			h := sdktest.New(t, feast.Provider(), room.copyRepo(t, test.edits...))
			probed := failed(t, h.Probe("registry", nil), schema.FailedClean, "invalid_repository")
			acted := failed(t, h.Act("apply", nil), schema.FailedClean, "invalid_repository")
			told := strings.Join(append(h.Logs(), probed.Message, acted.Message), "\n")
			if strings.Contains(told, "hunter2") || !strings.Contains(probed.Message, test.says) {
				t.Error(told)
			}
		})
	}
}

// Describe looks at nothing: it says what the configuration says.
func TestDescribe(t *testing.T) {
	h := sdktest.New(t, feast.Provider(), map[string]any{
		"repo": "/srv/features", "online_store": "redis://cache.example:6379/2", "python": "/opt/feast/bin/python",
	})
	host, _ := os.Hostname()
	own := "feast://" + strings.ToLower(host) + "/srv/features"
	want := schema.Description{
		Settling: schema.Idempotent,
		Effects: []schema.Effect{
			{Resource: own + "/registry", Mode: schema.Write},
			{Resource: "redis://cache.example:6379/2", Mode: schema.Write},
			{Resource: own + "/offline_store", Mode: schema.Read},
		},
		Summary: "materializes technical_features",
		Command: []string{"/opt/feast/bin/feast", "-c", "/srv/features", "materialize", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "--views", view},
	}
	got := h.Describe("materialize", map[string]any{
		"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "feature_views": []string{view},
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	backwards := h.Describe("materialize", map[string]any{"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"})
	if backwards.Failure == nil || backwards.Failure.Argument != "start" {
		t.Errorf("got %+v", backwards)
	}
}

// A real feature server, over the lab's repository.
func TestServerHealth(t *testing.T) {
	room.heal(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	config := room.config()
	config["server"] = "http://" + address
	h := sdktest.New(t, feast.Provider(), config)
	ask := map[string]any{"features": []string{view + ":rsi_9"}, "entities": usdcop()}
	got := answer(t, h.Probe("server_health", ask))
	if got["ok"] != false || got["status"] != nil || !strings.Contains(got["summary"].(string), address+" does not answer") {
		t.Errorf("got %v", got)
	}

	_, port, _ := net.SplitHostPort(address)
	server := exec.Command(room.env["LAB_FEAST"], "-c", room.env["LAB_FEATURE_REPO"], "serve", "-h", "127.0.0.1", "-p", port, "--no-access-log")
	server.Env = append(os.Environ(), "HOME="+t.TempDir(), "POSTGRES_PASSWORD="+room.env["POSTGRES_PASSWORD"])
	server.Stdout, server.Stderr = t.Output(), t.Output()
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		_ = server.Wait()
	})
	eventually(t, "the feature server answers", func() bool {
		return answer(t, h.Probe("server_health", nil))["ok"] == true
	})
	got = answer(t, h.Probe("server_health", ask))
	if diff := cmp.Diff(map[string]any{
		"ok": true, "summary": "the feature server answers with all 2 values", "status": 200, "missing": 0,
	}, without(got, "latency_seconds")); diff != "" {
		t.Error(diff)
	}
	ask["entities"] = entities("NOWHERE")
	if got := answer(t, h.Probe("server_health", ask)); got["ok"] != false || got["missing"] != 1 {
		t.Errorf("got %v", got)
	}
}
