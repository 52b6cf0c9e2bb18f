package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// install puts the test binary into a project as a third party's provider.
func install(t testing.TB) (dir, path string) { return installAs(t, "third") }

func installAs(t testing.TB, name string) (dir, path string) {
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
	path = filepath.Join(folder, prefix+name)
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

// trust checks what is known of an installed provider without starting it.
func trust(t *testing.T, h *Host, name string, want Trust, path string) {
	t.Helper()
	all, err := h.ThirdParties()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Name == name {
			if p.Trust != want || p.Path != path || (want == NotPinned) != (p.Schema == nil) {
				t.Errorf("it is %s at %s", p.Trust, p.Path)
			}
			return
		}
	}
	t.Errorf("%s is not among %v", name, all)
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
	trust(t, h, "third", NotPinned, path)
	if err := h.Lock(t.Context(), []string{"third"}); err != nil {
		t.Fatal(err)
	}

	h = open(t, dir)
	trust(t, h, "third", Pinned, path)
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

	never := do("never described")
	never.Timeout = 50 * time.Millisecond
	if _, err := h.Describe(t.Context(), "third", never); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
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
	trust(t, h, "third", Changed, path)
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

// A lock file comes with the checkout of whoever wrote it: reading it must
// neither end this program nor keep it.
func TestHostileLockFiles(t *testing.T) {
	entry := func(version, schema string) string {
		return "provider \"third\" {\n version = " + version + "\n sha256 = {}\n schema = " + schema + "\n}\n"
	}
	deep := strings.Repeat("[", 200_000)
	endless := "[for a in [" + strings.Repeat("1,", 1000) + "] : 1]"
	for name, c := range map[string]struct{ text, want string }{
		"nested deeply":     {entry(`"1"`, deep), "more than 200 deep"},
		"templates in it":   {entry(strings.Repeat("\"${", 100_000), "{}"), "more than 200 deep"},
		"hidden characters": {entry("\"1\u202e\"", "{}"), "U+202E"},
		"too large":         {strings.Repeat("#\n", 5<<20), "more than 8 MiB"},
		"computed schema":   {entry(`"1"`, endless), "written out"},
		"computed version":  {entry("join(\"\", "+endless+")", "{}"), "written out"},
		"no schema":         {entry(`"1"`, "[1, 2]"), "schema of third"},
		"not HCL":           {"provider third", "read the lock file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, LockFileName)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := New(Options{Dir: dir, LockFile: path}).Schema(t.Context(), "third")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.500v", err)
			}
		})
	}
}

// Whatever a provider says of itself, the lock file that holds it can be read.
func TestLockTextIsReadable(t *testing.T) {
	s := third().Schema()
	s.Doc = "\u202e ${x} %{if} \x1b[31m \u200b \U000e0041 \" \\ ö\n" + strings.Repeat("long ", 10_000)
	nested := &s.Config.Attributes[0]
	for range 10 {
		nested.Nested = []schema.Attribute{{Name: "inner", Type: cty.DynamicPseudoType, Doc: s.Doc}}
		nested = &nested.Nested[0]
	}
	for i := range 200 {
		more := s.Operations[0]
		more.Name = fmt.Sprintf("look_%d", i)
		s.Operations = append(s.Operations, more)
	}
	text, err := lockText(map[string]*locked{"third": {version: "1", schema: s}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), LockFileName)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	locks, err := readLockFile(path)
	if err != nil {
		t.Fatalf("%.2000s", err)
	}
	if diff := cmp.Diff(s, locks["third"].schema, cmp.Comparer(cty.Type.Equals)); diff != "" {
		t.Errorf("%.2000s", diff)
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
