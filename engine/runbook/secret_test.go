package runbook_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// vault is a provider that takes secrets in its configuration, in a probe and in
// an action.
func vault() *schema.Provider {
	secret := schema.Attribute{Name: "token", Type: cty.DynamicPseudoType, Doc: "x", Sensitive: true}
	args := object(attr("path", cty.String, false), secret)
	return &schema.Provider{Name: "vault", Config: args, Operations: []schema.OperationSchema{
		operation(schema.Probe, "look", args, result()),
		operation(schema.Action, "put", args, result()),
	}}
}

// What is written out where a secret belongs is taken out of the text, also what
// is short, in pieces, or a local on its way there. All else stays.
func TestSecretsInTheTextAreWithheld(t *testing.T) {
	files := map[string]string{
		"main.hcl": `runbook "main" {
}

variable "pin" {
  default   = 123
  sensitive = true
}

variable "shown" {
  default = "shown"
}

locals {
  key   = "hunter2"
  other = "kept"
  made  = sensitive("hunter3")
}

provider "vault" {
  path  = "kept"
  token = local.key
}

check "look" {
  probe "vault.look" {
    token = "a${var.shown}b"
  }
}

step "put" {
  action "vault.put" {
    path  = "kept"
    token = <<-EOT
      first
      second
    EOT
  }
}

step "called" {
  call {
    runbook   = "./called.hcl"
    variables = { secret = "hunter4", plain = "kept" }
  }
}
`,
		"called.hcl": `runbook "called" {
}

variable "secret" {
  sensitive = true
}

variable "plain" {
  default = "kept"
}

step "put" {
  action "vault.put" {
    token = { of = [var.secret, "hunter5"] }
  }
}
`}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	main := filepath.Join(dir, "main.hcl")
	rb, diags := runbook.Load(main)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got := runbook.Public(rb, catalog{"vault": vault()})
	want := map[string]string{
		main: replaced(t, files["main.hcl"], "123", "(sensitive)", `"hunter2"`, `"(sensitive)"`, `"hunter3"`, `"(sensitive)"`,
			`"a${var.shown}b"`, `"(sensitive)${var.shown}(sensitive)"`, `"hunter4"`, `"(sensitive)"`,
			"first\n      second\n", "(sensitive)\n"),
		filepath.Join(dir, "called.hcl"): replaced(t, files["called.hcl"], `"hunter5"`, `"(sensitive)"`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// replaced is the text with each old replaced by the new after it.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(text, pairs[i]) != 1 {
			t.Fatalf("%q is not there once", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}
