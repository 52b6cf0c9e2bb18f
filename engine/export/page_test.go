package export_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/export"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/bundled"
)

func page(t testing.TB, path string, catalog export.Catalog) string {
	t.Helper()
	rb, diags := runbook.Load(path)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var b bytes.Buffer
	diags, err := export.WritePage(t.Context(), &b, rb, catalog)
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	return b.String()
}

// The pages of some examples as people get to read them; those of the shipped
// runbooks are in docs/runbooks.
func TestPages(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join("testdata", "pages"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	for _, example := range []string{
		"examples/04-checks-and-diagnosis/checks_and_diagnosis.hcl", "examples/16-rollback/release.hcl", "examples/17-fallback/fetch.hcl",
		"examples/21-for-each/rollout.hcl", "examples/29-approvals/failover.hcl",
	} {
		name := strings.TrimSuffix(filepath.Base(example), ".hcl") + ".md"
		t.Run(name, func(t *testing.T) {
			got := page(t, example, bundled.New())
			path := filepath.Join(folder, name)
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// Every shipped runbook can be read about, and its author's text stays text.
func TestEveryPage(t *testing.T) {
	catalog := bundled.New()
	for _, file := range shipped(t) {
		text := page(t, file, catalog)
		if !strings.HasPrefix(text, "# ") || !strings.Contains(text, "\n## Steps\n") || strings.Contains(text, "standin") {
			t.Errorf("%s: %.300s", file, text)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.hcl")
	hostile := `<script>x</script> | [a](javascript:x) ` + "```" + ` # *b* _c_ ~d~ &amp;`
	source := strings.ReplaceAll(`runbook "x" {
  title       = "HOSTILE"
  description = "HOSTILE"
  owner       = "HOSTILE"
}
step "s" {
  title       = "HOSTILE"
  description = "HOSTILE"
  precondition "p" {
    assert  = "HOSTILE" != ""
    message = "HOSTILE"
  }
  action "exec.run" { argv = ["echo", "HOSTILE"] }
}
`, "HOSTILE", hostile)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(page(t, path, catalog)) {
		if plain := strings.TrimLeft(line, " "); strings.Contains(plain, "<script>") && !strings.Contains(plain, "```` ") && !strings.HasPrefix(plain, "echo '") {
			t.Errorf("text became markup: %s", line)
		}
	}
}

// A folder of thirty runbooks is to take less than a second.
func BenchmarkThirtyPages(b *testing.B) {
	files := shipped(b)[:30]
	for b.Loop() {
		catalog := bundled.New()
		for _, file := range files {
			page(b, file, catalog)
		}
	}
}
