package folder

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
)

func open(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func code(err error) string {
	var f *schema.Failure
	if !errors.As(err, &f) {
		return ""
	}
	return f.Code
}

// A write that fails leaves the old file, and nothing else.
func TestWriteIsWholeOrNotAtAll(t *testing.T) {
	f, dir := open(t)
	write(t, dir, "a/b", "old")
	broken := func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("broken off")
	}
	if err := f.Write("a/b", 0, broken); code(err) != "file_error" {
		t.Errorf("got %v", err)
	}
	// So does one that was cut short, and the next attempt takes its place.
	write(t, dir, "a/.b"+suffix, "half of an earlier one")
	got, err := f.Files(t.Context(), ".")
	if err != nil || len(got) != 1 || got[0].Path != "a/b" || got[0].Size != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := f.Write("a/b", 0, text("newer")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "a"))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	held, err := os.ReadFile(filepath.Join(dir, "a/b"))
	info, _ := os.Stat(filepath.Join(dir, "a/b"))
	if err != nil || string(held) != "newer" || info.Mode() != 0o600 {
		t.Errorf("%q %v %v", held, info.Mode(), err)
	}
}

func TestFilesAreInOrderOfTheirPaths(t *testing.T) {
	f, dir := open(t)
	for _, name := range []string{"a/z", "a.txt", "a-b/c", "b"} {
		write(t, dir, name, name)
	}
	files, err := f.Files(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		got = append(got, file.Path)
	}
	if diff := cmp.Diff([]string{"a-b/c", "a.txt", "a/z", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoLinkLeadsOut(t *testing.T) {
	f, dir := open(t)
	outside := t.TempDir()
	write(t, outside, "secret", "x")
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	_, opened := f.Open("out/secret")
	_, listed := f.Files(t.Context(), ".")
	_, above := f.Open("../x")
	want := []string{"leaves_root", "leaves_root", "leaves_root", "leaves_root", "not_a_file"}
	got := []string{code(opened), code(f.Write("out/new", 0, text("x"))), code(f.Remove("out/secret")), code(above), code(listed)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestFailuresAreTyped(t *testing.T) {
	f, dir := open(t)
	write(t, dir, "file", "x")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, missing := f.Open("nothing")
	_, folder := f.Open(".")
	_, none := Open(filepath.Join(dir, "nothing"))
	if diff := cmp.Diff([]string{"file_missing", "not_a_file", "file_missing"}, []string{code(missing), code(folder), code(none)}); diff != "" {
		t.Error(diff)
	}
	if _, err := f.Files(cancelled, "."); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
