package runbook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSwappedForALink: between the look at where a file lies and its being opened
// somebody puts a link in its place, or in that of its folder.
func TestSwappedForALink(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{filepath.Join(outside, "secret.hcl"): "secret", filepath.Join(root, "inside.hcl"): "inside"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"file.hcl": filepath.Join(outside, "secret.hcl"), "folder": outside, "up.hcl": "../" + filepath.Base(outside) + "/secret.hcl", "near.hcl": "inside.hcl"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"inside.hcl": "inside", "near.hcl": "inside", "file.hcl": "", "folder/secret.hcl": "", "up.hcl": ""} {
		src, d := readFile(name, filepath.Join(root, name), root, MaxFileSize)
		switch {
		case want != "" && (d != nil || string(src) != want):
			t.Errorf("%s: %q, %v", name, src, d)
		case want == "" && (d == nil || !strings.Contains(d.Detail, "escapes")):
			t.Errorf("%s was opened: %q, %v", name, src, d)
		}
	}
}
