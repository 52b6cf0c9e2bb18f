package eval_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
)

func environ(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// TestSourcesByStrength gives one variable by every source, one after another
// from the weakest: each is overruled by the next.
func TestSourcesByStrength(t *testing.T) {
	const text = `
runbook "test" {}
variable "x" {
  type    = string
  default = "default"
  env     = "X"
  file    = "x.txt"
}
output "x" {
  value = var.x
}
`
	file := func(v string) string { return "x = \"" + v + "\"\n" }
	env := map[string]string{}
	var files []string
	src := eval.Sources{Environ: environ(env)}
	steps := []struct {
		want string
		give func(dir string)
	}{
		{"default", func(string) {}},
		{"env", func(string) { env["X"] = "env" }},
		{"file", func(string) { files = append(files, "x.txt", "file\n") }},
		{"RUNBOOK_VAR", func(string) { env["RUNBOOK_VAR_x"] = "RUNBOOK_VAR" }},
		{"beside", func(string) { files = append(files, "test.vars.hcl", file("beside")) }},
		{"environment", func(string) {
			files = append(files, "environments/prod.vars.hcl", file("environment"))
			src.Environment = "prod"
		}},
		{"var-file", func(string) {
			files = append(files, "weak.vars.hcl", file("weak"), "strong.vars.hcl", file("var-file"))
		}},
		{"var", func(string) { src.Vars = []string{"x=weak", "x=var"} }},
	}
	for _, step := range steps {
		step.give("")
		t.Run(step.want, func(t *testing.T) {
			rb := load(t, text, files...)
			src := src
			for i := 0; i < len(files); i += 2 {
				if strings.HasPrefix(files[i], "weak") || strings.HasPrefix(files[i], "strong") {
					src.VarFiles = append(src.VarFiles, filepath.Join(rb.Dir, files[i]))
				}
			}
			got, diags := eval.Variables(rb, src)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if v := got["x"]; !v.RawEquals(cty.StringVal(step.want)) {
				t.Errorf("got %#v", v)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	const text = `
runbook "test" {}
variable "n" {
  type = number
}
variable "list" {
  type = list(string)
}
variable "any" {}
variable "object" {
  type = object({
    host = string
    port = optional(number, 5432)
    tls  = optional(bool)
  })
}
variable "secret" {
  type      = string
  sensitive = true
}
variable "null" {
  type     = string
  default  = "fallback"
  nullable = false
}
variable "unused" {}
output "all" {
  value = [var.n, var.list, var.any, var.object, var.secret, var.null]
}
`
	rb := load(t, text, "test.vars.hcl", "null = null\nobject = { host = \"a\" }\n")
	got, diags := eval.Variables(rb, eval.Sources{
		Environ: environ(map[string]string{"RUNBOOK_VAR_secret": "hunter2", "RUNBOOK_VAR_list": `["a", "b"]`}),
		Vars:    []string{"n=5", "any=[1]"},
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := map[string]cty.Value{
		"n":      cty.NumberIntVal(5),
		"list":   cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}),
		"any":    cty.StringVal("[1]"),
		"object": obj("host", cty.StringVal("a"), "port", cty.NumberIntVal(5432), "tls", cty.NullVal(cty.Bool)),
		"secret": redact.Mark(cty.StringVal("hunter2")),
		"null":   cty.StringVal("fallback"),
	}
	if len(got) != len(want) {
		t.Errorf("got %#v", got)
	}
	for name, w := range want {
		if !got[name].RawEquals(w) {
			t.Errorf("%s: got %#v, want %#v", name, got[name], w)
		}
	}
}

// TestVariableMistakes reports all of them together.
func TestVariableMistakes(t *testing.T) {
	const text = `
runbook "test" {}
variable "max_age" {
  type = number
  validation {
    condition = var.max_age > 0
    message   = "max_age must be positive, got ${var.max_age}"
  }
  validation {
    condition = var.max_age < var.most
    message   = "not over ${var.most}!"
  }
}
variable "most" {
  default = 100
}
variable "password" {
  sensitive = true
  env       = "PASSWORD"
  validation {
    condition = length(var.password) > 20
    message   = "${var.password} is too short"
  }
}
variable "needed" {
  env  = "NEEDED"
  file = "needed.txt"
}
variable "hosts" {
  type = list(string)
}
output "all" {
  value = [var.max_age, var.password, var.needed, var.hosts]
}
`
	tests := []struct {
		name string
		src  eval.Sources
		file string
		want []string
	}{
		{
			name: "missing, undeclared, unreadable",
			src: eval.Sources{
				Environment: "prd",
				Vars:        []string{"max_aeg=5", "nonsense", "password=hunter2", "hosts=[\"a\", x]"},
			},
			file: "maxage = 5\nneeded = var.x\n",
			want: []string{
				`undeclared_variable: DIR/test.vars.hcl names the variable "maxage", which the runbook does not declare. Did you mean "max_age"?`,
				`not_constant: A file of variables holds values: write that of "needed" out, without references. Text stands in quotes.`,
				`invalid_variable: There is no environment "prd": no file DIR/environments/prd.vars.hcl. Did you mean "prod"?`,
				`undeclared_variable: --var names the variable "max_aeg", which the runbook does not declare. Did you mean "max_age"?`,
				`invalid_variable: --var takes NAME=VALUE, not "nonsense".`,
				`sensitive_on_command_line: The variable "password" is sensitive, and everybody on this machine can read a command line. Give it by the environment variable PASSWORD, or the environment variable RUNBOOK_VAR_password, or a line password = … in a file for --var-file, in NAME.vars.hcl beside the runbook or in environments/E.vars.hcl.`,
				`invalid_variable: The value of "hosts" from --var cannot be read: There is no variable named "x". A list of string is written as in HCL, such as ["a", "b"] or { key = "value" }.`,
				`missing_variable: The variable "max_age" has no value. Give it by the environment variable RUNBOOK_VAR_max_age, or a line max_age = … in a file for --var-file, in NAME.vars.hcl beside the runbook or in environments/E.vars.hcl, or --var max_age=….`,
			},
		},
		{
			name: "wrong type",
			src:  eval.Sources{Vars: []string{"max_age=old", "needed=x"}, Environ: environ(map[string]string{"PASSWORD": "x"})},
			file: "hosts = 5\n",
			want: []string{
				`invalid_variable: The value of "hosts" from DIR/test.vars.hcl:1 does not fit: a list of string is needed: list of string required, but have number.`,
				`invalid_variable: The value of "max_age" from --var does not fit: a number is needed: a number is required.`,
			},
		},
		{
			name: "validation",
			src:  eval.Sources{Vars: []string{"max_age=-5", "needed=x", "most=-10"}, Environ: environ(map[string]string{"PASSWORD": "hunter2"})},
			file: "hosts = []\n",
			want: []string{
				`invalid_variable: max_age must be positive, got -5. This is the value from --var.`,
				`invalid_variable: not over -10! This is the value from --var.`,
				`invalid_variable: (sensitive) is too short. This is the value from the environment variable PASSWORD.`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rb := load(t, text, "test.vars.hcl", tt.file, "environments/prod.vars.hcl", "")
			_, diags := eval.Variables(rb, tt.src)
			var got []string
			for _, d := range diags {
				got = append(got, strings.ReplaceAll(diag.ID(d)+": "+d.Detail, rb.Dir, "DIR"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
