package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/review"
)

// answers are the rules that answer to runbooks that lie in one folder, and what
// is invalid in them.
func answers(t *testing.T, texts ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, text := range texts {
		file := filepath.Join(dir, fmt.Sprintf("r%d.hcl", i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	read, found := offline(dir).Lint(t.Context(), files, review.Settings{})
	var said []string
	for _, d := range read.Diagnostics {
		said = append(said, diag.ID(d)+": "+d.Detail)
	}
	for _, f := range found {
		said = append(said, f.Rule.ID)
	}
	return said
}

// What the page of a rule shows is true: the rule answers to the bad runbook, and
// no other does; nothing is said of the good one.
func TestRulesAnswerToTheirExamples(t *testing.T) {
	for _, rule := range review.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			if diff := cmp.Diff([]string{rule.ID}, answers(t, rule.Bad...)); diff != "" {
				t.Errorf("bad (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string(nil), answers(t, rule.Good...)); diff != "" {
				t.Errorf("good (-want +got):\n%s", diff)
			}
			for _, text := range append(append([]string{}, rule.Bad...), rule.Good...) {
				if formatted := string(hclwrite.Format([]byte(text))); formatted != text {
					t.Errorf("not in the usual form:\n%s", cmp.Diff(formatted, text))
				}
			}
			if rule.Summary == "" || rule.Why == "" || strings.HasSuffix(rule.Summary, ".") || !strings.HasSuffix(rule.Why, ".") {
				t.Errorf("said of it: %q, %q", rule.Summary, rule.Why)
			}
		})
	}
}

// What --fix mends is gone after one pass, the runbook stays valid, and a rule
// that says it can mend mends its own example.
func TestFixMendsTheExamples(t *testing.T) {
	mended := 0
	for _, rule := range review.Rules() {
		dir := t.TempDir()
		file := filepath.Join(dir, "x.hcl")
		if err := os.WriteFile(file, []byte(rule.Bad[0]), 0o600); err != nil {
			t.Fatal(err)
		}
		read, found := offline(dir).Lint(t.Context(), []string{file}, review.Settings{})
		fixed := review.Fix(read.Sources, found)
		if rule.Fixable != (len(fixed) == 1) {
			t.Errorf("%s: %d files are mended", rule.ID, len(fixed))
		}
		if !rule.Fixable {
			continue
		}
		mended++
		if err := os.WriteFile(file, fixed[file], 0o600); err != nil {
			t.Fatal(err)
		}
		if said := answers(t, string(fixed[file])); len(said) > 0 {
			t.Errorf("%s: mended it still gives %q:\n%s", rule.ID, said, fixed[file])
		}
	}
	if mended == 0 {
		t.Error("nothing can be mended")
	}
}
