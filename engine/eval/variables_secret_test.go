package eval_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
)

// Whatever is wrong with a file of variables, neither its lines nor what a
// diagnostic says of it tell the secrets in it.
func TestFilesOfVariablesAreNotQuoted(t *testing.T) {
	const text = `
runbook "test" {}
variable "secret" {
  type      = string
  sensitive = true
}
variable "pin" {
  type      = number
  sensitive = true
}
output "all" {
  value = [var.secret, var.pin]
}
`
	for name, file := range map[string]string{
		"of another type": `pin = "hunter2"`,
		"no constant":     `secret = hunter2`,
		"mistyped":        `secrte = "hunter2"`,
		"a block":         `secret "hunter2" {}`,
		"an error in it":  `secret = { a = "x" }["hunter2"]`,
		"not closed":      `secret = "hunter2`,
		"of a shell":      `secret = "${x:-hunter2}"`,
		"a directive":     `secret = "%{hunter2}"`,
		"an escape":       `secret = "\hunter2"`,
		"other quotes":    `secret = “hunter2”`,
		"a function":      `secret = hunter2("x")`,
	} {
		t.Run(name, func(t *testing.T) {
			rb := load(t, text, "given.vars.hcl", file+"\n")
			given := filepath.Join(rb.Dir, "given.vars.hcl")
			_, diags := eval.Variables(rb, eval.Sources{VarFiles: []string{given}})
			found := false
			for _, d := range diags {
				if d.Subject != nil && filepath.Base(d.Subject.Filename) == "given.vars.hcl" {
					found = true
					if !diag.SourceWithheld(d) {
						t.Errorf("its line is shown: %v", d)
					}
				}
				if said := d.Summary + d.Detail + diag.Suggestion(d); strings.Contains(said, "hunter") {
					t.Errorf("it is said: %s", said)
				}
			}
			if !found {
				t.Errorf("got %v", diags)
			}
		})
	}
}
