package runbook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// expectation is a comment "# error: REGEXP" on the line that a diagnostic is
// about. Several may stand on one line. The pattern is matched against
// "ID: Summary. Detail".
type expectation struct {
	pattern string
	met     bool
}

// expectations reads the comments of a file, by line.
func expectations(t *testing.T, path string) map[int][]*expectation {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int][]*expectation{}
	for i, line := range strings.Split(string(src), "\n") {
		_, comments, _ := strings.Cut(line, "# error: ")
		if comments == "" {
			continue
		}
		for _, p := range strings.Split(comments, " # error: ") {
			want[i+1] = append(want[i+1], &expectation{pattern: strings.TrimSpace(p)})
		}
	}
	return want
}

var beside = regexp.MustCompile(`"(shared/[a-z_]+\.hcl)"`) // what is included or called

// TestBroken loads and validates each broken file and compares what is reported
// with the comments in it: each mistake on its line, all in one pass, and
// nothing else.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.hcl")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d broken files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".hcl"), func(t *testing.T) {
			want := map[string]map[int][]*expectation{file: expectations(t, file)}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range beside.FindAllStringSubmatch(string(src), -1) {
				shared := filepath.Join(filepath.Dir(file), m[1])
				want[shared] = expectations(t, shared)
			}
			rb, diags := runbook.Load(file)
			if rb != nil {
				diags = append(diags, runbook.Validate(rb, testCatalog())...)
			}
			for _, d := range diags {
				if !meet(want, d) {
					t.Errorf("not expected: %s: %s", d.Subject, text(d))
				}
			}
			for path, lines := range want {
				for line, list := range lines {
					for _, e := range list {
						if !e.met {
							t.Errorf("%s:%d: nothing reported that matches %s", path, line, e.pattern)
						}
					}
				}
			}
		})
	}
}

// meet finds the expectation that a diagnostic meets.
func meet(want map[string]map[int][]*expectation, d *hcl.Diagnostic) bool {
	if d.Subject == nil {
		return false
	}
	for _, e := range want[d.Subject.Filename][d.Subject.Start.Line] {
		if !e.met && regexp.MustCompile("(?s)"+e.pattern).MatchString(text(d)) {
			e.met = true
			return true
		}
	}
	return false
}

func text(d *hcl.Diagnostic) string { return diag.ID(d) + ": " + d.Summary + ". " + d.Detail }
