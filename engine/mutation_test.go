package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/review"
)

// mutation is one way to make a good runbook worse, done mechanically wherever it
// can be, and the rule that has to answer each time.
type mutation struct {
	name string
	rule string
	// sites are the places in a runbook where it may be done: each makes one worse
	// runbook of the file.
	sites func(*hclwrite.Body) []change
}

// change makes a runbook worse, where it can be done here. What lies beside it then
// as a second runbook is empty where nothing does.
type change func() (done bool, beside string)

// shipped are the runbooks of the repository that people read.
func shipped(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../runbooks/*.hcl", "../examples/*/*.hcl"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.hcl") && runbookLine.Match(text) {
				files = append(files, file)
			}
		}
	}
	if len(files) < 30 {
		t.Fatalf("only %d runbooks", len(files))
	}
	return files
}

var (
	runbookLine = regexp.MustCompile(`(?m)^runbook "`)
	oneLine     = regexp.MustCompile(`(?m)^( *)([a-z_]+ "[^"\n]*") \{ (.+) \}$`)
)

// foreign are the providers of others: what they take nobody knows here.
var foreign = regexp.MustCompile(`"filestamp\.`)

// lintText lints a file of a folder with another text in it, and what lies beside.
func lintText(t *testing.T, e *Engine, file, text, beside string) (valid bool, rules []string, said string) {
	t.Helper()
	files := []string{file}
	for name, text := range map[string]string{file: text, filepath.Join(filepath.Dir(file), "beside.hcl"): beside} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if name != file {
			files = append(files, name)
			defer os.Remove(name)
		}
	}
	read, found := e.Lint(t.Context(), files, review.Settings{})
	for _, d := range read.Diagnostics {
		said += fmt.Sprintf("%s: %s\n", diag.ID(d), d.Detail)
	}
	for _, f := range found {
		rules = append(rules, f.Rule.ID)
		said += fmt.Sprintf("%s: %s\n", f.Rule.ID, f.Diagnostic.Detail)
	}
	return len(read.Runbooks) == len(files), rules, said
}

// TestLintAnswersToMutations makes every shipped runbook and example worse in every
// way that is listed, wherever it can be done: the rule has to answer each time.
// Nothing is said of them as they are. Under the race detector it is tried at every
// fifth place; scripts/test tries all once more without it.
func TestLintAnswersToMutations(t *testing.T) {
	caught, total := map[string]int{}, map[string]int{}
	for _, file := range shipped(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if foreign.Match(source) {
			continue
		}
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Dir(file))); err != nil {
			t.Fatal(err)
		}
		copied, e := filepath.Join(dir, filepath.Base(file)), offline(dir)
		text := oneLine.ReplaceAllString(string(source), "$1$2 {\n$1  $3\n$1}")
		if _, rules, said := lintText(t, e, copied, text, ""); len(rules) > 0 || said != "" {
			t.Errorf("%s: as it is, lint says:\n%s", file, said)
			continue
		}
		for _, m := range mutations() {
			for i := 0; ; i++ {
				parsed, diags := hclwrite.ParseConfig([]byte(text), file, hcl.InitialPos)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				sites := m.sites(parsed.Body())
				if i >= len(sites) {
					break
				}
				if underRace && i%5 != 0 {
					continue
				}
				done, beside := sites[i]()
				if !done {
					continue
				}
				worse := string(hclwrite.Format(parsed.Bytes()))
				valid, rules, said := lintText(t, e, copied, worse, beside)
				if !valid {
					continue // validate answers, before any rule
				}
				total[m.name]++
				if slices.Contains(rules, m.rule) {
					caught[m.name]++
				} else {
					t.Errorf("%s, %s, site %d: %s does not answer; said:\n%s\n%s", file, m.name, i, m.rule, said, cmp.Diff(text, worse))
				}
			}
		}
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "mutation\trule\tcaught/total")
	for _, m := range mutations() {
		fmt.Fprintf(w, "%s\t%s\t%d/%d\n", m.name, m.rule, caught[m.name], total[m.name])
		if total[m.name] == 0 && !underRace {
			t.Errorf("%s is never tried", m.name)
		}
	}
	w.Flush()
	t.Log("\n" + table.String())
}

// Every rule has a mutation that it must answer to.
func TestEveryRuleHasAMutation(t *testing.T) {
	tried := map[string]bool{}
	for _, m := range mutations() {
		tried[m.rule] = true
	}
	for _, rule := range review.Rules() {
		if !tried[rule.ID] {
			t.Errorf("%s: no mutation", rule.ID)
		}
	}
}
