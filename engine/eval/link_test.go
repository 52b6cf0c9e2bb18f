package eval_test

import (
	"os"
	"path/filepath"
	"testing"
)

// link makes a file beside dir and links to it and its folder inside dir.
func link(t *testing.T, dir string) {
	t.Helper()
	outside := filepath.Join(filepath.Dir(dir), "outside.txt")
	for _, err := range []error{
		os.WriteFile(outside, []byte("secret"), 0o600),
		os.Symlink(outside, filepath.Join(dir, "link.txt")),
		os.Symlink(filepath.Dir(dir), filepath.Join(dir, "sub", "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}
