package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

var began = time.Date(2026, 1, 17, 3, 15, 2, 0, time.UTC)

func diff(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newStore(t testing.TB) *store.Store {
	return must[*store.Store](t)(store.Open(filepath.Join(t.TempDir(), store.Folder)))
}

// newRun makes a run that closes with the test.
func newRun(t testing.TB, s *store.Store, id string, events ...event.Event) *store.Run {
	t.Helper()
	r := must[*store.Run](t)(s.NewRun(id))
	t.Cleanup(func() { check(t, r.Close()) })
	check(t, r.Append(events...))
	return r
}

func TestFind(t *testing.T) {
	root := must[string](t)(filepath.EvalSymlinks(t.TempDir()))
	for _, folder := range []string{"repo/.git", "repo/a/b", "worktree/a", "none/a"} {
		check(t, os.MkdirAll(filepath.Join(root, folder), 0o700))
	}
	check(t, os.WriteFile(filepath.Join(root, "worktree/.git"), []byte("gitdir: x\n"), 0o600))
	for start, want := range map[string]string{
		"repo":       "repo",
		"repo/a/b":   "repo",
		"worktree/a": "worktree",
		"none/a":     "none/a",
	} {
		diff(t, filepath.Join(root, want, ".runbook"), store.Find(filepath.Join(root, start)))
	}
	check(t, os.Symlink(filepath.Join(root, "repo/a"), filepath.Join(root, "none/a/link")))
	diff(t, filepath.Join(root, "repo/.runbook"), store.Find(filepath.Join(root, "none/a/link")))
	t.Chdir(filepath.Join(root, "repo/a"))
	diff(t, filepath.Join(root, "repo/.runbook"), store.Find("."))
}

func TestFindForARunbook(t *testing.T) {
	root := must[string](t)(filepath.EvalSymlinks(t.TempDir()))
	for _, folder := range []string{"repo/.git", "repo/a", "other/.git"} {
		check(t, os.MkdirAll(filepath.Join(root, folder), 0o700))
	}
	check(t, os.WriteFile(filepath.Join(root, "repo/a/x.hcl"), nil, 0o600))
	check(t, os.Symlink("../repo/a/x.hcl", filepath.Join(root, "other/x.hcl")))
	t.Chdir(filepath.Join(root, "other"))
	for _, file := range []string{filepath.Join(root, "repo/a/x.hcl"), "../repo/a/x.hcl", "x.hcl", "../repo/a/missing.hcl"} {
		diff(t, filepath.Join(root, "repo/.runbook"), store.FindFor(file))
	}
}

func TestLookingMakesNothing(t *testing.T) {
	s := newStore(t)
	diff(t, []store.Summary{}, must[[]store.Summary](t)(s.Runs()))
	diff(t, []store.Claim(nil), must[[]store.Claim](t)(s.List()))
	check(t, s.Held("r", nil))
	_, err := s.Resolve(store.Last)
	var missing *store.NotFoundError
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(s.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

func TestOnlyTheOwnerMayLookIn(t *testing.T) {
	s := newStore(t)
	r := newRun(t, s, "r")
	check(t, r.Log("step.x", "line"))
	must[bool](t)(r.AttemptFree(r.AttemptLock("step.x", 1)))
	lease := must[*store.Lease](t)(s.Acquire(t.Context(), store.Holder{Run: "r", Runbook: "x"}, nil, 0))
	defer lease.Close()
	got := map[string]string{}
	check(t, filepath.WalkDir(s.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := must[string](t)(filepath.Rel(s.Dir(), path))
		got[name] = must[fs.FileInfo](t)(d.Info()).Mode().String()
		return nil
	}))
	diff(t, map[string]string{
		".":                             "drwx------",
		".gitignore":                    "-rw-------",
		"runs":                          "drwx------",
		"runs/r":                        "drwx------",
		"runs/r/journal.jsonl":          "-rw-------",
		"runs/r/logs":                   "drwx------",
		"runs/r/logs/step.x.log":        "-rw-------",
		"runs/r/attempts":               "drwx------",
		"runs/r/attempts/step.x.1.lock": "-rw-------",
		"locks":                         "drwx------",
		"locks/guard":                   "-rw-------",
		"locks/table.json":              "-rw-------",
	}, got)
}

func TestFoldersOfOthersAreRefused(t *testing.T) {
	refused := func(t *testing.T, dir, path string, reason string) {
		t.Helper()
		_, err := store.Open(dir)
		var untrusted *store.UntrustedError
		if !errors.As(err, &untrusted) {
			t.Fatalf("got %v", err)
		}
		if untrusted.Path != path || !cmp.Equal(untrusted.Reason[:len(reason)], reason) {
			t.Errorf("got %v", untrusted)
		}
	}
	for _, folder := range []string{".", "runs", "plans", "locks"} {
		dir := filepath.Join(t.TempDir(), store.Folder)
		path := filepath.Join(dir, folder)
		check(t, os.MkdirAll(path, 0o700))
		must[*store.Store](t)(store.Open(dir))
		for _, mode := range []fs.FileMode{0o777, 0o770, 0o702} {
			check(t, os.Chmod(path, mode))
			refused(t, dir, path, "others may write to it")
		}
		check(t, os.Chmod(path, 0o755))
		must[*store.Store](t)(store.Open(dir))
	}

	dir := filepath.Join(t.TempDir(), store.Folder)
	check(t, os.Symlink(t.TempDir(), dir))
	refused(t, dir, dir, "it is a link")
	check(t, os.Remove(dir))
	check(t, os.WriteFile(dir, nil, 0o600))
	refused(t, dir, dir, "it is not a folder")

	// Root's folders belong to somebody else, unless this is root.
	dir = "/"
	if os.Geteuid() == 0 {
		dir = t.TempDir()
		check(t, os.Chown(dir, 65534, 65534))
	}
	refused(t, dir, dir, "it belongs to ")

	// A run's own folder is looked at as well, and so is one made meanwhile.
	s := newStore(t)
	newRun(t, s, "r")
	check(t, os.Chmod(filepath.Join(s.Dir(), "runs/r"), 0o777))
	var untrusted *store.UntrustedError
	if _, err := s.OpenRun("r"); !errors.As(err, &untrusted) {
		t.Errorf("got %v", err)
	}
	diff(t, store.Damaged, must[[]store.Summary](t)(s.Runs())[0].Outcome)
	check(t, os.Chmod(filepath.Join(s.Dir(), "runs"), 0o777))
	if _, err := s.NewRun("r2"); !errors.As(err, &untrusted) {
		t.Errorf("got %v", err)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plan.json")
	check(t, store.WriteFile(path, []byte("one")))
	check(t, os.Chmod(path, 0o644))
	check(t, store.WriteFile(path, []byte("two")))
	diff(t, "two", string(must[[]byte](t)(os.ReadFile(path))))
	diff(t, fs.FileMode(0o600), must[fs.FileInfo](t)(os.Stat(path)).Mode())

	check(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	if store.WriteFile(filepath.Join(dir, "folder"), []byte("x")) == nil {
		t.Error("a folder was replaced")
	}
	if store.WriteFile(filepath.Join(dir, "none/x"), []byte("x")) == nil {
		t.Error("wrote into a folder that is not there")
	}
	var names []string
	for _, entry := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		names = append(names, entry.Name())
	}
	diff(t, []string{"folder", "plan.json"}, names)
}

// A store whose folders were there before, made by hand or unpacked, is as
// private as one that was made here, and hidden from git.
func TestFoldersThatWereThereAreMadePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), store.Folder)
	folders := []string{".", "runs", "locks"}
	for _, folder := range folders {
		check(t, os.Mkdir(filepath.Join(dir, folder), 0o755))
		check(t, os.Chmod(filepath.Join(dir, folder), 0o755)) // whatever the umask
	}
	s := must[*store.Store](t)(store.Open(dir))
	newRun(t, s, "r")
	lease := must[*store.Lease](t)(s.Acquire(t.Context(), store.Holder{Run: "r", Runbook: "x"}, nil, 0))
	defer lease.Close()
	for _, folder := range folders {
		diff(t, fs.FileMode(0o700), must[fs.FileInfo](t)(os.Stat(filepath.Join(dir, folder))).Mode().Perm())
	}
	diff(t, "*\n", string(must[[]byte](t)(os.ReadFile(filepath.Join(dir, ".gitignore")))))

	// What somebody wrote there is left alone.
	check(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n!plans\n"), 0o600))
	newRun(t, s, "r2")
	diff(t, "*\n!plans\n", string(must[[]byte](t)(os.ReadFile(filepath.Join(dir, ".gitignore")))))
}
