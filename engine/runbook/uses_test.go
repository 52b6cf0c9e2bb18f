package runbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// What a step and an output read of results is told, also through locals.
func TestUsesOfResults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.hcl")
	if err := os.WriteFile(file, []byte(`
runbook "x" {}
locals {
  deep = step.a.result.values.token
}
step "a" {
  action "exec.run" {
    argv = ["true"]
  }
  verify "v" {
    assert = self.result.stdout == ""
  }
}
step "b" {
  for_each = ["k"]
  when     = step.a.status == "done"
  action "exec.run" {
    argv = ["echo", local.deep, try(step.a.result["stderr"], ""), step.a.started_at]
  }
}
step "c" {
  action "exec.run" {
    argv = ["echo", jsonencode(step.a.result), try(step.b["k"].result.stdout, ""), jsonencode(step.b)]
  }
}
output "o" {
  value = step.a.result.stdout
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	told := func(uses []runbook.Use) []string {
		var all []string
		for _, u := range uses {
			all = append(all, fmt.Sprint(u.Step.Name, u.Path))
		}
		return all
	}
	want := map[string][]string{
		"a": {"a[stdout]"}, "b": {"a[values token]", "a[stderr]"}, "c": {"a[]", "b[stdout]", "b[]"}, "o": {"a[stdout]"},
	}
	got := map[string][]string{"o": told(rb.Outputs[0].Uses)}
	for _, s := range rb.Steps {
		got[s.Name] = told(s.Uses)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
