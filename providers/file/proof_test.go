package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/providers/file"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// A file provider has no server that could be dead, blackholed, or reached with
// wrong credentials; a root that is not there is what comes nearest.
func TestProof(t *testing.T) {
	dir := t.TempDir()
	fresh := func(t testing.TB) {
		for _, name := range []string{"from", "to", "made", "old", "file", "kept", "archive.tar.gz"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		put(t, dir+"/from/a", "aaaa", day)
		put(t, dir+"/from/b/c", strings.Repeat("c", 1000), day)
		for _, name := range []string{"/from/a", "/from/b/c"} { // an archive tells when
			if err := os.Chtimes(dir+name, time.Unix(1_700_000_000, 0), time.Unix(1_700_000_000, 0)); err != nil {
				t.Fatal(err)
			}
		}
		put(t, dir+"/to/a", "other", day)
		put(t, dir+"/file", "before", day)
		put(t, dir+"/archive.tar.gz", "no archive", day)
		put(t, dir+"/old/backup_1.sql", "1", 100*day)
		put(t, dir+"/old/backup_2.sql", "22", 90*day)
		put(t, dir+"/old/backup_3.sql", "333", 80*day)
	}
	fresh(t)
	none := func(args map[string]any) sdktest.Refused {
		return sdktest.Refused{Args: args, Code: "file_missing"}
	}
	invalid := func(args map[string]any) sdktest.Refused {
		return sdktest.Refused{Args: args, Code: "invalid_argument"}
	}
	sdktest.Prove(t, sdktest.Proof{
		Provider: file.Provider,
		Config:   map[string]any{"root": dir},
		World:    func(t testing.TB) any { return []any{held(t, dir), folders(t, dir)} },
		Broken:   []sdktest.Broken{{Name: "a root that is not there", Config: map[string]any{"root": dir + "/gone"}, Code: "root_missing"}},
		Probes: []sdktest.ProbeProof{
			{Name: "file", Args: map[string]any{"path": "file", "hash": true}, Refused: []sdktest.Refused{invalid(map[string]any{"path": "/etc/passwd"})}},
			{Name: "directory", Args: map[string]any{"path": "old"}, Refused: []sdktest.Refused{invalid(map[string]any{"path": "old", "pattern": "["})}},
			{Name: "disk", Args: map[string]any{"path": "."}, Refused: []sdktest.Refused{none(map[string]any{"path": "none"})}},
		},
		Actions: []sdktest.ActionProof{
			{
				Name: "copy", Setup: fresh, Args: map[string]any{"from": "from", "to": "to", "overwrite": true}, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{
					none(map[string]any{"from": "none", "to": "to"}), invalid(map[string]any{"from": "from", "to": "from/x"}),
					{Args: map[string]any{"from": "from", "to": "to"}, Code: "would_overwrite"},
				},
			},
			{
				Name: "write", Setup: fresh, Args: map[string]any{"path": "file", "content": "after", "overwrite": true}, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{
					invalid(map[string]any{"path": "../x", "content": ""}), {Args: map[string]any{"path": "file", "content": "x"}, Code: "would_overwrite"},
					{Args: map[string]any{"path": "from", "content": "x"}, Code: "not_a_file"},
				},
			},
			{
				Name: "write", Setup: fresh, Args: map[string]any{"path": "file", "content": "after", "overwrite": true, "backup_to": "kept"}, Class: schema.Idempotent,
			},
			{
				Name: "archive", Setup: fresh, Args: map[string]any{"directory": "from", "paths": []string{"."}, "to": "archive.tar.gz", "overwrite": true},
				Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{
					none(map[string]any{"directory": "from", "paths": []string{"none"}, "to": "x.tar"}),
					{Args: map[string]any{"directory": "from", "paths": []string{"a"}, "to": "archive.tar.gz"}, Code: "would_overwrite"},
				},
			},
			{
				Name: "delete_older_than", Setup: fresh, Args: map[string]any{"directory": "old", "pattern": "backup_*.sql", "age": "720h"}, Class: schema.Idempotent, Destroys: true,
				Refused: []sdktest.Refused{none(map[string]any{"directory": "none", "pattern": "*", "age": "720h"}), invalid(map[string]any{"directory": "old", "pattern": "*", "age": "0s"})},
			},
			{
				Name: "mkdir", Setup: fresh, Args: map[string]any{"path": "made/below"}, Class: schema.Idempotent,
				Refused: []sdktest.Refused{{Args: map[string]any{"path": "file/below"}, Code: "not_a_folder"}},
			},
		},
	})
}

// folders are the paths of all folders.
func folders(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
