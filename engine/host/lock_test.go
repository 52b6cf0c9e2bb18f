package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// install puts the test binary into a project as a third party's provider.
func install(t testing.TB) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	folder := filepath.Join(dir, ".runbook", "providers")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, prefix+"third")
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

func open(t testing.TB, dir string) *Host {
	t.Helper()
	h := New(Options{Dir: dir})
	t.Cleanup(func() { _ = h.Close() })
	h.Configure("third", "third", cty.EmptyObjectVal)
	return h
}

func TestThirdParty(t *testing.T) {
	dir, path := install(t)
	h := open(t, dir)
	var notLocked *NotLockedError
	if _, err := h.Schema(t.Context(), "third"); !errors.As(err, &notLocked) {
		t.Fatal(err)
	}
	if o := h.Act(t.Context(), "third", do("say"), nil); o.State != schema.FailedClean || !strings.Contains(o.Failure.Message, "runbook providers lock third") {
		t.Fatal("an unpinned provider was run", o.Failure)
	}
	if diff := cmp.Diff(path, h.Installed()["third"]); diff != "" {
		t.Error(diff)
	}
	if err := h.Lock(t.Context(), []string{"third"}); err != nil {
		t.Fatal(err)
	}

	h = open(t, dir)
	s, err := h.Schema(t.Context(), "third")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(third().Schema(), s, cmp.Comparer(cty.Type.Equals)); diff != "" {
		t.Error(diff)
	}
	if o := h.Act(t.Context(), "third", do("say"), nil); o.State != schema.Done {
		t.Error(o.State, o.Failure)
	}

	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("changed"); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	h = open(t, dir)
	o := h.Act(t.Context(), "third", do("say"), nil)
	if o.State != schema.FailedClean || !strings.Contains(o.Failure.Message, "is not the file that runbook.lock.hcl pins") {
		t.Error("a changed provider was run", o.State, o.Failure)
	}
}

func TestScriptsAreExecutedAsHashed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, prefix+"third")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho \"I am $0\" >&2\nexit 9\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	h := New(Options{Dir: dir, SearchPath: []string{dir}})
	err := h.Lock(t.Context(), []string{"third"})
	if err == nil || !strings.Contains(err.Error(), "I am ") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, LockFileName)); !os.IsNotExist(err) {
		t.Error("a lock file was written", err)
	}
}

func TestLockKeepsOtherPlatforms(t *testing.T) {
	dir, _ := install(t)
	if err := open(t, dir).Lock(t.Context(), []string{"third"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, LockFileName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	more := strings.Replace(string(text), "sha256 = {", "sha256 = {\n    plan9_mips = \"abc\"", 1)
	if err := os.WriteFile(path, []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Lock(t.Context(), []string{"third"}); err != nil {
		t.Fatal(err)
	}
	locks, err := readLockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if locks["third"].sums["plan9_mips"] != "abc" || len(locks["third"].sums[platform()]) != 64 {
		t.Error(locks["third"].sums)
	}
}
