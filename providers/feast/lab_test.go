package feast_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/runbook-engine/runbook/providers/feast"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// The tests run against a lab of their own: PostgreSQL, Redis, and Feast in its
// pinned environment.
var room *lab

func TestMain(m *testing.M) {
	sdktest.Serve(feast.Provider)
	if os.Getenv("FEAST_TEST_PROVIDER") != "" {
		hangInProvider()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	started, err := startLab()
	if err != nil {
		fmt.Fprintf(os.Stderr, "start the lab: %v\n", err)
		return 1
	}
	room = started
	defer room.destroy()
	return m.Run()
}

const view = "technical_features"

type lab struct {
	env      map[string]string // what `lab env` says
	redis    *redis.Client
	registry []byte            // as it was in the beginning
	keys     map[string]string // likewise, as Redis dumps them
}

func startLab() (*lab, error) {
	base, err := freeBase()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "feastlab")
	if err != nil {
		return nil, err
	}
	l := &lab{env: map[string]string{"LAB_DIR": dir, "LAB_PORT_BASE": strconv.Itoa(base)}}
	said, err := l.run("up")
	if err == nil {
		said, err = l.run("env")
	}
	if err != nil {
		l.destroy()
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	for line := range strings.Lines(said) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		l.env[name] = strings.Trim(value, "'\"")
	}
	l.redis = redis.NewClient(&redis.Options{Addr: net.JoinHostPort(l.env["REDIS_HOST"], l.env["REDIS_PORT"])})
	if l.keys, err = l.dump(context.Background()); err != nil {
		return nil, err
	}
	l.registry, err = os.ReadFile(l.registryPath())
	return l, err
}

// freeBase finds a LAB_PORT_BASE whose two ports nobody uses: below those that
// the kernel hands out by itself, and not the first ones, which others who look
// at the same moment would find as well.
func freeBase() (int, error) {
	for range 100 {
		base := 11000 + rand.IntN(15000)
		free := true
		for _, offset := range []int{5432, 6379} {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+offset))
			if err != nil {
				free = false
				continue
			}
			_ = listener.Close()
		}
		if free {
			return base, nil
		}
	}
	return 0, fmt.Errorf("no free ports")
}

func (l *lab) run(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join("..", "..", "examples", "lab", "lab"), args...)
	cmd.Env = append(os.Environ(), "LAB_DIR="+l.env["LAB_DIR"], "LAB_PORT_BASE="+l.env["LAB_PORT_BASE"], "LAB_ROOMS=feast")
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func (l *lab) destroy() {
	if said, err := l.run("destroy"); err != nil {
		fmt.Fprintf(os.Stderr, "destroy the lab: %v\n%s", err, said)
	}
	_ = os.RemoveAll(l.env["LAB_DIR"])
}

func (l *lab) registryPath() string {
	return filepath.Join(l.env["LAB_FEATURE_REPO"], "data", "registry.db")
}

// config is the provider's, for the lab's own repository.
func (l *lab) config() map[string]any {
	return map[string]any{
		"repo": l.env["LAB_FEATURE_REPO"], "python": l.env["LAB_FEAST_PYTHON"],
		"env": map[string]string{"POSTGRES_PASSWORD": l.env["POSTGRES_PASSWORD"]},
	}
}

// heal puts registry and Redis back to the beginning.
func (l *lab) heal(t testing.TB) {
	t.Helper()
	l.writeRegistry(t, l.registry)
	if err := l.redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for key, value := range l.keys {
		if err := l.redis.Restore(t.Context(), key, 0, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *lab) writeRegistry(t testing.TB, data []byte) {
	t.Helper()
	if err := os.WriteFile(l.registryPath(), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// dump is all that Redis holds.
func (l *lab) dump(ctx context.Context) (map[string]string, error) {
	keys, err := l.redis.Keys(ctx, "*").Result()
	if err != nil {
		return nil, err
	}
	held := map[string]string{}
	for _, key := range keys {
		if held[key], err = l.redis.Dump(ctx, key).Result(); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// flush deletes Feast's keys, and leaves those of others.
func (l *lab) flush(t testing.TB) {
	t.Helper()
	for key := range l.keys {
		if strings.HasSuffix(key, "usdcop") && strings.Contains(key, "symbol") {
			if err := l.redis.Del(t.Context(), key).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// feast runs Feast's own command line, as paper runbooks do.
func (l *lab) feast(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(l.env["LAB_FEAST"], append([]string{"-c", l.env["LAB_FEATURE_REPO"]}, args...)...)
	// Optimized, it starts in half the time; the lab has compiled it so.
	cmd.Env = append(os.Environ(), "PYTHONOPTIMIZE=1", "PYTHONDONTWRITEBYTECODE=", "POSTGRES_PASSWORD="+l.env["POSTGRES_PASSWORD"])
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// postgres is a connection of the test's own.
func (l *lab) postgres(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), fmt.Sprintf("postgres://%s:%s@%s:%s/%s?sslmode=disable",
		l.env["POSTGRES_USER"], l.env["POSTGRES_PASSWORD"], l.env["POSTGRES_HOST"], l.env["POSTGRES_PORT"], l.env["POSTGRES_DB"]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// insert adds a bar, and so a source row, and takes it away when the test ends.
func (l *lab) insert(t testing.TB, symbol string, at time.Time) {
	t.Helper()
	conn := l.postgres(t)
	_, err := conn.Exec(t.Context(), `INSERT INTO usdcop_m5_ohlcv (symbol, time, open, high, low, close, volume)
		VALUES ($1, $2, 4000, 4010, 3990, 4005, 1)`, symbol, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), `DELETE FROM usdcop_m5_ohlcv WHERE symbol = $1 AND time = $2`, symbol, at); err != nil {
			t.Error(err)
		}
	})
}

// copyRepo makes a repository like the lab's, edited by pairs of old and new.
func (l *lab) copyRepo(t testing.TB, edits ...string) map[string]any {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(l.env["LAB_FEATURE_REPO"])); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "feature_store.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := []byte(strings.NewReplacer(edits...).Replace(string(text)))
	if len(edits) > 0 && bytes.Equal(text, edited) {
		t.Fatalf("feature_store.yaml holds none of %q", edits)
	}
	if err := os.WriteFile(path, edited, 0o644); err != nil {
		t.Fatal(err)
	}
	config := l.config()
	config["repo"] = dir
	return config
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(60 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
