package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// What goes on record of a runbook's files holds no secret that is the default
// of a sensitive variable, and is the same for the same files: resume compares it.
func TestSourcesOnRecordHoldNoSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.hcl")
	text := "runbook \"a\" {\n}\n\nvariable \"token\" {\n  type      = string\n  sensitive = true\n  default   = \"hunter2-hunter2\"\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rb, diags := runbook.Load(file)
	if rb == nil || diags.HasErrors() {
		t.Fatal(diags)
	}
	for name, kept := range sources(rb) {
		if strings.Contains(kept, "hunter2") || !strings.Contains(kept, "variable \"token\"") {
			t.Errorf("%s on record:\n%s", name, kept)
		}
		if again := sources(rb)[name]; again != kept {
			t.Errorf("%s on record differs from one time to the next", name)
		}
	}
}
