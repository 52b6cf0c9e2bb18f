package file_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/file"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestFile(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	path := filepath.Join(dir, "RL_DS3.csv")
	put(t, path, "bars", 3*day)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("bars")))
	probe := func(args map[string]any) map[string]any {
		if args["path"] == nil {
			args["path"] = path
		}
		return done(t, h.Probe("file", args), "modified_at", "age_seconds")
	}
	equal(t, map[string]any{"ok": true, "summary": path + " has 4 B and is 72h0m0s old", "exists": true, "type": "file", "bytes": 4, "mode": "0644", "sha256": ""}, probe(map[string]any{}))
	equal(t, sum, probe(map[string]any{"hash": true})["sha256"])
	equal(t, true, probe(map[string]any{"sha256": strings.ToUpper(sum)})["ok"])
	for _, args := range []map[string]any{{"min_bytes": 5}, {"max_age": "71h"}, {"sha256": strings.Repeat("0", 64)}, {"path": dir}, {"path": dir + "/none"}, {"path": dir + "/none/below"}} {
		if got := probe(args); got["ok"] != false {
			t.Errorf("%v: %v", args, got)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	got := probe(map[string]any{"path": dir + "/link"})
	equal(t, []any{false, true, "link"}, []any{got["ok"], got["exists"], got["type"]})
}

func TestDirectory(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	for i := range 4 {
		put(t, filepath.Join(dir, fmt.Sprintf("backup_%d.sql", i)), strings.Repeat("x", i+1), 10*day)
	}
	put(t, filepath.Join(dir, "backup_new.sql"), "new", 0)
	put(t, filepath.Join(dir, "other.txt"), "x", 0)
	put(t, filepath.Join(dir, "below", "backup_9.sql"), "123456789", 50*day)
	if err := os.Symlink("backup_new.sql", filepath.Join(dir, "backup_latest.sql")); err != nil {
		t.Fatal(err)
	}
	probe := func(args map[string]any) map[string]any {
		args["path"], args["pattern"] = dir, "backup_*.sql"
		return done(t, h.Probe("directory", args))
	}
	got := probe(map[string]any{})
	equal(t, []any{true, 5, 13, "backup_new.sql", dir + "/backup_*.sql"}, []any{got["ok"], got["files"], got["bytes"], got["newest"].(map[string]any)["path"], strings.Fields(strings.ReplaceAll(got["summary"].(string), ",", ""))[3]})
	got = probe(map[string]any{"recursive": true})
	equal(t, []any{6, "below/backup_9.sql"}, []any{got["files"], got["oldest"].(map[string]any)["path"]})
	equal(t, 4, probe(map[string]any{"older_than": "24h"})["files"])
	equal(t, 2, probe(map[string]any{"older_than": "24h", "keep": 3})["files"])
	equal(t, 0, probe(map[string]any{"keep": 9, "min": 0})["files"])
	equal(t, 1, probe(map[string]any{"newer_than": "24h"})["files"])
	equal(t, []any{false, false, true, false}, []any{
		probe(map[string]any{"min": 6})["ok"], probe(map[string]any{"max": 4})["ok"],
		probe(map[string]any{"max_age": "1h"})["ok"], probe(map[string]any{"older_than": "1000h"})["ok"],
	})
	missing := done(t, h.Probe("directory", map[string]any{"path": dir + "/none"}))
	equal(t, []any{false, false}, []any{missing["ok"], missing["exists"]})
	fails(t, "failed_clean invalid_argument", h.Probe("directory", map[string]any{"path": dir, "pattern": "a/*"}))
	fails(t, "failed_clean invalid_argument", h.Probe("directory", map[string]any{"path": dir, "pattern": "["}))
}

// The figures are those of df.
func TestDisk(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	got := done(t, h.Probe("disk", map[string]any{"path": dir, "max_used_ratio": 1}))
	out, err := exec.Command("df", "-B1", "--output=size", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, strings.Fields(string(out))[1], fmt.Sprint(got["total_bytes"]))
	equal(t, true, got["ok"])
	equal(t, false, done(t, h.Probe("disk", map[string]any{"path": dir, "max_used_ratio": 0.000001}))["ok"])
	equal(t, false, done(t, h.Probe("disk", map[string]any{"path": dir, "min_free_bytes": int64(1) << 60}))["ok"])
	fails(t, "failed_clean file_missing", h.Probe("disk", map[string]any{"path": dir + "/none"}))
	fails(t, "failed_clean invalid_argument", h.Probe("disk", map[string]any{"path": dir, "max_used_ratio": 2}))
}

// With a root, nothing leads out of it: no path, and no link.
func TestRoot(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	put(t, filepath.Join(outside, "secret"), "secret", 100*day)
	put(t, filepath.Join(root, "in", "a"), "a", 100*day)
	if err := os.Symlink(outside, filepath.Join(root, "out")); err != nil {
		t.Fatal(err)
	}
	h := sdktest.New(t, file.Provider(), map[string]any{"root": root})
	equal(t, true, done(t, h.Probe("file", map[string]any{"path": "in/a"}))["ok"])
	equal(t, true, done(t, h.Probe("file", map[string]any{"path": root + "/in/a"}))["ok"])
	before := held(t, outside)
	for _, path := range []string{"../x", "/etc/passwd", outside + "/secret", "in/../../x"} {
		fails(t, "failed_clean invalid_argument", h.Probe("file", map[string]any{"path": path}), "is not in the root")
		fails(t, "failed_clean invalid_argument", h.Act("write", map[string]any{"path": path, "content": ""}), "is not in the root")
	}
	fails(t, "failed_clean leaves_root", h.Probe("file", map[string]any{"path": "out/secret"}))
	fails(t, "failed_clean leaves_root", h.Probe("directory", map[string]any{"path": "out"}))
	fails(t, "failed_clean leaves_root", h.Probe("disk", map[string]any{"path": "out"}))
	fails(t, "failed_clean leaves_root", h.Act("write", map[string]any{"path": "out/new", "content": ""}))
	fails(t, "failed_clean leaves_root", h.Act("mkdir", map[string]any{"path": "out/new"}))
	fails(t, "failed_clean leaves_root", h.Act("copy", map[string]any{"from": "in/a", "to": "out/new"}))
	fails(t, "failed_clean leaves_root", h.Act("delete_older_than", map[string]any{"directory": "out", "pattern": "*", "age": "1h", "keep": 0}))
	fails(t, "failed_clean leaves_root", h.Act("archive", map[string]any{"directory": "in", "paths": []string{"a"}, "to": "out/a.tar"}))
	equal(t, before, held(t, outside))
	done(t, h.Act("write", map[string]any{"path": "new/b", "content": "b"}))
	equal(t, map[string]string{"in/a": "a", "new/b": "b", "out": "-> " + outside}, held(t, root))
}
