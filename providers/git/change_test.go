package git_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestFetch(t *testing.T) {
	r := newRoom(t)
	newest := r.elsewhere("a.txt", "a\n")
	r.git(r.theirs, "push", "--quiet", "origin", "HEAD:refs/heads/side")
	d := r.Preview("fetch", nil)
	equal(t, schema.Impact{"refs": 2}, d.Impact)
	want := []any{
		map[string]any{"ref": "refs/remotes/origin/main", "before": r.last, "after": newest},
		map[string]any{"ref": "refs/remotes/origin/side", "before": "", "after": newest},
	}
	got := done(t, r.Act("fetch", nil))
	equal(t, map[string]any{"ok": true, "summary": "2 refs of origin changed", "head_before": r.last, "refs": want}, got)
	equal(t, r.last, r.head())
	// Again: nothing.
	equal(t, schema.Impact{"refs": 0}, r.Preview("fetch", nil).Impact)
	equal(t, []any{}, done(t, r.Act("fetch", nil))["refs"])

	r.git(r.theirs, "push", "--quiet", "origin", ":side")
	equal(t, schema.Impact{"refs": 0}, r.Preview("fetch", nil).Impact)
	pruned := map[string]any{"prune": true}
	equal(t, schema.Impact{"refs": 1}, r.Preview("fetch", pruned).Impact)
	equal(t, []any{map[string]any{"ref": "refs/remotes/origin/side", "before": newest, "after": ""}}, done(t, r.Act("fetch", pruned))["refs"])
}

func TestPull(t *testing.T) {
	r := newRoom(t)
	r.elsewhere("a.txt", "a\n")
	newest := r.elsewhere("dvc.lock", "three\n")
	r.write(r.here, "app/main.py", "print('mine')\n") // not in the way
	before := r.snapshot()
	d := r.Preview("pull", nil)
	equal(t, before, r.snapshot())
	equal(t, schema.Description{
		Settling: schema.Idempotent, Command: []string{"git", "-C", r.here, "pull", "--ff-only", "origin"},
		Effects: []schema.Effect{{Resource: url(r.here), Mode: schema.Write}, {Resource: url(r.bare) + "/refs/heads/main", Mode: schema.Read}},
		Impact:  schema.Impact{"commits": 2, "files": 2}, Sample: []string{"a.txt (+1 -0)", "dvc.lock (+1 -1)"},
		Summary: "main moves forward by 2 commits to " + newest[:10] + ": 2 files",
	}, d)
	fails(t, r.Act("pull", nil, sdktest.Limit("commits", 1)), schema.FailedClean, "limit_exceeded")
	equal(t, r.last, r.head())

	want := map[string]any{
		"ok": true, "summary": "main moved forward by 2 commits to " + newest[:10] + ": 2 files", "branch": "main",
		"head_before": r.last, "head": newest, "commits": 2, "files": []any{"a.txt", "dvc.lock"},
	}
	equal(t, want, done(t, r.Act("pull", map[string]any{"branch": "main"})))
	equal(t, "three\n", r.read("dvc.lock"))
	equal(t, "print('mine')\n", r.read("app/main.py"))
	equal(t, 0, done(t, r.Probe("status", nil))["behind"])
	again := done(t, r.Act("pull", nil))
	equal(t, []any{newest, newest, 0, "main has everything that origin has"}, []any{again["head_before"], again["head"], again["commits"], again["summary"]})

	// The way back.
	back := done(t, r.Act("checkout", map[string]any{"ref": r.last}))
	equal(t, []any{"main", newest, ""}, []any{back["ref_before"], back["head_before"], back["branch"]})
	equal(t, "two\n", r.read("dvc.lock"))
}

func TestPullRefuses(t *testing.T) {
	t.Run("diverged", func(t *testing.T) {
		r := newRoom(t)
		r.elsewhere("a.txt", "a\n")
		r.write(r.here, "mine.txt", "mine\n")
		r.git(r.here, "add", "mine.txt")
		r.git(r.here, "commit", "--quiet", "-m", "mine")
		refused(t, r.Preview("pull", nil), "diverged", "1 commits ahead, 1 behind")
		fails(t, r.Act("pull", nil), schema.FailedClean, "diverged")
	})
	for name, prepare := range map[string]func(*room){
		"a changed file":      func(r *room) { r.write(r.here, "dvc.lock", "mine\n") },
		"a staged file":       func(r *room) { r.write(r.here, "dvc.lock", "mine\n"); r.git(r.here, "add", "dvc.lock") },
		"an untracked file":   func(r *room) { r.write(r.here, "new.txt", "mine\n") },
		"a file for a folder": func(r *room) { r.write(r.here, "folder", "mine\n") },
		"an ignored file": func(r *room) {
			r.write(r.here, ".git/info/exclude", "new.txt\n")
			r.write(r.here, "new.txt", "a secret that is nowhere else\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			r.elsewhere("dvc.lock", "three\n")
			r.elsewhere("new.txt", "new\n")
			r.elsewhere("folder/file", "new\n")
			prepare(r)
			before := done(t, r.Probe("status", nil))
			refused(t, r.Preview("pull", nil), "local_changes", "1 file that is not committed would be overwritten")
			fails(t, r.Act("pull", nil), schema.FailedClean, "local_changes")
			equal(t, before, done(t, r.Probe("status", nil)))
		})
	}
	r := newRoom(t)
	fails(t, r.Act("pull", map[string]any{"remote": "backup"}), schema.FailedClean, "remote_missing", "it has origin")
	refused(t, r.Preview("pull", map[string]any{"remote": "backup"}), "remote_missing")
	r.git(r.here, "checkout", "--quiet", "-b", "local")
	fails(t, r.Act("pull", nil), schema.FailedClean, "branch_missing", "has no branch local")
	r.git(r.here, "checkout", "--quiet", "--detach")
	fails(t, r.Act("pull", nil), schema.FailedClean, "detached_head")
}

// A move that was cut off leaves files as they will be: it is taken up again.
func TestPullAfterHalfOfOne(t *testing.T) {
	r := newRoom(t)
	r.elsewhere("dvc.lock", "three\n")
	r.elsewhere("new.txt", "new\n")
	r.git(r.theirs, "rm", "--quiet", "data.dvc")
	r.save("no data")
	r.git(r.theirs, "push", "--quiet", "origin", "HEAD")
	r.write(r.here, "dvc.lock", "three\n")
	r.write(r.here, "new.txt", "new\n")
	if err := os.Remove(filepath.Join(r.here, "data.dvc")); err != nil {
		t.Fatal(err)
	}
	equal(t, schema.Impact{"commits": 3, "files": 3}, r.Preview("pull", nil).Impact)
	done(t, r.Act("pull", nil))
	equal(t, true, done(t, r.Probe("status", nil))["ok"])
}

func TestCheckout(t *testing.T) {
	r := newRoom(t)
	r.git(r.theirs, "push", "--quiet", "origin", r.first+":refs/heads/side")
	r.git(r.here, "fetch", "--quiet")
	d := r.Preview("checkout", map[string]any{"ref": "side"})
	equal(t, schema.Impact{"files": 3}, d.Impact)
	equal(t, []string{"git", "-C", r.here, "checkout", "side"}, d.Command)
	fails(t, r.Act("checkout", map[string]any{"ref": "side"}, sdktest.Limit("files", 2)), schema.FailedClean, "limit_exceeded")
	for range 2 {
		got := done(t, r.Act("checkout", map[string]any{"ref": "side"}), "files", "summary", "head_before", "branch_before", "ref_before")
		equal(t, map[string]any{"ok": true, "head": r.first, "branch": "side"}, got)
	}
	equal(t, "origin/side", done(t, r.Probe("status", nil))["upstream"])
	got := done(t, r.Act("checkout", map[string]any{"ref": "good-1"}))
	equal(t, []any{r.first, "", "side", "side"}, []any{got["head"], got["branch"], got["branch_before"], got["ref_before"]})
	got = done(t, r.Act("checkout", map[string]any{"ref": "main"}))
	equal(t, []any{r.last, "main", r.first}, []any{got["head"], got["branch"], got["ref_before"]})

	r.write(r.here, "dvc.lock", "mine\n")
	fails(t, r.Act("checkout", map[string]any{"ref": "side"}), schema.FailedClean, "local_changes", "dvc.lock")
	refused(t, r.Preview("checkout", map[string]any{"ref": "side"}), "local_changes")
	equal(t, "mine\n", r.read("dvc.lock"))
	f := fails(t, r.Act("checkout", map[string]any{"ref": "nowhere"}), schema.FailedClean, "no_such_revision")
	equal(t, "ref", f.Argument)
	for _, ref := range []string{"--force", "a b", ""} {
		fails(t, r.Act("checkout", map[string]any{"ref": ref}), schema.FailedClean, "invalid_argument")
		refused(t, r.Describe("checkout", map[string]any{"ref": ref}), "invalid_argument")
	}
	r.git(r.here, "remote", "add", "backup", r.bare)
	r.git(r.here, "fetch", "--quiet", "backup")
	r.git(r.here, "branch", "--quiet", "-D", "side")
	fails(t, r.Act("checkout", map[string]any{"ref": "side"}), schema.FailedClean, "ambiguous_revision", "refs/remotes/backup/side")
}

func TestCheckoutPaths(t *testing.T) {
	r := newRoom(t)
	args := map[string]any{"ref": r.first, "paths": []string{"dvc.lock", "*.py"}}
	d := r.Preview("checkout_paths", args)
	equal(t, schema.Impact{"files": 2, "changes": 0}, d.Impact)
	equal(t, false, d.Destructive) // all of it is committed
	equal(t, []string{"git", "-C", r.here, "checkout", r.first, "--", "dvc.lock", "*.py"}, d.Command)
	if !r.Describe("checkout_paths", args).Destructive {
		t.Error("what nobody has looked at may be destroyed")
	}

	r.write(r.here, "dvc.lock", "nobody has this\n")
	d = r.Preview("checkout_paths", args)
	equal(t, schema.Impact{"files": 2, "changes": 1}, d.Impact)
	equal(t, true, d.Destructive)
	equal(t, []string{"app/main.py", "dvc.lock (not committed)"}, d.Sample)
	fails(t, r.Act("checkout_paths", args, sdktest.Limit("changes", 0)), schema.FailedClean, "limit_exceeded")
	equal(t, "nobody has this\n", r.read("dvc.lock"))

	var backup string
	for n := range 2 { // the second time nothing is left to do, and the backup stays
		got := done(t, r.Act("checkout_paths", args, sdktest.Key("step")))
		if n == 0 {
			backup = got["backup"].(string)
			equal(t, []any{"app/main.py", "dvc.lock"}, got["files"])
			equal(t, []any{"dvc.lock"}, got["changes"])
		}
		equal(t, []any{backup, r.last, r.first}, []any{got["backup"], got["head_before"], got["commit"]})
		equal(t, "one\n", r.read("dvc.lock"))
		equal(t, "nobody has this", r.git(r.here, "show", backup+":dvc.lock"))
	}
	equal(t, []any{"app/main.py", "dvc.lock"}, done(t, r.Probe("status", nil))["staged"])
	equal(t, r.last, r.head())

	// The way back.
	done(t, r.Act("checkout_paths", map[string]any{"ref": backup, "paths": []string{"dvc.lock", "*.py"}, "exact": true}))
	equal(t, "nobody has this\n", r.read("dvc.lock"))
}

func TestCheckoutPathsKeepsWhatGitWouldNot(t *testing.T) {
	r := newRoom(t)
	// At HEAD there is no data.dvc any more; one lies there that nobody tracks.
	r.git(r.here, "rm", "--quiet", "--cached", "data.dvc")
	r.git(r.here, "-c", "user.name=Else", "-c", "user.email=e@example.com", "commit", "--quiet", "-m", "no data")
	r.write(r.here, "data.dvc", "ignored and precious\n")
	r.write(r.here, ".git/info/exclude", "data.dvc\n")
	args := map[string]any{"ref": r.second, "paths": []string{"data.dvc"}}
	d := r.Preview("checkout_paths", args)
	equal(t, schema.Impact{"files": 1, "changes": 1}, d.Impact)
	equal(t, []schema.Effect{{Resource: url(r.here) + "/data.dvc", Mode: schema.Delete}, {Resource: url(r.here) + "/.git", Mode: schema.Write}}, d.Effects)
	got := done(t, r.Act("checkout_paths", args))
	equal(t, "md5: 2\n", r.read("data.dvc"))
	equal(t, "ignored and precious", r.git(r.here, "show", got["backup"].(string)+":data.dvc"))

	// A file that is staged one way and lies there another: both are kept.
	r.write(r.here, "dvc.lock", "staged\n")
	r.git(r.here, "add", "dvc.lock")
	r.write(r.here, "dvc.lock", "lying there\n")
	got = done(t, r.Act("checkout_paths", map[string]any{"ref": "HEAD", "paths": []string{"dvc.lock"}}))
	backup := got["backup"].(string)
	equal(t, []string{"lying there", "staged"}, []string{r.git(r.here, "show", backup+":dvc.lock"), r.git(r.here, "show", backup+"^2:dvc.lock")})

	// exact deletes what the commit does not have, and the backup brings it back.
	exact := map[string]any{"ref": r.first, "paths": []string{"*.dvc"}, "exact": true}
	got = done(t, r.Act("checkout_paths", exact))
	if _, err := os.Stat(filepath.Join(r.here, "data.dvc")); err == nil {
		t.Error("data.dvc is still there")
	}
	done(t, r.Act("checkout_paths", map[string]any{"ref": got["backup"], "paths": []string{"*.dvc"}, "exact": true}))
	equal(t, "md5: 2\n", r.read("data.dvc"))

	fails(t, r.Act("checkout_paths", map[string]any{"ref": "HEAD", "paths": []string{"dvc.lock", "nothing.here"}}), schema.FailedClean, "no_such_path", "nothing.here")
	fails(t, r.Act("checkout_paths", map[string]any{"ref": "HEAD", "paths": []string{}}), schema.FailedClean, "invalid_argument")
}

func TestAddAndCommit(t *testing.T) {
	r := newRoom(t)
	r.write(r.here, "dvc.lock", "three\n")
	r.write(r.here, "new.dvc", "md5: 9\n")
	r.write(r.here, "other.txt", "not asked for\n")
	paths := map[string]any{"paths": []string{"dvc.lock", "*.dvc"}}
	d := r.Preview("add", paths)
	equal(t, schema.Impact{"files": 2}, d.Impact)
	equal(t, []string{"dvc.lock", "new.dvc"}, d.Sample)
	fails(t, r.Act("add", paths, sdktest.Limit("files", 1)), schema.FailedClean, "limit_exceeded")
	index := r.git(r.here, "write-tree")
	equal(t, map[string]any{
		"ok": true, "summary": "2 files staged: dvc.lock, new.dvc", "head_before": r.last, "index_before": index, "files": []any{"dvc.lock", "new.dvc"},
	}, done(t, r.Act("add", paths)))
	equal(t, []any{}, done(t, r.Act("add", paths))["files"])
	fails(t, r.Act("add", map[string]any{"paths": []string{"nothing"}}), schema.FailedClean, "no_such_path", "nothing")
	r.write(r.here, ".git/info/exclude", "secret.env\n")
	r.write(r.here, "secret.env", "x\n")
	fails(t, r.Act("add", map[string]any{"paths": []string{"secret.env"}}), schema.FailedClean, "path_ignored")

	message := "Sync DVC files with pipeline state\n\n# not a comment"
	d = r.Preview("commit", map[string]any{"message": message})
	equal(t, schema.Impact{"files": 2}, d.Impact)
	fails(t, r.Act("commit", map[string]any{"message": message}, sdktest.Limit("files", 1)), schema.FailedClean, "limit_exceeded")
	settled := r.Settle("commit", map[string]any{"message": message}, sdktest.Key("k"))
	equal(t, schema.FailedClean, settled.State)
	got := done(t, r.Act("commit", map[string]any{"message": message}, sdktest.Key("k")))
	head := r.head()
	equal(t, map[string]any{
		"ok": true, "summary": head[:10] + " on main: Sync DVC files with pipeline state, 2 files",
		"head_before": r.last, "head": head, "branch": "main", "files": []any{"dvc.lock", "new.dvc"},
	}, got)
	equal(t, message+"\nAna <ana@example.com>", r.git(r.here, "log", "-1", "--format=%B%an <%ae>"))
	// Observed: whoever asks afterwards is told, also when others went on.
	r.git(r.here, "-c", "user.name=E", "-c", "user.email=e@e", "commit", "--quiet", "--allow-empty", "-m", "later")
	settled = r.Settle("commit", map[string]any{"message": message}, sdktest.Key("k"))
	equal(t, got, done(t, settled))
	equal(t, schema.FailedClean, r.Settle("commit", map[string]any{"message": message}, sdktest.Key("another")).State)

	fails(t, r.Act("commit", map[string]any{"message": "x"}), schema.FailedClean, "nothing_staged")
	equal(t, "nothing is staged now: it would be refused", r.Preview("commit", map[string]any{"message": "x"}).Summary)
	fails(t, r.Act("commit", map[string]any{"message": " "}), schema.FailedClean, "invalid_argument")

	r.git(r.here, "add", "other.txt")
	h := r.harness(map[string]any{"author_name": "", "author_email": ""})
	fails(t, h.Act("commit", map[string]any{"message": "x"}), schema.FailedClean, "no_identity", "author_name")
	r.git(r.here, "config", "user.name", "Local")
	r.git(r.here, "config", "user.email", "local@example.com")
	done(t, h.Act("commit", map[string]any{"message": "x"}))
	equal(t, "Local", r.git(r.here, "log", "-1", "--format=%an"))
}

func TestPush(t *testing.T) {
	r := newRoom(t)
	r.write(r.here, "dvc.lock", "three\n")
	done(t, r.Act("add", map[string]any{"paths": []string{"dvc.lock"}}))
	made := done(t, r.Act("commit", map[string]any{"message": "three"}))
	before := r.snapshot()
	d := r.Preview("push", nil)
	equal(t, before, r.snapshot())
	equal(t, schema.Description{
		Settling: schema.Idempotent, Command: []string{"git", "-C", r.here, "push", "origin", "HEAD"},
		Effects: []schema.Effect{{Resource: url(r.bare) + "/refs/heads/main", Mode: schema.Write}, {Resource: url(r.here) + "/.git", Mode: schema.Write}},
		Impact:  schema.Impact{"commits": 1, "files": 1}, Sample: []string{made["head"].(string)[:7] + " three"}, Summary: "1 commit of main to push to origin: 1 file",
	}, d)
	fails(t, r.Act("push", nil, sdktest.Limit("commits", 0)), schema.FailedClean, "limit_exceeded")
	equal(t, map[string]any{
		"ok": true, "summary": "1 commit of main pushed to origin: 1 file", "branch": "main", "head_before": made["head"], "commit": made["head"],
		"remote_before": r.last, "commits": 1, "files": 1,
	}, done(t, r.Act("push", map[string]any{"branch": "main"})))
	equal(t, made["head"], r.git(r.bare, "rev-parse", "main"))
	again := done(t, r.Act("push", nil))
	equal(t, []any{0, made["head"]}, []any{again["commits"], again["remote_before"]})

	// A new branch counts from where it left those that are there.
	r.git(r.here, "checkout", "--quiet", "-b", "side")
	r.write(r.here, "side.txt", "side\n")
	done(t, r.Act("add", map[string]any{"paths": []string{"side.txt"}}))
	done(t, r.Act("commit", map[string]any{"message": "side"}))
	equal(t, schema.Impact{"commits": 1, "files": 1}, r.Preview("push", nil).Impact)
	equal(t, "", done(t, r.Act("push", nil))["remote_before"])

	// Diverged, and refused by the server.
	r.git(r.theirs, "fetch", "--quiet")
	r.git(r.theirs, "checkout", "--quiet", "side")
	r.elsewhere("theirs.txt", "theirs\n")
	r.write(r.here, "side.txt", "again\n")
	done(t, r.Act("add", map[string]any{"paths": []string{"side.txt"}}))
	done(t, r.Act("commit", map[string]any{"message": "again"}))
	refused(t, r.Preview("push", nil), "diverged", "git.pull first")
	fails(t, r.Act("push", nil), schema.FailedClean, "diverged")
	r.git(r.here, "checkout", "--quiet", "main")
	r.git(r.here, "checkout", "--quiet", "-b", "protected")
	hook := filepath.Join(r.bare, "hooks", "pre-receive")
	r.write(r.bare, "hooks/pre-receive", "#!/bin/sh\necho protected branch >&2\nexit 1\n")
	if err := os.Chmod(hook, 0o755); err != nil {
		t.Fatal(err)
	}
	fails(t, r.Act("push", nil), schema.FailedClean, "rejected", "protected branch")
}

func TestClone(t *testing.T) {
	r := newRoom(t)
	target := filepath.Join(t.TempDir(), "srv", "app")
	args := map[string]any{"repo": target, "url": r.bare}
	d := r.Describe("clone", args)
	equal(t, schema.Description{
		Settling: schema.Idempotent, Command: []string{"git", "clone", r.bare, target}, Summary: "clones " + r.bare,
		Effects: []schema.Effect{{Resource: url(target), Mode: schema.Write}, {Resource: url(r.bare), Mode: schema.Read}},
	}, d)
	equal(t, map[string]any{"ok": true, "made": true, "head": r.last, "head_before": "", "branch": "main", "summary": "cloned, on main at " + r.last[:10]}, done(t, r.Act("clone", args)))
	equal(t, []any{false, r.last}, pick(done(t, r.Act("clone", args)), "made", "head_before"))
	equal(t, "the work tree is there already", r.Preview("clone", args).Summary)
	fails(t, r.Act("clone", map[string]any{"repo": target, "url": r.theirs}), schema.FailedClean, "folder_taken")
	fails(t, r.Act("clone", map[string]any{"repo": filepath.Join(target, "app"), "url": r.bare}), schema.FailedClean, "folder_taken")
	fails(t, r.Act("clone", map[string]any{"repo": target + "2", "url": filepath.Join(t.TempDir(), "none")}), schema.FailedClean, "remote_not_found")
	fails(t, r.Act("clone", map[string]any{"repo": target + "2", "url": r.bare, "branch": "none"}), schema.FailedClean, "branch_missing")
	refused(t, r.Describe("clone", map[string]any{"url": "https://ana:hunter2@git.example.com/x.git"}), "invalid_argument", "username and password")
	left, err := os.ReadDir(filepath.Dir(target))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	side := filepath.Join(t.TempDir(), "at a tag")
	equal(t, r.first, done(t, r.Act("clone", map[string]any{"repo": side, "url": r.bare, "branch": "good-1"}))["head"])
}

func pick(result map[string]any, names ...string) []any {
	var values []any
	for _, name := range names {
		values = append(values, result[name])
	}
	return values
}
