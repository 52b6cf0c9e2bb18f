package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/git"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestStatus(t *testing.T) {
	r := newRoom(t)
	clean := map[string]any{
		"ok": true, "summary": "clean, on main at " + r.last[:10], "head": r.last, "branch": "main", "upstream": "origin/main",
		"ahead": 0, "behind": 0, "files": 0, "staged": []any{}, "changed": []any{}, "untracked": []any{}, "conflicts": []any{}, "operation": "",
	}
	equal(t, clean, done(t, r.Probe("status", nil)))

	r.write(r.here, "dvc.lock", "three\n")
	r.write(r.here, "new file.txt", "new\n")
	r.write(r.here, "staged.txt", "staged\n")
	r.git(r.here, "add", "staged.txt")
	if err := os.Remove(filepath.Join(r.here, "data.dvc")); err != nil {
		t.Fatal(err)
	}
	got := done(t, r.Probe("status", nil), "head", "branch", "upstream", "ahead", "behind", "operation", "conflicts")
	equal(t, map[string]any{
		"ok": false, "summary": "1 file staged, 2 files changed, 1 file untracked, on main at " + r.last[:10], "files": 4,
		"staged": []any{"staged.txt"}, "changed": []any{"data.dvc", "dvc.lock"}, "untracked": []any{"new file.txt"},
	}, got)
	only := done(t, r.Probe("status", map[string]any{"paths": []string{"app"}}))
	equal(t, clean, only)
	got = done(t, r.Probe("status", map[string]any{"untracked": false}))
	equal(t, []any{}, got["untracked"])
}

func TestStatusOfAMerge(t *testing.T) {
	r := newRoom(t)
	r.git(r.here, "checkout", "--quiet", "-b", "other", r.second)
	r.write(r.here, "app/main.py", "print(4)\n")
	r.git(r.here, "commit", "--quiet", "-am", "other")
	if _, err := os.Stat(r.here); err != nil {
		t.Fatal(err)
	}
	conflicting(t, r, "merge", "main")
	got := done(t, r.Probe("status", nil), "summary")
	equal(t, []any{"app/main.py"}, got["conflicts"])
	equal(t, "merge", got["operation"])
	equal(t, false, got["ok"])
	for action, args := range map[string]map[string]any{
		"checkout":       {"ref": "main"},
		"checkout_paths": {"ref": "main", "paths": []string{"dvc.lock"}},
		"commit":         {"message": "x"},
	} {
		fails(t, r.Act(action, args), schema.FailedClean, "conflict", "a merge is under way")
		refused(t, r.Preview(action, args), "conflict")
	}
	fails(t, r.Act("pull", map[string]any{"branch": "main"}), schema.FailedClean, "wrong_branch", "git.checkout main first")
}

func TestUnbornBranch(t *testing.T) {
	dir := t.TempDir()
	r := &room{t: t, here: dir}
	r.git(dir, "init", "--quiet", "--initial-branch=main")
	h := r.harness(nil)
	got := done(t, h.Probe("status", nil))
	equal(t, "clean, on main, which has no commit yet", got["summary"])
	equal(t, "", got["head"])
	fails(t, h.Probe("log", nil), schema.FailedClean, "no_such_revision")
	r.write(dir, "a.txt", "a\n")
	added := done(t, h.Act("add", map[string]any{"paths": []string{"a.txt"}}))
	equal(t, "", added["head_before"])
	made := done(t, h.Act("commit", map[string]any{"message": "the first"}))
	equal(t, "", made["head_before"])
	equal(t, []any{"a.txt"}, made["files"])
}

func TestLog(t *testing.T) {
	r := newRoom(t)
	all := done(t, r.Probe("log", map[string]any{"good_tags": "good-*"}))
	commits := all["commits"].([]any)
	if len(commits) != 3 || commits[0].(map[string]any)["commit"] != r.last || all["previous"] != r.second {
		t.Errorf("got %v", all)
	}
	good := all["last_good"].(map[string]any)
	equal(t, map[string]any{"commit": r.first, "author": "Else", "subject": "first", "tags": []any{"good-1"}, "time": good["time"]}, good)

	// Two files of the pipeline, one of them under a glob.
	lock := done(t, r.Probe("log", map[string]any{"paths": []string{"dvc.lock", "*.dvc"}}))
	commits = lock["commits"].([]any)
	if len(commits) != 2 || commits[0].(map[string]any)["commit"] != r.second || lock["previous"] != r.first || lock["last_good"] != nil {
		t.Errorf("got %v", lock)
	}
	equal(t, false, done(t, r.Probe("log", map[string]any{"good_tags": "never-*"}))["ok"])
	equal(t, false, done(t, r.Probe("log", map[string]any{"paths": []string{"nothing"}}))["ok"])

	// A newer good commit takes its place, also under an annotated tag.
	r.git(r.here, "tag", "-a", "-m", "fine", "good-2", r.second)
	equal(t, r.second, done(t, r.Probe("log", map[string]any{"good_tags": "good-*"}))["last_good"].(map[string]any)["commit"])

	for argument, args := range map[string]map[string]any{
		"limit": {"limit": 0}, "revision": {"revision": "--all"},
	} {
		equal(t, argument, fails(t, r.Probe("log", args), schema.FailedClean, "invalid_argument").Argument)
	}
}

func TestCommitExists(t *testing.T) {
	r := newRoom(t)
	got := done(t, r.Probe("commit_exists", map[string]any{"revision": r.first[:8], "on": "origin/main"}), "details")
	equal(t, map[string]any{"ok": true, "exists": true, "held": true, "commit": r.first, "summary": r.first[:8] + " is " + r.first[:10] + ": first, held by origin/main"}, got)
	r.git(r.here, "checkout", "--quiet", "--orphan", "alone")
	r.git(r.here, "commit", "--quiet", "-m", "alone")
	got = done(t, r.Probe("commit_exists", map[string]any{"revision": "alone", "on": "main"}))
	equal(t, []any{false, true, false}, []any{got["ok"], got["exists"], got["held"]})
	got = done(t, r.Probe("commit_exists", map[string]any{"revision": "deadbeef"}))
	equal(t, map[string]any{"ok": false, "exists": false, "held": nil, "commit": "", "details": nil, "summary": "there is no commit deadbeef"}, got)
	fails(t, r.Probe("commit_exists", map[string]any{"revision": "main", "on": "deadbeef"}), schema.FailedClean, "no_such_revision")
}

func TestDiff(t *testing.T) {
	r := newRoom(t)
	got := done(t, r.Probe("diff", map[string]any{"from": "HEAD~1", "patch": true}))
	equal(t, []any{map[string]any{"path": "app/main.py", "added": 1, "deleted": 1}}, got["changes"])
	if patch := got["patch"].(string); !strings.Contains(patch, "-print(1)\n+print(3)\n") {
		t.Errorf("got %q", patch)
	}
	equal(t, "1 file differs between HEAD~1 and the work tree: app/main.py (+1 -1)", got["summary"])
	got = done(t, r.Probe("diff", map[string]any{"from": "HEAD~1", "paths": []string{"dvc.lock"}}))
	equal(t, []any{true, "", 0}, []any{got["ok"], got["patch"], got["files"]})
	got = done(t, r.Probe("diff", map[string]any{"from": r.first, "to": r.second}))
	equal(t, 2, got["files"])
}

// The remote is asked, and the repository stays as it is.
func TestInSync(t *testing.T) {
	r := newRoom(t)
	pick := func(got map[string]any) []any {
		return []any{got["ok"], got["ahead"], got["behind"], got["diverged"], got["remote_head"]}
	}
	equal(t, []any{true, 0, 0, false, r.last}, pick(done(t, r.Probe("in_sync", nil))))

	r.elsewhere("a.txt", "a\n")
	newest := r.elsewhere("b.txt", "b\n")
	before := r.snapshot()
	got := done(t, r.Probe("in_sync", nil))
	equal(t, []any{false, 0, 2, false, newest}, pick(got))
	equal(t, "main is 2 commits behind main of origin", got["summary"])
	equal(t, r.bare, got["url"])
	equal(t, before, r.snapshot())
	// What was fetched last would say otherwise.
	equal(t, 0, done(t, r.Probe("status", nil))["behind"])

	r.write(r.here, "mine.txt", "mine\n")
	r.git(r.here, "add", "mine.txt")
	r.git(r.here, "commit", "--quiet", "-m", "mine")
	equal(t, []any{false, 1, 2, true, newest}, pick(done(t, r.Probe("in_sync", nil))))
	r.git(r.here, "branch", "local")
	equal(t, []any{false, nil, nil, false, ""}, pick(done(t, r.Probe("in_sync", map[string]any{"branch": "local"}))))
	r.git(r.here, "checkout", "--quiet", "--detach")
	fails(t, r.Probe("in_sync", nil), schema.FailedClean, "detached_head")
}

func TestNotARepository(t *testing.T) {
	r := newRoom(t)
	empty := t.TempDir()
	for repo, remedy := range map[string]string{
		empty:                         "git.clone",
		filepath.Join(empty, "none"):  "git.clone",
		filepath.Join(r.here, "app"):  "set repo to " + r.here,
		filepath.Join(r.here, ".git"): "",
		r.bare:                        "",
	} {
		f := fails(t, r.Probe("status", map[string]any{"repo": repo}), schema.FailedClean, "no_repository")
		if !strings.Contains(f.Remedy, remedy) {
			t.Errorf("%s: %q", repo, f.Remedy)
		}
	}
	none := sdktest.New(t, git.Provider(), map[string]any{"repo": r.here, "git": "no-such-git"})
	f := fails(t, none.Probe("status", nil), schema.FailedClean, "cannot_start", "there is no program no-such-git")
	equal(t, "git", f.Argument)
}

func TestConfigurationIsChecked(t *testing.T) {
	for argument, config := range map[string]map[string]any{
		"repo":         {"repo": ""},
		"git":          {"git": ""},
		"username":     {"password": "hunter2"},
		"password":     {"username": "ana", "password": "a\nb"},
		"author_email": {"author_name": "Ana"},
	} {
		_, err := sdktest.Try(t, git.Provider(), config)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", argument, err)
		}
	}
}

// What user and machine have configured changes nothing, unless it is asked for.
func TestUserConfiguration(t *testing.T) {
	r := newRoom(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("GIT_DIR", "/nowhere")
	r.write(home, ".gitconfig", "[status]\n\tshowUntrackedFiles = no\n[core]\n\tautocrlf = true\n[url \"/nowhere/\"]\n\tinsteadOf = "+filepath.Dir(r.bare)+"/\n")
	r.write(r.here, "new.txt", "new\n")
	equal(t, []any{"new.txt"}, done(t, r.Probe("status", nil))["untracked"])
	done(t, r.Probe("in_sync", nil))
	fails(t, r.harness(map[string]any{"user_config": true}).Probe("in_sync", nil), schema.FailedClean, "remote_not_found", "/nowhere/remote.git")
}
