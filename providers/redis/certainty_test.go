package redis_test

import (
	"fmt"
	"testing"

	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// broken is a provider whose connection breaks at the cut.
func (l lab) broken(t *testing.T, cut backendtest.Cut) *sdktest.Harness {
	t.Helper()
	port := backendtest.Proxy(t, fmt.Sprintf("%s:%d", server.Host, server.Port), cut)
	return harness(t, map[string]any{"db": l.db, "port": port})
}

// Of a command that was sent and not answered, nobody knows.
func TestLostAnswersAreUncertain(t *testing.T) {
	for _, test := range []struct {
		name string
		args map[string]any
		cut  backendtest.Cut
		left int
	}{
		{"flushdb", map[string]any{"require_prefix": []any{"feast:"}}, backendtest.Cut{When: "eval", Forward: true}, 0},
		{"flushdb", map[string]any{"require_prefix": []any{"feast:"}}, backendtest.Cut{When: "eval"}, 10},
		{"delete_pattern", map[string]any{"pattern": "feast:*"}, backendtest.Cut{When: "unlink", Forward: true}, 0},
		{"delete_pattern", map[string]any{"pattern": "feast:*"}, backendtest.Cut{When: "unlink"}, 10},
		{"set", map[string]any{"key": "feast:mode", "value": "x"}, backendtest.Cut{When: "mode\r\n$1", Forward: true}, 11},
		{"set", map[string]any{"key": "feast:mode", "value": "x"}, backendtest.Cut{When: "mode\r\n$1"}, 10},
		{"bgsave", nil, backendtest.Cut{When: "bgsave", Forward: true}, 10},
		// The answer came, and what became of the snapshot did not.
		{"bgsave", nil, backendtest.Cut{After: "bgsave", When: "info"}, 10},
	} {
		l := newLab(t)
		server.Fill(t, l.db, "feast:%03d", 10)
		t.Run(fmt.Sprintf("%s %+v", test.name, test.cut), func(t *testing.T) {
			fails(t, wantEnd{"unknown", "connection_lost"}, l.broken(t, test.cut).Act(test.name, test.args))
			equal(t, test.left, l.keys(t))
		})
	}
}

// Where nothing was under way when the connection was lost, it is certain how
// far the action got.
func TestLostBetweenCommandsIsCertain(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "feast:%03d", 10)
	args := map[string]any{"pattern": "feast:*"}
	fails(t, wantEnd{"failed_clean", "connection_lost"}, l.broken(t, backendtest.Cut{When: "scan"}).Act("delete_pattern", args))
	equal(t, 10, l.keys(t))
	fails(t, wantEnd{"failed_partial", "connection_lost"}, l.broken(t, backendtest.Cut{After: "unlink", When: "scan"}).Act("delete_pattern", args), "after deleting 10 keys")
	equal(t, 0, l.keys(t))
}
