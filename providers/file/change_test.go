package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestWrite(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	path := filepath.Join(dir, "etc", "mode")
	args := map[string]any{"path": path, "content": "live\n", "mode": "0640"}
	preview := h.Preview("write", args)
	equal(t, schema.Impact{"files": 1, "bytes": 5, "overwritten": 0}, preview.Impact)
	equal(t, map[string]string{}, held(t, dir))
	got := done(t, h.Act("write", args), "sha256")
	equal(t, map[string]any{"ok": true, "summary": "wrote " + path + ", 5 B", "changed": true, "files": 1, "bytes": 5, "overwritten": 0, "previous_sha256": "", "backup": ""}, got)
	equal(t, false, done(t, h.Act("write", args))["changed"])
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}

	args["content"] = "paper\n"
	fails(t, "failed_clean would_overwrite", h.Act("write", args))
	args["overwrite"] = true
	equal(t, []any{true, true}, []any{h.Describe("write", args).Destructive, h.Preview("write", args).Destructive})
	fails(t, "failed_clean limit_exceeded", h.Act("write", args, sdktest.Limit("overwritten", 0)))
	args["backup_to"] = path + ".before"
	equal(t, []any{false, false}, []any{h.Describe("write", args).Destructive, h.Preview("write", args).Destructive})
	got = done(t, h.Act("write", args))
	equal(t, []any{1, path + ".before"}, []any{got["overwritten"], got["backup"]})
	equal(t, map[string]string{"etc/mode": "paper\n", "etc/mode.before": "live\n"}, held(t, dir))

	// The shown command comes to the same.
	twin := filepath.Join(t.TempDir(), "mode")
	shell(t, h.Describe("write", map[string]any{"path": twin, "content": "it's $HOME\n"}).Command)
	equal(t, map[string]string{"mode": "it's $HOME\n"}, held(t, filepath.Dir(twin)))
	for _, wrong := range []map[string]any{
		{"path": ""}, {"path": path, "mode": "999"}, {"path": path, "mode": "rw"}, {"path": path, "backup_to": path},
	} {
		wrong["content"] = ""
		fails(t, "failed_clean invalid_argument", h.Act("write", wrong))
	}
	fails(t, "failed_clean not_a_file", h.Act("write", map[string]any{"path": dir, "content": ""}))
}

func TestCopyOneFile(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	put(t, filepath.Join(dir, ".env.backup"), "MODE=paper\n", day)
	put(t, filepath.Join(dir, ".env"), "MODE=live\n", day)
	args := map[string]any{"from": dir + "/.env.backup", "to": dir + "/.env", "overwrite": true, "backup_to": dir + "/.env.broken"}
	equal(t, schema.Impact{"files": 1, "bytes": 11, "overwritten": 1}, h.Preview("copy", args).Impact)
	got := done(t, h.Act("copy", args), "summary", "previous_sha256")
	equal(t, map[string]any{"ok": true, "files": 1, "bytes": 11, "overwritten": 1, "unchanged": 0, "backup": dir + "/.env.broken"}, got)
	equal(t, map[string]string{".env": "MODE=paper\n", ".env.backup": "MODE=paper\n", ".env.broken": "MODE=live\n"}, held(t, dir))
	// Again: the backup is not written over by the new content.
	equal(t, 1, done(t, h.Act("copy", args))["unchanged"])
	equal(t, "MODE=live\n", held(t, dir)[".env.broken"])
}

func TestCopyFolder(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	from, to := filepath.Join(dir, "blue"), filepath.Join(dir, "green")
	put(t, from+"/a", "a", day)
	put(t, from+"/b/c", "cc", day)
	if err := os.Chmod(from+"/b/c", 0o750); err != nil {
		t.Fatal(err)
	}
	args := map[string]any{"from": from, "to": to}
	shown := h.Describe("copy", args).Command
	equal(t, 2, done(t, h.Act("copy", args))["files"])
	info, err := os.Stat(to + "/b/c")
	if err != nil || info.Mode() != 0o750 {
		t.Errorf("%v, %v", info, err)
	}
	equal(t, held(t, from), held(t, to))
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	shell(t, shown)
	equal(t, held(t, from), held(t, to))

	put(t, to+"/a", "other", day)
	fails(t, "failed_clean would_overwrite", h.Act("copy", args), to+"/a")
	for _, wrong := range []map[string]any{{"from": from, "to": from + "/x"}, {"from": from + "/b", "to": from}, {"from": from, "to": from}, {"from": from, "to": to, "backup_to": dir + "/x"}} {
		fails(t, "failed_clean invalid_argument", h.Act("copy", wrong))
	}
	fails(t, "failed_clean file_missing", h.Act("copy", map[string]any{"from": dir + "/none", "to": to}))
	// A link would be missing in the copy.
	if err := os.Symlink("/etc/passwd", from+"/link"); err != nil {
		t.Fatal(err)
	}
	fails(t, "failed_clean not_a_file", h.Act("copy", args), "is a link")
}

func TestArchive(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	put(t, dir+"/docker-compose.yml", "services: {}\n", day)
	put(t, dir+"/nginx/nginx.conf", strings.Repeat("server;\n", 1000), day)
	put(t, dir+"/nginx/left out", "x", day)
	to := filepath.Join(dir, "backups", "config.tar.gz")
	args := map[string]any{"to": to, "directory": dir, "paths": []string{"docker-compose.yml", "nginx/nginx.conf"}}
	equal(t, schema.Impact{"files": 2, "bytes": 8013, "overwritten": 0}, h.Preview("archive", args).Impact)
	got := done(t, h.Act("archive", args), "summary", "archive_bytes", "sha256")
	equal(t, map[string]any{"ok": true, "files": 2, "bytes": 8013, "overwritten": 0, "changed": true, "previous_sha256": ""}, got)
	// tar unpacks it, and what comes out is what went in.
	out := t.TempDir()
	shell(t, []string{"tar", "-xzf", to, "-C", out})
	want := held(t, dir)
	equal(t, map[string]string{"docker-compose.yml": want["docker-compose.yml"], "nginx/nginx.conf": want["nginx/nginx.conf"]}, held(t, out))
	equal(t, false, done(t, h.Act("archive", args))["changed"])
	equal(t, schema.Impact{"files": 0, "bytes": 0, "overwritten": 0}, h.Preview("archive", args).Impact)

	put(t, dir+"/docker-compose.yml", "services: {a: {}}\n", day)
	fails(t, "failed_clean would_overwrite", h.Act("archive", args))
	args["overwrite"] = true
	equal(t, true, h.Preview("archive", args).Destructive)
	equal(t, 1, done(t, h.Act("archive", args))["overwritten"])
	for code, wrong := range map[string]map[string]any{
		"invalid_argument": {"to": dir + "/nginx/x.tar", "directory": dir, "paths": []string{"../x"}},
		"file_missing":     {"to": dir + "/x.tar", "directory": dir, "paths": []string{"none"}},
		"nothing_to_pack":  {"to": dir + "/x.tar", "directory": t.TempDir(), "paths": []string{"."}},
	} {
		fails(t, "failed_clean "+code, h.Act("archive", wrong))
	}
	for _, to := range []string{dir + "/x.zip", dir + "/nginx/nginx.conf"} {
		fails(t, "failed_clean invalid_argument", h.Act("archive", map[string]any{"to": to, "directory": dir, "paths": []string{"nginx"}}))
	}
}

// A rotation never takes the last good backup, however old it is.
func TestDeleteOlderThan(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	for i := range 5 {
		put(t, fmt.Sprintf("%s/backup_%d.sql", dir, i), "12345", time.Duration(31+i)*day)
	}
	put(t, dir+"/notes.txt", "x", 100*day)
	put(t, dir+"/below/backup_9.sql", "x", 100*day)
	if err := os.Symlink("backup_0.sql", dir+"/backup_latest.sql"); err != nil {
		t.Fatal(err)
	}
	args := map[string]any{"directory": dir, "pattern": "backup_*.sql", "age": "720h"}
	preview := h.Preview("delete_older_than", args)
	equal(t, schema.Impact{"files": 4, "bytes": 20}, preview.Impact)
	equal(t, []any{"deletes 4 files of " + dir + "/backup_*.sql, 20 B; 1 are kept", "backup_4.sql  5 B, 35d old"}, []any{preview.Summary, preview.Sample[0]})
	fails(t, "failed_clean limit_exceeded", h.Act("delete_older_than", args, sdktest.Limit("files", 3)))
	want := map[string]string{"backup_0.sql": "12345", "notes.txt": "x", "below/backup_9.sql": "x", "backup_latest.sql": "-> backup_0.sql"}
	// The shown command takes the same, in a copy.
	twin := t.TempDir()
	for i := range 5 {
		put(t, fmt.Sprintf("%s/backup_%d.sql", twin, i), "12345", time.Duration(31+i)*day)
	}
	shell(t, h.Describe("delete_older_than", map[string]any{"directory": twin, "pattern": "backup_*.sql", "age": "720h"}).Command)
	equal(t, map[string]string{"backup_0.sql": "12345"}, held(t, twin))

	got := done(t, h.Act("delete_older_than", args, sdktest.Limit("files", 4)), "summary", "older_than")
	equal(t, map[string]any{"ok": true, "files": 4, "bytes": 20, "kept": 1}, got)
	equal(t, want, held(t, dir))
	equal(t, 0, done(t, h.Act("delete_older_than", args))["files"])
	args["keep"], args["recursive"] = 0, true
	equal(t, 2, done(t, h.Act("delete_older_than", args))["files"])
	fails(t, "failed_clean file_missing", h.Act("delete_older_than", map[string]any{"directory": dir + "/none", "pattern": "*", "age": "1h"}))
	for _, wrong := range []map[string]any{{"age": "0s"}, {"keep": -1}, {"pattern": ""}, {"pattern": "a/*"}} {
		for name, value := range map[string]any{"directory": dir, "pattern": "*", "age": "1h"} {
			if _, given := wrong[name]; !given {
				wrong[name] = value
			}
		}
		fails(t, "failed_clean invalid_argument", h.Act("delete_older_than", wrong))
	}
}

func TestMkdir(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	args := map[string]any{"path": dir + "/a/b", "mode": "0700"}
	equal(t, schema.Impact{"directories": 2}, h.Preview("mkdir", args).Impact)
	equal(t, map[string]any{"ok": true, "summary": "made " + dir + "/a/b", "created": true, "directories": 2}, done(t, h.Act("mkdir", args)))
	equal(t, false, done(t, h.Act("mkdir", args))["created"])
	put(t, dir+"/file", "x", 0)
	fails(t, "failed_clean not_a_folder", h.Act("mkdir", map[string]any{"path": dir + "/file/x"}))
	if err := os.Symlink("nowhere", dir+"/dangling"); err != nil {
		t.Fatal(err)
	}
	if o := h.Act("mkdir", map[string]any{"path": dir + "/dangling"}); o.State != schema.FailedClean {
		t.Errorf("%s: %v", o.State, o.Failure)
	}
}

// What is cancelled in the middle leaves the old file and nothing else.
func TestCancelLeavesNothing(t *testing.T) {
	h, dir := harness(t), t.TempDir()
	put(t, dir+"/from", strings.Repeat("x", 8<<20), day)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := held(t, dir)
	for name, args := range map[string]map[string]any{
		"copy":    {"from": dir + "/from", "to": dir + "/to"},
		"archive": {"directory": dir, "paths": []string{"from"}, "to": dir + "/to.tar"},
	} {
		fails(t, "failed_clean cancelled", h.Act(name, args, sdktest.Context(ctx)))
	}
	equal(t, before, held(t, dir))
}
