package eval_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// load writes a runbook file and loads it; extra is a list of further files,
// name and text in turn.
func load(t testing.TB, text string, extra ...string) *runbook.Runbook {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "test.hcl")
	files := append([]string{"test.hcl", text}, extra...)
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rb, diags := runbook.Load(file)
	for _, d := range diags {
		if d.Severity == hcl.DiagError { // here, secrets are written out
			t.Errorf("%s: %s %s", d.Subject, diag.ID(d), d.Detail)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return rb
}

// outputs is a runbook whose outputs are the given expressions, named a, b, …
func outputs(exprs ...string) string {
	var b strings.Builder
	b.WriteString("runbook \"test\" {}\n")
	for i, e := range exprs {
		b.WriteString("output \"" + string(rune('a'+i)) + "\" {\n  value = " + e + "\n}\n")
	}
	return b.String()
}

// value evaluates the first output of a runbook.
func value(t testing.TB, rb *runbook.Runbook, values eval.Values, x eval.Extra) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	vars, diags := eval.Variables(rb, eval.Sources{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	run := eval.Run{ID: "r1", StartedAt: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), Operator: "ada", Environment: "prod"}
	s := eval.New(rb, vars, run, values)
	return s.Value(context.Background(), rb.Outputs[0].Value, cty.DynamicPseudoType, x)
}

// facts is a Values of fixed objects.
type facts map[string]cty.Value

func (f facts) Step(name string) cty.Value   { return f["step."+name] }
func (f facts) Status(name string) cty.Value { return f["status."+name] }
func (f facts) Check(name string) cty.Value  { return f["check."+name] }

func obj(pairs ...any) cty.Value {
	m := map[string]cty.Value{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1].(cty.Value)
	}
	return cty.ObjectVal(m)
}

func TestFunctionsAreThoseThatRunbooksMayCall(t *testing.T) {
	want := runbook.Functions()
	var got []string
	for _, name := range want {
		if _, ok := eval.FunctionTable(t.TempDir())[name]; ok {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions that are declared but not there:\n%s", diff)
	}
	if n := len(eval.FunctionTable(t.TempDir())); n != len(want) {
		t.Errorf("%d functions, %d of them declared", n, len(want))
	}
}

func TestValue(t *testing.T) {
	const step = `
step "a" {
  probe "x.y" {}
}
check "c" {
  probe "x.y" {}
}
locals {
  twice = var.n * 2
  rows  = step.a.result.rows
  first = local.rows[0]
}
variable "n" {
  default = 21
}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
`
	known := facts{
		"step.a":  obj("status", cty.StringVal("done"), "result", obj("rows", cty.TupleVal([]cty.Value{cty.NumberIntVal(7)}))),
		"check.c": obj("status", cty.StringVal("fails"), "holds", cty.False, "result", obj("ok", cty.False)),
	}
	tests := []struct {
		expr string
		want cty.Value
	}{
		{`local.twice`, cty.NumberIntVal(42)},
		{`local.first`, cty.NumberIntVal(7)},
		{`step.a.status`, cty.StringVal("done")},
		{`check.c.status`, cty.StringVal("fails")},
		{`"${run.id} ${run.operator} ${run.environment} ${run.started_at}"`, cty.StringVal("r1 ada prod 2026-11-21T10:00:00Z")},
		{`"x${var.secret}"`, redact.Mark(cty.StringVal("xhunter2"))},
		{`try(step.a.result.rows[5], "none")`, cty.StringVal("none")},
		{`try(local.rows[5], "none")`, cty.StringVal("none")},
		{`can(step.a.result.nope)`, cty.False},
		{`[for r in step.a.result.rows : r + 1]`, cty.TupleVal([]cty.Value{cty.NumberIntVal(8)})},
		{`step.a.result.rows[*]`, cty.TupleVal([]cty.Value{cty.NumberIntVal(7)})},
		{`{ for k, v in { a = 1 } : v => k }`, obj("1", cty.StringVal("a"))},
		{`check.c.holds || var.n > 20`, cty.True},
		{`check.c.holds ? "a" : "b"`, cty.StringVal("b")},
		{`"%{ if var.n > 1 }many%{ else }one%{ endif }"`, cty.StringVal("many")},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			got, diags := value(t, load(t, outputs(tt.expr)+step), known, eval.Extra{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if !got.RawEquals(tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
}

func TestFunctions(t *testing.T) {
	tests := []struct {
		expr string
		want cty.Value
	}{
		{`sum([1, 2, 3])`, cty.NumberIntVal(6)},
		{`sum([])`, cty.NumberIntVal(0)},
		{`alltrue([true, true]) && !alltrue([true, false]) && alltrue([])`, cty.True},
		{`anytrue([false, true]) && !anytrue([])`, cty.True},
		{`one([]) == null && one(["a"]) == "a"`, cty.True},
		{`startswith("abc", "ab") && endswith("abc", "bc") && strcontains("abc", "b")`, cty.True},
		{`timecmp("2025-01-01T00:00:00Z", "2025-01-01T01:00:00+01:00")`, cty.NumberIntVal(0)},
		{`timeadd("2025-01-01T00:00:00Z", "90m")`, cty.StringVal("2025-01-01T01:30:00Z")},
		{`coalesce(null, "", "x")`, cty.StringVal("x")},
		{`lookup({ a = 1 }, "b", 2) + lookup({ a = 1 }, "a")`, cty.NumberIntVal(3)},
		{`merge({ a = 1 }, { b = 2 })`, obj("a", cty.NumberIntVal(1), "b", cty.NumberIntVal(2))},
		{`jsondecode("{\"a\": [1, null]}").a[0]`, cty.NumberIntVal(1)},
		{`jsonencode({ a = [1, "b"] })`, cty.StringVal(`{"a":[1,"b"]}`)},
		{`distinct(["b", "a", "b"])`, cty.ListVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a")})},
		{`index(["a", "b"], "b")`, cty.NumberIntVal(1)},
		{`matchkeys(["a", "b"], [1, 2], [2])`, cty.TupleVal([]cty.Value{cty.StringVal("b")})},
		{`transpose({ a = ["x"], b = ["x"] })`, cty.MapVal(map[string]cty.Value{"x": cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")})})},
		{`length("añb") + length([1]) + length({ a = 1 })`, cty.NumberIntVal(5)},
		{`replace("a.b", ".", "-")`, cty.StringVal("a-b")},
		{`replace("a1b2", "/[0-9]/", "#")`, cty.StringVal("a#b#")},
		{`format("%-5s|%03d|100%% 2025", "a", 7)`, cty.StringVal("a    |007|100% 2025")},
		{`duration("1h30m")`, cty.NumberIntVal(5400)},
		{`shellquote("it's $HOME") == "'it'\\''s $HOME'" && shellquote("plain-1.2/x") == "plain-1.2/x" && shellquote("") == "''"`, cty.True},
		{`sqlquote_identifier("a\"b")`, cty.StringVal(`"a""b"`)},
		{`base64decode(base64encode("hé")) == "hé" && urldecode(urlencode("a b&c")) == "a b&c"`, cty.True},
		{`sha256("")`, cty.StringVal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")},
		{`nonsensitive(sensitive("x"))`, cty.StringVal("x")},
		{`sensitive("x")`, redact.Mark(cty.StringVal("x"))},
		{`file("note.txt")`, cty.StringVal("hello\n")},
		{`templatefile("greet.tmpl", { name = "ada", list = ["a", "b"] })`, cty.StringVal("hi ADA: a b \n")},
		{`tonumber("5") + tonumber(5)`, cty.NumberIntVal(10)},
		{`[for s in toset(["b", "a", "b"]) : s]`, cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")})},
		{`setproduct(["a"], ["x", "y"])[1][1]`, cty.StringVal("y")},
		{`dirname("/a/b/c") == "/a/b" && basename("/a/b/c") == "c"`, cty.True},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			rb := load(t, outputs(tt.expr), "note.txt", "hello\n",
				"greet.tmpl", "hi ${upper(name)}: %{ for x in list }${x} %{ endfor }\n")
			got, diags := value(t, rb, nil, eval.Extra{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if !got.RawEquals(tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
}
