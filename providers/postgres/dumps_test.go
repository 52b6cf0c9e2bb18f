package postgres_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// A dump can be checked by sha256sum, restored, and restored into an empty
// database once.
func TestDumpAndRestore(t *testing.T) {
	l := newLab(t, bars("10"))
	path := filepath.Join(t.TempDir(), "market.dump")
	dumped := done(t, l.Act("dump", map[string]any{"path": path}, sdktest.Key("k")), "bytes", "sha256", "entries")
	equal(t, map[string]any{"ok": true, "summary": dumped["summary"], "path": path, "tables": 1, "repeated": false}, dumped)
	check := exec.Command("sha256sum", "-c", "market.dump.sha256")
	check.Dir = filepath.Dir(path)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	equal(t, true, done(t, l.Act("dump", map[string]any{"path": path}, sdktest.Key("k")))["repeated"])
	fails(t, wantEnd{"failed_clean", "file_exists"}, l.Act("dump", map[string]any{"path": path}, sdktest.Key("other")), "not written over")

	server.Exec(t, l.database, "DELETE FROM bars", "CREATE TABLE later (id int)")
	back := done(t, l.Act("restore", map[string]any{"path": path}))
	equal(t, []any{true, 1, "10", "0"}, []any{back["ok"], back["tables"], l.one(t, "SELECT count(*) FROM bars"), l.one(t, "SELECT count(*) FROM later")})

	empty := newLab(t)
	once := map[string]any{"path": path, "into_empty": true}
	fails(t, wantEnd{"failed_clean", "not_committed"}, empty.Settle("restore", once), "holds no tables")
	if d := empty.Describe("restore", once); d.Destructive || d.Settling != "observed" {
		t.Errorf("into an empty database it is %s, destructive: %t", d.Settling, d.Destructive)
	}
	done(t, empty.Act("restore", once))
	equal(t, "10", empty.one(t, "SELECT count(*) FROM bars"))
	equal(t, true, done(t, empty.Settle("restore", once))["ok"])
	fails(t, wantEnd{"failed_clean", "not_empty"}, empty.Act("restore", once))
}

// One error takes all of it back.
func TestRestoreIsWhollyOrNotAtAll(t *testing.T) {
	l := newLab(t, bars("10"))
	path := filepath.Join(t.TempDir(), "market.dump")
	done(t, l.Act("dump", map[string]any{"path": path, "tables": []string{"bars"}}))
	server.Exec(t, l.database, "CREATE VIEW looks AS SELECT * FROM bars", "DELETE FROM bars WHERE close > 4005")
	fails(t, wantEnd{"failed_clean", "tool_failed"}, l.Act("restore", map[string]any{"path": path}), "cannot drop table")
	equal(t, "5", l.one(t, "SELECT count(*) FROM bars"))
	// What pg_restore said besides is in the log, as the remedy promises.
	if said := strings.Join(l.Logs(), "\n"); !strings.Contains(said, "view public.looks depends on table public.bars") {
		t.Errorf("the log does not say what stands in the way:\n%s", said)
	}
}

func TestToolsThatAreMissing(t *testing.T) {
	l := newLab(t)
	h := harness(t, l.database, map[string]any{"bin_dir": t.TempDir()})
	for name, args := range map[string]map[string]any{"dump": {"path": "/tmp/x.dump"}, "restore": {"path": "/tmp/x.dump"}, "prune_dumps": {"dir": "/tmp", "keep": 1}} {
		fails(t, wantEnd{"failed_clean", "tool_missing"}, h.Act(name, args))
	}
}

// A broken dump, however new, never takes the place of one that verifies.
func TestBrokenDumpsNeverEvictGoodOnes(t *testing.T) {
	l := newLab(t, bars("3"))
	dir := t.TempDir()
	age := func(name string, hours int) {
		at := time.Now().Add(-time.Duration(hours) * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for hours, name := range map[int]string{30: "a.dump", 20: "b.dump", 10: "c.dump"} {
		done(t, l.Act("dump", map[string]any{"path": filepath.Join(dir, name)}))
		age(name, hours)
	}
	good, err := os.ReadFile(filepath.Join(dir, "c.dump"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"cut.dump": good[:len(good)/2], "empty.dump": nil, "flipped.dump": append([]byte(nil), good...), "unsummed.dump": good} {
		if name == "flipped.dump" {
			text[len(text)/2] ^= 1
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "unsummed.dump" {
			continue
		}
		sum, err := os.ReadFile(filepath.Join(dir, "c.dump.sha256"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".sha256"), sum, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := done(t, l.Probe("archives", map[string]any{"dir": dir, "min": 3, "max_age": "12h"}))
	equal(t, []any{true, 3, 4, filepath.Join(dir, "c.dump")}, []any{found["ok"], found["verified"], found["broken"], found["newest_path"]})
	equal(t, false, done(t, l.Probe("archives", map[string]any{"dir": dir, "min": 4}))["ok"])
	equal(t, false, done(t, l.Probe("archives", map[string]any{"dir": dir, "max_age": "9h"}))["ok"])
	equal(t, false, done(t, l.Probe("archives", map[string]any{"dir": t.TempDir()}))["ok"])

	fails(t, wantEnd{"failed_clean", "not_verified"}, l.Act("restore", map[string]any{"path": filepath.Join(dir, "flipped.dump")}), "SHA-256 is not the one")
	fails(t, wantEnd{"failed_clean", "not_verified"}, l.Act("restore", map[string]any{"path": filepath.Join(dir, "cut.dump"), "checksum": false}))

	names := func() string {
		held, err := filepath.Glob(filepath.Join(dir, "*.dump"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range held {
			held[i] = strings.TrimSuffix(filepath.Base(held[i]), ".dump")
		}
		return strings.Join(held, " ")
	}
	pruned := done(t, l.Act("prune_dumps", map[string]any{"dir": dir, "keep": 2}))
	equal(t, []any{1, 2, 4, "b c cut empty flipped unsummed"}, []any{pruned["dumps"], pruned["kept"], pruned["broken"], names()})
	age("cut.dump", 100)
	pruned = done(t, l.Act("prune_dumps", map[string]any{"dir": dir, "keep": 5, "broken": true}))
	equal(t, []any{1, 2, "b c empty flipped unsummed"}, []any{pruned["dumps"], pruned["kept"], names()})
	pruned = done(t, l.Act("prune_dumps", map[string]any{"dir": dir, "keep": 1, "older_than": "25h"}))
	equal(t, []any{0, 2}, []any{pruned["dumps"], pruned["kept"]})
}
