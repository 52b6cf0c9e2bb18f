package postgres_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// client is what PostgreSQL's own client answers.
func (l lab) client(t *testing.T, sql string) string {
	t.Helper()
	command := exec.Command("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1",
		"--host", server.Host, "--port", strconv.Itoa(server.Port), "--username", server.User, "--dbname", l.database, "--command", sql)
	command.Env = append(os.Environ(), "PGPASSWORD="+server.Password)
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("psql %s: %v\n%s", sql, err, said)
	}
	return strings.TrimSpace(string(said))
}

// psql tells how many rows a statement has hit; it is rolled back.
func TestPreviewsAgreeWithPSQL(t *testing.T) {
	l := newLab(t, bars("500"))
	for _, where := range []string{"close > 0", "false", "close > 4400", "symbol LIKE 'USD%' AND close % 7 = 0", "time < now() - interval '2 hours'"} {
		deleted := l.client(t, "BEGIN; WITH d AS (DELETE FROM bars WHERE "+where+" RETURNING 1) SELECT count(*) FROM d; ROLLBACK")
		preview := l.Preview("delete", map[string]any{"table": "bars", "where": where})
		equal(t, deleted, strconv.FormatInt(preview.Impact["rows"], 10))
		updated := l.client(t, "BEGIN; WITH u AS (UPDATE bars SET close = close + 1 WHERE "+where+" RETURNING 1) SELECT count(*) FROM u; ROLLBACK")
		preview = l.Preview("update", map[string]any{"table": "bars", "where": where, "set": map[string]any{"close": 1}})
		equal(t, updated, strconv.FormatInt(preview.Impact["rows"], 10))
	}
	equal(t, "500", l.client(t, "SELECT count(*) FROM bars"))
}
