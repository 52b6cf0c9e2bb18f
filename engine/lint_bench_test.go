package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/runbook-engine/runbook/engine/review"
)

// BenchmarkLintFolder reads and reviews a folder of 30 runbooks of 20 steps, which
// share a file.
func BenchmarkLintFolder(b *testing.B) {
	dir := b.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return file
	}
	write("stack.hcl", `provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
}

check "database" {
  probe "postgres.ready" {}
}
`)
	var files []string
	for i := range 30 {
		text := fmt.Sprintf("runbook \"r%d\" {\n  include = [\"stack.hcl\"]\n  labels  = { schedule = \"%d * * * *\" }\n}\n", i, i)
		for j := range 20 {
			text += fmt.Sprintf(`
step "s%d" {
  precondition "database" { check = check.database }
  action "exec.run" {
    script  = "psql -c 'VACUUM bars' && sleep 5"
    effects = [{ resource = "postgres://localhost/shop/t%d" }]
  }
  goal "done" {
    probe "postgres.query" {
      sql = "SELECT count(*) AS n FROM t"
    }
    assert = result.rows[0].n > %d
  }
}
`, j, j, j)
		}
		files = append(files, write(fmt.Sprintf("r%d.hcl", i), text))
	}
	for b.Loop() {
		read, found := offline(dir).Lint(b.Context(), files, review.Settings{})
		if read.Diagnostics.HasErrors() || len(read.Files) != 31 || len(found) < 1000 {
			b.Fatalf("%v, %d files, %d findings", read.Diagnostics, len(read.Files), len(found))
		}
	}
}
