package dvc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/dvc"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestProof(t *testing.T) {
	r := newRoom(t)
	pid := filepath.Join(r.dir, "pid")
	fresh := func(t testing.TB) {
		for _, name := range []string{"repo", "minio", "s3_backup"} {
			if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(r.dir, name), os.DirFS(filepath.Join(template, name))); err != nil {
				t.Fatal(err)
			}
		}
		_ = os.Remove(pid)
	}
	unpushed := func(t testing.TB) {
		fresh(t)
		lose(t, r.minio, r.list, r.one, r.raw)
	}
	uncached := func(t testing.TB) {
		fresh(t)
		lose(t, r.cache(), r.one, r.raw)
	}
	spoilt := func(t testing.TB) { // a file is gone, another one changed
		fresh(t)
		r.write("part_a.txt", "mine\n")
		if err := os.Remove(filepath.Join(r.repo, "data/dir/1.txt")); err != nil {
			t.Fatal(err)
		}
	}
	unrun := func(t testing.TB) {
		fresh(t)
		r.write("data/raw.csv.dvc", "outs:\n- md5: "+r.one+"\n  size: 9\n  hash: md5\n  path: raw.csv\n")
		r.write("data/raw.csv", "number 1\n")
	}
	// over is a copy of the repository whose remote is in S3.
	over := func(name, bucket string, port int) string {
		other := &room{t: t, dir: r.dir, repo: filepath.Join(r.dir, name)}
		if err := os.CopyFS(other.repo, os.DirFS(filepath.Join(template, "repo"))); err != nil {
			t.Fatal(err)
		}
		other.pointAt("s3://"+bucket, port)
		return other.repo
	}
	bucket := server.Bucket(t)
	// What comes to no remote.
	atHome := []string{"status", "remotes", "file_hash", "lock_held", "checkout", "repro", "gc"}
	force, safe := map[string]any{"force": true}, map[string]any{"effects": []any{}}
	config := r.config(map[string]any{"connect_timeout": "2s", "credentials": key(server.AccessKey, server.SecretKey)})
	sdktest.Prove(t, sdktest.Proof{
		Provider: dvc.Provider,
		Config:   config,
		World:    func(t testing.TB) any { return held(t, r.repo, r.minio, r.backup) },
		Broken: []sdktest.Broken{
			{Name: "no repository", Config: map[string]any{"repo": t.TempDir()}, Code: "no_repository"},
			{Name: "dead", Config: map[string]any{"repo": over("dead", bucket, backendtest.Refused(t))}, Code: "connection_refused", Spares: atHome},
			{Name: "blackholed", Config: map[string]any{"repo": over("hole", bucket, backendtest.Blackhole(t)), "connect_timeout": "100ms"}, Code: "timeout", Spares: atHome},
			{Name: "wrong key", Config: map[string]any{"repo": over("stranger", bucket, server.Port), "credentials": key(server.AccessKey, "no-such-secret")}, Code: "authentication_failed", Spares: atHome},
			{Name: "no bucket", Config: map[string]any{"repo": over("lost", "no-such-bucket", server.Port)}, Code: "remote_not_found", Spares: atHome},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "status", Setup: spoilt},
			{Name: "remote_status", Setup: unpushed, Refused: []sdktest.Refused{
				{Args: map[string]any{"remote": "none"}, Code: "remote_missing"}, {Args: map[string]any{"rev": "none"}, Code: "no_such_revision"},
			}},
			{Name: "remotes", Setup: fresh},
			{Name: "file_hash", Setup: spoilt, Args: map[string]any{"path": "part_a.txt"}, Refused: []sdktest.Refused{{Args: map[string]any{"path": "/etc/passwd"}, Code: "invalid_argument"}}},
			{Name: "lock_held", Setup: fresh},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "push", Setup: unpushed, Class: schema.Idempotent,
				Refused: []sdktest.Refused{
					{Args: map[string]any{"remote": "none"}, Code: "remote_missing"},
					{Setup: func(t testing.TB) { fresh(t); lose(t, r.minio, r.one) }, Code: "incomplete_directory"},
					{Setup: func(t testing.TB) { unpushed(t); lose(t, r.cache(), r.one) }, Code: "objects_lost"},
				},
			},
			{
				Name: "fetch", Setup: uncached, Class: schema.Idempotent,
				Refused: []sdktest.Refused{{Setup: func(t testing.TB) { uncached(t); lose(t, r.minio, r.raw) }, Code: "objects_lost"}},
			},
			{
				Name: "pull", Args: force, Class: schema.Idempotent, Destroys: true,
				Setup:   func(t testing.TB) { spoilt(t); lose(t, r.cache(), r.one) },
				Refused: []sdktest.Refused{{Args: nil, Code: "workspace_changed"}},
			},
			{
				Name: "checkout", Setup: spoilt, Args: force, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{
					{Args: nil, Code: "workspace_changed"},
					{Setup: func(t testing.TB) { spoilt(t); lose(t, r.cache(), r.one) }, Args: force, Code: "cache_missing"},
				},
			},
			{
				Name: "repro", Setup: unrun, Args: safe, Class: schema.Idempotent,
				Slow: &sdktest.Slow{
					Args: safe, Working: func(t testing.TB) bool { return runs(pid) },
					Setup: func(t testing.TB) {
						unrun(t)
						text := strings.Replace(r.read("dvc.yaml"), "cat data/raw.csv data/raw.csv > model.bin", "echo $$ > ../pid; exec sleep 600", 1)
						r.write("dvc.yaml", text)
					},
				},
				Refused: []sdktest.Refused{{Args: map[string]any{"targets": []string{"none"}, "effects": []any{}}, Code: "no_such_target"}},
			},
			{
				Name: "gc", Args: map[string]any{"keep": "workspace", "remote": "minio"}, Class: schema.Idempotent, Destroys: true,
				Setup: func(t testing.TB) {
					fresh(t)
					r.write("data/raw.csv.dvc", "outs:\n- md5: "+r.one+"\n  size: 9\n  hash: md5\n  path: raw.csv\n")
				},
				Refused: []sdktest.Refused{
					{Args: map[string]any{"keep": "nothing"}, Code: "invalid_argument"},
					{Setup: func(t testing.TB) { fresh(t); lose(t, r.cache(), r.list) }, Args: map[string]any{"keep": "workspace"}, Code: "list_missing"},
				},
			},
		},
	})
}

// runs tells whether the process whose number is in a file is at work.
func runs(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil || len(text) == 0 {
		return false
	}
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
	return err == nil && !strings.Contains(string(status), ") Z ")
}
