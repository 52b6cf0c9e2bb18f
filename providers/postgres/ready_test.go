package postgres_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestReadyAccepts(t *testing.T) {
	l := newLab(t)
	version := l.one(t, "current_setting('server_version')")
	address := net.JoinHostPort(server.Host, strconv.Itoa(server.Port))
	got := done(t, l.Probe("ready", nil))
	summary := got["summary"].(string)
	got["summary"] = summary[:strings.LastIndex(summary, " (")] // without how long it took
	equal(t, map[string]any{
		"ok": true, "status": "accepting", "reason": "", "standby": false, "address": address, "server_version": version,
		"summary": fmt.Sprintf("PostgreSQL %s at %s accepts connections", version, address),
	}, got)
}

func TestReadyAnswersNo(t *testing.T) {
	database := server.Database(t)
	refused, blackhole := backendtest.Refused(t), backendtest.Blackhole(t)
	for name, test := range map[string]struct {
		config         map[string]any
		status, reason string
		summary        string
	}{
		"nobody listens": {
			map[string]any{"port": refused}, "no_response", "connection_refused",
			fmt.Sprintf("PostgreSQL at 127.0.0.1:%d refused the connection", refused),
		},
		"nobody answers": {
			map[string]any{"port": blackhole, "connect_timeout": "200ms"}, "no_response", "timeout",
			fmt.Sprintf("PostgreSQL at 127.0.0.1:%d did not answer within ", blackhole),
		},
		"no such host": {
			map[string]any{"host": "nowhere.invalid"}, "no_response", "host_unknown",
			"the host nowhere.invalid of PostgreSQL cannot be resolved",
		},
		"no socket": {
			map[string]any{"host": t.TempDir()}, "no_response", "connection_refused", "there is no socket of PostgreSQL at",
		},
		"wrong password": {
			map[string]any{"password": "wrong"}, "accepting", "authentication_failed", "password authentication failed for user \"admin\"",
		},
		"no such database": {
			map[string]any{"database": "nothing"}, "accepting", "database_missing", "database \"nothing\" does not exist",
		},
		"no TLS": {
			map[string]any{"sslmode": "require"}, "no_response", "tls_failed", "does not offer TLS, and sslmode is require",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := done(t, harness(t, database, test.config).Probe("ready", nil))
			if !strings.Contains(got["summary"].(string), test.summary) {
				t.Errorf("summary %q lacks %q", got["summary"], test.summary)
			}
			equal(t, []any{false, test.status, test.reason}, []any{got["ok"], got["status"], got["reason"]})
		})
	}
}

func TestReadyWhileShuttingDown(t *testing.T) {
	p, err := backendtest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	holder := p.Connect(t, "postgres")
	p.Drain(t)
	got := done(t, harness(t, "postgres", map[string]any{"port": p.Port, "password": p.Password}).Probe("ready", nil))
	equal(t, []any{false, "rejecting", "not_accepting"}, []any{got["ok"], got["status"], got["reason"]})
	if err := holder.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestDeadlineBoundsAHungServer(t *testing.T) {
	port := backendtest.Blackhole(t)
	h := harness(t, "any", map[string]any{"port": port, "connect_timeout": "1m"})
	started := time.Now()
	outcome := h.Probe("query", map[string]any{"sql": "SELECT 1"}, sdktest.Deadline(started.Add(300*time.Millisecond)))
	fails(t, wantEnd{"failed_clean", "timeout"}, outcome, fmt.Sprintf("127.0.0.1:%d did not answer within ", port))
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
