package redis_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
)

// cli is what Redis' own client says.
func (l lab) cli(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.Command("redis-cli", append([]string{"-h", server.Host, "-p", strconv.Itoa(server.Port), "-n", strconv.Itoa(l.db)}, args...)...)
	command.Env = append(os.Environ(), "REDISCLI_AUTH="+server.Password)
	said, err := command.Output()
	if err != nil {
		t.Fatalf("redis-cli %v: %v", args, err)
	}
	return strings.TrimSpace(string(said))
}

func TestPreviewsAgreeWithRedisCLI(t *testing.T) {
	l := newLab(t)
	server.Fill(t, l.db, "bars:%05d", 1234)
	server.Fill(t, l.db, "session:%d", 21)
	l.do(t, "SET", "api[1]*", "x")
	for _, pattern := range []string{"bars:*", "bars:000[12]?", "session:?", `api\[1\]\*`, "none:*"} {
		want := len(strings.Fields(l.cli(t, "--scan", "--pattern", pattern)))
		equal(t, schema.Impact{"keys": int64(want)}, l.Preview("delete_pattern", map[string]any{"pattern": pattern}).Impact)
	}
	equal(t, l.cli(t, "DBSIZE"), strconv.FormatInt(l.Preview("flushdb", map[string]any{"require_prefix": []any{"bars:", "session:", "api"}}).Impact["keys"], 10))
}
