package export_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/bundled"
)

// What a page quotes of a runbook means there what it means in the file.
func TestPageQuotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.hcl")
	source := `runbook "x" {}
variable "hook" {
  default  = null
  nullable = true
}
check "host" {
  description = "The machine has room"
  probe "core.host" {}
}
step "log" {
  action "core.log" {
    message = "two"
  }
  goal "same" {
    check = check.host
  }
  goal "other" {
    check  = check.host
    assert = anytrue([
      result.ok, # or
      !result.ok,
    ])
  }
}
escalation "lead" {
  after = "15m"
  when  = var.hook != null
  action "http.request" {
    url  = var.hook
    json = {
      text  = run.summary
      run   = { id = run.id } // whose it is
      names = { for name in ["a", "b"] :
        name => name
      }
      inner = {
        many = [
          1,
          2
        ],
      }
    }
  }
}
`
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(page(t, path, bundled.New())) {
		if strings.HasPrefix(line, "- **Done when**") || strings.HasPrefix(line, "- `escalation.") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	want := []string{
		"- **Done when** `same`: The machine has room (`core.host`)",
		"- **Done when** `other` (`core.host`; `anytrue([ result.ok, !result.ok, ])`)",
		"- `escalation.lead`: after 15m, if `var.hook != null`, by " +
			"`http.request { url = var.hook, json = { text = run.summary, run = { id = run.id }, " +
			"names = { for name in [\"a\", \"b\"] : name => name }, inner = { many = [ 1, 2 ], } } }`.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
