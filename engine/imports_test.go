package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own packages.
const module = "github.com/runbook-engine/runbook/"

// layer is one row of the import table: the packages at or under path may
// import their own tree and what lies at or under may.
type layer struct {
	path string
	may  []string
}

// layers says who may import whom (docs/architecture.md). The longest path that
// fits a package is its row. A change here brings an ADR.
func layers() []layer {
	base := []string{"engine/address", "engine/clock", "engine/diag", "engine/event", "engine/graph", "engine/redact", "providers/schema"}
	with := func(more ...string) []string { return append(slices.Clone(base), more...) }
	return []layer{
		{"engine/address", nil},
		{"engine/clock", nil},
		{"engine/diag", nil},
		{"engine/event", []string{"providers/schema"}},
		{"engine/graph", nil},
		{"engine/redact", []string{"providers/schema"}},
		{"engine/runbook", base},
		{"engine/eval", with("engine/runbook")},
		{"engine/plan", with("engine/runbook", "engine/eval")},
		{"engine/journal", []string{"engine/event"}},
		{"engine/store", []string{"engine/event", "engine/journal", "providers/schema"}},
		{"engine/apply", with("engine/runbook", "engine/eval", "engine/plan", "engine/journal", "engine/store")},
		{"engine/host", with("engine/runbook", "engine/eval", "engine/plan", "engine/apply", "providers/protocol")},
		{"engine/rehearse", with("engine/runbook", "engine/eval", "engine/plan", "engine/apply")},
		{"engine/review", with("engine/runbook", "engine/eval", "engine/plan")},
		{"engine/export", with("engine/runbook", "engine/eval", "engine/plan")},
		{"engine/importer", with("engine/runbook", "engine/eval", "engine/plan")},
		{"engine", []string{"providers/schema"}},

		{"providers/schema", nil},
		{"providers/protocol", []string{"providers/schema"}},
		{"providers/sdk", []string{"providers/schema", "providers/protocol"}},
		{"providers/internal", []string{"providers/schema", "providers/sdk"}},
		{"providers/bundled", []string{"providers"}},
		{"providers", []string{"providers/schema", "providers/sdk", "providers/internal"}}, // each provider

		{"cmd/runbook/internal/ui", []string{"engine/event", "engine/plan", "engine/diag", "engine/review", "engine/rehearse", "providers/schema"}},
		{"cmd/runbook/internal/cli", []string{"cmd/runbook/internal/ui", "engine", "providers/bundled", "providers/sdk", "providers/schema"}},
		{"cmd/runbook/internal/canary/leaky", []string{"providers/sdk"}}, // providers, for tests
		{"cmd/runbook/internal/crash/witness", []string{"providers/sdk", "providers/schema"}},
		{"cmd/runbook", []string{"cmd/runbook/internal/cli"}},

		{"runbooks", nil}, // tests alone
	}
}

// listed is what `go list` tells of a package.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsFollowTheLayout(t *testing.T) {
	for _, pkg := range listPackages(t) {
		path, ours := strings.CutPrefix(pkg.ImportPath, module)
		if !ours {
			continue
		}
		row := rowOf(path)
		if row == nil {
			t.Errorf("%s has no row in the import table", path)
			continue
		}
		for _, imported := range pkg.Imports {
			target, ours := strings.CutPrefix(imported, module)
			if ours && !allowed(*row, path, target) {
				t.Errorf("%s imports %s: the import table does not allow it", path, target)
			}
		}
		for _, imported := range slices.Concat(pkg.TestImports, pkg.XTestImports) {
			target, ours := strings.CutPrefix(imported, module)
			if ours && under(path, "providers") && under(target, "engine") {
				t.Errorf("the tests of %s import %s: a provider knows nothing of the engine", path, target)
			}
		}
	}
}

// The table itself: what it must refuse.
func TestImportTableRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{"engine/plan", "engine/apply"},
		{"engine/apply", "engine/host"},
		{"engine/store", "engine/apply"},
		{"engine/apply", "providers/protocol"},
		{"engine/export", "engine/apply"},
		{"engine/export", "engine/host"},
		{"engine", "providers/protocol"},
		{"engine", "providers/sdk"},
		{"providers/redis", "engine/event"},
		{"providers/redis", "providers/postgres"},
		{"providers/redis", "providers/protocol"},
		{"providers/sdk", "providers/bundled"},
		{"cmd/runbook/internal/ui", "engine"},
		{"cmd/runbook/internal/ui", "engine/store"},
		{"cmd/runbook/internal/ui", "engine/export"},
		{"cmd/runbook", "engine"},
	} {
		if allowed(*rowOf(c[0]), c[0], c[1]) {
			t.Errorf("the table lets %s import %s", c[0], c[1])
		}
	}
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg listed
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, pkg)
	}
}

// rowOf is the row with the longest path that path lies at or under.
func rowOf(path string) *layer {
	var found *layer
	for _, row := range layers() {
		if row.path == "engine" && path != "engine" {
			continue // what lies under the façade has rows of its own
		}
		if under(path, row.path) && (found == nil || len(row.path) > len(found.path)) {
			found = &row
		}
	}
	return found
}

func allowed(row layer, path, target string) bool {
	own := row.path
	if own == "providers" { // each provider is a tree of its own
		own = strings.Join(strings.SplitN(path, "/", 3)[:2], "/")
	}
	return under(target, own) || slices.ContainsFunc(row.may, func(may string) bool { return under(target, may) })
}

func under(path, tree string) bool {
	return path == tree || strings.HasPrefix(path, tree+"/")
}
