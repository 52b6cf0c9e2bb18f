package git_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/git"
	"github.com/runbook-engine/runbook/providers/internal/backendtest"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// world is what a room's work tree and its remote hold, by what is in them and
// not by the names of commits, in which the time is.
func (r *room) world(t testing.TB) any {
	look := func(dir string, args ...string) string {
		// Filters that hang are for the provider's git.
		return run(t, dir, append([]string{"-c", "filter.slow.clean=cat", "-c", "filter.slow.smudge=cat"}, args...)...)
	}
	const tree = "--format=%(refname) %(tree) %(subject)"
	held := map[string]string{
		"remote":   look(r.bare, "for-each-ref", tree),
		"refs":     look(r.here, "for-each-ref", tree, "refs/heads", "refs/remotes", "refs/tags"),
		"commits":  look(r.here, "rev-list", "--count", "--all", "--not", "--glob=refs/runbook"),
		"branch":   look(r.here, "rev-parse", "--abbrev-ref", "HEAD"),
		"head":     look(r.here, "rev-parse", "HEAD^{tree}"),
		"staged":   look(r.here, "ls-files", "--stage"),
		"status":   look(r.here, "status", "--porcelain", "--ignored"),
		"contents": look(r.here, "hash-object", "dvc.lock", "app/main.py"),
	}
	if _, err := os.Stat(r.clone()); err == nil {
		held["clone"] = look(r.clone(), "rev-parse", "HEAD^{tree}")
	}
	return held
}

func (r *room) clone() string { return filepath.Join(filepath.Dir(r.here), "clone") }

func TestProof(t *testing.T) {
	r := newRoom(t)
	r.serve()
	remote := r.git(r.here, "remote", "get-url", "origin")
	pid := filepath.Join(t.TempDir(), "pid")
	r.elsewhere("dvc.lock", "three\n")
	newest := r.git(r.theirs, "rev-parse", "HEAD")

	// Everything is put back to where the remote is a commit ahead.
	fresh := func(t testing.TB) {
		_ = os.Remove(pid)
		_ = os.RemoveAll(r.clone())
		_ = os.Remove(filepath.Join(r.here, ".git/index.lock"))
		_ = os.RemoveAll(filepath.Join(r.bare, "hooks"))
		run(t, r.bare, "update-ref", "refs/heads/main", newest)
		_ = os.Remove(filepath.Join(r.here, ".git/info/attributes"))
		for _, filter := range []string{"clean", "smudge"} {
			run(t, r.here, "config", "filter.slow."+filter, "cat")
		}
		run(t, r.here, "remote", "set-url", "origin", remote)
		run(t, r.here, "checkout", "--quiet", "--force", "-B", "main", r.last)
		run(t, r.here, "reset", "--quiet", "--hard", r.last)
		run(t, r.here, "clean", "-fdxq")
		run(t, r.here, "update-ref", "refs/remotes/origin/main", r.last)
	}
	changed := func(t testing.TB) {
		fresh(t)
		write(t, r.here, "dvc.lock", "mine\n")
	}
	staged := func(t testing.TB) {
		changed(t)
		run(t, r.here, "add", "dvc.lock")
	}
	committed := func(t testing.TB) {
		fresh(t)
		run(t, r.here, "reset", "--quiet", "--hard", newest)
		write(t, r.here, "dvc.lock", "mine\n")
		run(t, r.here, "commit", "--quiet", "-am", "mine")
	}
	// hanging is a program of git's that writes its number down and stays.
	hanging := "echo $$ > '" + pid + "'; exec sleep 600"
	working := func(t testing.TB) bool {
		text, err := os.ReadFile(pid)
		if err != nil || len(text) == 0 {
			return false
		}
		status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
		return err == nil && !strings.Contains(string(status), ") Z ")
	}
	slowly := func(before func(testing.TB), filter string, args map[string]any) *sdktest.Slow {
		return &sdktest.Slow{Args: args, Working: working, Setup: func(t testing.TB) {
			before(t)
			write(t, r.here, ".git/info/attributes", "dvc.lock filter=slow\n")
			run(t, r.here, "config", "filter.slow."+filter, hanging)
		}}
	}
	// Over HTTP it is the server that hangs; from a folder git starts it itself.
	local := func(t testing.TB, before func(testing.TB), hook string) {
		before(t)
		run(t, r.here, "remote", "set-url", "origin", r.bare)
		write(t, r.bare, "hooks/"+hook, "#!/bin/sh\n"+hanging+"\n")
		if err := os.Chmod(filepath.Join(r.bare, "hooks", hook), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	other := func(name, url string) string {
		dir := filepath.Join(filepath.Dir(r.here), name)
		r.git("", "clone", "--quiet", r.bare, dir)
		r.git(dir, "remote", "set-url", "origin", url)
		return dir
	}
	number := func(unit string) func(testing.TB, map[string]any) schema.Impact {
		return func(t testing.TB, result map[string]any) schema.Impact {
			return schema.Impact{unit: int64(len(result[unit].([]any)))}
		}
	}
	atHome := []string{"status", "log", "diff", "commit_exists", "clone", "checkout", "checkout_paths", "add", "commit"}
	lock := []string{"dvc.lock"}
	sdktest.Prove(t, sdktest.Proof{
		Provider: git.Provider,
		Config:   map[string]any{"repo": r.here, "username": "ana", "password": password, "author_name": "Ana", "author_email": "ana@example.com"},
		World:    r.world,
		Broken: []sdktest.Broken{
			{Name: "dead", Config: map[string]any{"repo": other("dead", "http://127.0.0.1:"+strconv.Itoa(backendtest.Refused(t))+"/x.git")}, Code: "connection_refused", Spares: atHome},
			{Name: "blackholed", Config: map[string]any{"repo": other("hole", "http://127.0.0.1:"+strconv.Itoa(backendtest.Blackhole(t))+"/x.git")}, Code: "timeout", Spares: atHome, Patience: 300 * time.Millisecond},
			{Name: "wrong password", Config: map[string]any{"repo": other("stranger", remote), "password": "no-such-password"}, Code: "authentication_failed", Spares: atHome},
			{Name: "no such repository", Config: map[string]any{"repo": other("lost", strings.Replace(remote, "remote.git", "none.git", 1))}, Code: "remote_not_found", Spares: atHome},
			{Name: "no work tree", Config: map[string]any{"repo": t.TempDir()}, Code: "no_repository", Spares: []string{"clone"}},
		},
		Probes: []sdktest.ProbeProof{
			{Name: "status", Setup: changed},
			{Name: "log", Setup: fresh, Refused: []sdktest.Refused{{Args: map[string]any{"revision": "none"}, Code: "no_such_revision"}}},
			{Name: "diff", Setup: changed, Args: map[string]any{"from": "HEAD~1", "patch": true}},
			{Name: "commit_exists", Setup: fresh, Args: map[string]any{"revision": "HEAD"}},
			{Name: "in_sync", Setup: fresh, Refused: []sdktest.Refused{{Args: map[string]any{"remote": "none"}, Code: "remote_missing"}}},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "clone", Setup: fresh, Args: map[string]any{"repo": r.clone(), "url": remote}, Class: schema.Idempotent,
				Refused: []sdktest.Refused{{Args: map[string]any{"repo": r.here, "url": r.theirs}, Code: "folder_taken"}},
			},
			{
				Name: "fetch", Setup: fresh, Class: schema.Idempotent, Did: number("refs"),
				Refused: []sdktest.Refused{{Args: map[string]any{"remote": "none"}, Code: "remote_missing"}},
			},
			{
				Name: "pull", Setup: fresh, Class: schema.Idempotent, Slow: slowly(fresh, "smudge", nil),
				Did: func(t testing.TB, result map[string]any) schema.Impact {
					return schema.Impact{"commits": int64(result["commits"].(int)), "files": int64(len(result["files"].([]any)))}
				},
				Refused: []sdktest.Refused{{Setup: changed, Code: "local_changes"}, {Args: map[string]any{"branch": "other"}, Code: "wrong_branch"}},
			},
			{
				Name: "checkout", Setup: fresh, Args: map[string]any{"ref": "good-1"}, Class: schema.Idempotent, Did: number("files"),
				Slow: slowly(fresh, "smudge", map[string]any{"ref": "good-1"}),
				Refused: []sdktest.Refused{
					{Setup: changed, Args: map[string]any{"ref": "good-1"}, Code: "local_changes"},
					{Args: map[string]any{"ref": "none"}, Code: "no_such_revision"},
				},
			},
			{
				Name: "checkout_paths", Setup: changed, Args: map[string]any{"ref": "good-1", "paths": lock}, Class: schema.Idempotent, Destroys: true,
				Did: func(t testing.TB, result map[string]any) schema.Impact {
					return schema.Impact{"files": int64(len(result["files"].([]any))), "changes": int64(len(result["changes"].([]any)))}
				},
				Slow: slowly(changed, "smudge", map[string]any{"ref": "good-1", "paths": lock}),
				Refused: []sdktest.Refused{
					{Args: map[string]any{"ref": "none", "paths": lock}, Code: "no_such_revision"},
					{Args: map[string]any{"ref": "HEAD", "paths": []string{"none"}}, Code: "no_such_path"},
				},
			},
			{
				Name: "add", Setup: changed, Args: map[string]any{"paths": lock}, Class: schema.Idempotent, Did: number("files"),
				Slow:    slowly(changed, "clean", map[string]any{"paths": lock}),
				Refused: []sdktest.Refused{{Args: map[string]any{"paths": []string{"none"}}, Code: "no_such_path"}},
			},
			{
				Name: "commit", Setup: staged, Args: map[string]any{"message": "mine"}, Class: schema.Observed, Did: number("files"),
				Refused: []sdktest.Refused{{Setup: fresh, Args: map[string]any{"message": "mine"}, Code: "nothing_staged"}},
			},
			{
				Name: "push", Setup: committed, Class: schema.Idempotent,
				Slow: &sdktest.Slow{Working: working, Setup: func(t testing.TB) { local(t, committed, "pre-receive") }},
				Refused: []sdktest.Refused{
					{Setup: func(t testing.TB) { changed(t); run(t, r.here, "commit", "--quiet", "-am", "mine") }, Code: "diverged"},
					{Args: map[string]any{"branch": "none"}, Code: "no_such_revision"},
				},
			},
		},
	})
}
