package minio

import "testing"

// Other servers than MinIO hold objects whose names are no paths.
func TestNamesThatNoFileCanHave(t *testing.T) {
	for name, fits := range map[string]bool{
		"a/b.csv": true, "a b": true, "a//b": false, "/a": false, "../a": false, "a/../../b": false, "a/": false, ".": false, "a\x00": false,
	} {
		if got := (&directoryEnd{}).fits(name) == nil; got != fits {
			t.Errorf("%q: %v", name, got)
		}
	}
}
