package eval_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

const asserting = `
runbook "test" {}
variable "limit" {
  default = 600
}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
check "c" {
  probe "x.y" {}
  assert  = %s
  message = %s
}
`

func scopeOf(t testing.TB, rb *runbook.Runbook, values eval.Values) *eval.Scope {
	t.Helper()
	vars, diags := eval.Variables(rb, eval.Sources{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return eval.New(rb, vars, eval.Run{ID: "r1"}, values)
}

func rows(vs ...cty.Value) cty.Value {
	if len(vs) == 0 {
		return obj("rows", cty.EmptyTupleVal)
	}
	return obj("rows", cty.TupleVal(vs))
}

func TestCondition(t *testing.T) {
	row := obj("age", cty.NumberIntVal(90000), "gone", cty.NullVal(cty.Number), "later", cty.UnknownVal(cty.Number), "nobody", cty.NullVal(cty.Bool))
	tests := []struct {
		assert string
		result cty.Value
		want   eval.Truth
		why    string
	}{
		{"result.rows[0].age < var.limit", rows(row), eval.False, ""},
		{"result.rows[0].age > var.limit", rows(row), eval.True, ""},
		{"result.rows[0].later > var.limit", rows(row), eval.Unknown, ""},
		{"result.rows[0].age < var.limit", rows(), eval.Unknown, "cannot_evaluate: result.rows is empty, so there is no result.rows[0]."},
		{"result.rows[3].age < var.limit", rows(row), eval.Unknown, "cannot_evaluate: result.rows has one element, so there is no result.rows[3]; the first is [0]."},
		{"result.rows[0].agee < var.limit", rows(row), eval.Unknown, `cannot_evaluate: result.rows[0] has no "agee"; it has age, gone, later, nobody. Did you mean "age"?`},
		{"result.rows[0].gone.x == 1", rows(row), eval.Unknown, "cannot_evaluate: result.rows[0].gone is null, so there is no result.rows[0].gone.x."},
		{"result.rows[0].gone < var.limit", rows(row), eval.Unknown, "cannot_evaluate: Error during operation: argument must not be null."},
		{"result.rows[0].nobody", rows(row), eval.Unknown, "no_answer: The condition is null. What it looks at is not there."},
		{"result.rows[0].nobody && true", rows(row), eval.Unknown, "no_answer: This side is null, which is neither true nor false. What it looks at is not there."},
		{"result.rows[0].nobody && false", rows(row), eval.False, ""},
		{"result.rows[0].nobody || false", rows(row), eval.Unknown, "no_answer: This side is null, which is neither true nor false. What it looks at is not there."},
		{"length(result.rows) == 0 || result.rows[0].age > 1", rows(), eval.True, ""},
		{"length(result.rows) > 0 && result.rows[0].age > 1", rows(), eval.False, ""},
		{`"yes"`, rows(), eval.Unknown, "wrong_type: A bool is needed here, not a string: a bool is required."},
		{"sensitive(true)", rows(), eval.True, ""},
	}
	for _, tt := range tests {
		t.Run(tt.assert, func(t *testing.T) {
			rb := load(t, fmt.Sprintf(asserting, tt.assert, `"m"`))
			got, diags := scopeOf(t, rb, nil).Condition(context.Background(), rb.Checks["c"].Assert, eval.Extra{Result: tt.result})
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
			if diff := cmp.Diff(tt.why, said(diags)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func said(diags hcl.Diagnostics) string {
	if len(diags) == 0 {
		return ""
	}
	return diag.ID(diags[0]) + ": " + diags[0].Detail
}

func TestText(t *testing.T) {
	result := obj(
		"age", cty.NumberIntVal(90000), "name", cty.StringVal("bars"), "ok", cty.False, "gone", cty.NullVal(cty.String),
		"later", cty.UnknownVal(cty.String), "list", cty.TupleVal([]cty.Value{cty.StringVal("a"), redact.Mark(cty.StringVal("hunter2"))}),
	)
	tests := []struct{ message, want string }{
		{`"the newest bar is ${result.age}s old, the limit is ${var.limit}s"`, "the newest bar is 90000s old, the limit is 600s"},
		{`"${result.name} ${result.ok} ${result.gone} ${result.later}"`, "bars false null (not known yet)"},
		{`"it is ${var.secret}, or ${upper(var.secret)}"`, "it is (sensitive), or (sensitive)"},
		{`result.list`, `["a", (sensitive)]`},
		{`"${result.list}"`, `["a", (sensitive)]`},
		{`var.secret`, "(sensitive)"},
		{`"plain"`, "plain"},
		{`"%{ if result.ok }good%{ else }bad%{ endif }"`, "bad"},
		{"<<-EOT\n    ${result.name}:\n      old\n  EOT\n", "bars:\n  old\n"},
	}
	for _, tt := range tests {
		t.Run(tt.message, func(t *testing.T) {
			rb := load(t, fmt.Sprintf(asserting, "true", tt.message))
			got, diags := scopeOf(t, rb, nil).Text(context.Background(), rb.Checks["c"].Message, eval.Extra{Result: result})
			if diags.HasErrors() {
				t.Error(diags)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBody(t *testing.T) {
	rb := load(t, `
runbook "test" {}
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
step "a" {
  probe "x.y" {}
}
step "b" {
  action "x.z" {
    port    = "5432"
    names   = ["a", step.a.result.name]
    when    = step.a.finished_at
    options = { deep = true }
    token   = "t"
    secret  = "s-${var.secret}"
  }
}
`)
	object := schema.Object{Attributes: []schema.Attribute{
		{Name: "port", Type: cty.Number, Required: true},
		{Name: "names", Type: cty.List(cty.String), Required: true},
		{Name: "when", Type: cty.String, Required: true},
		{Name: "options", Type: cty.ObjectWithOptionalAttrs(map[string]cty.Type{"deep": cty.Bool, "wide": cty.Number}, []string{"wide"}), Required: true},
		{Name: "token", Type: cty.String, Sensitive: true},
		{Name: "secret", Type: cty.String},
		{Name: "absent", Type: cty.Map(cty.String)},
	}}
	values := facts{"step.a": obj("result", obj("name", cty.UnknownVal(cty.String)), "finished_at", cty.UnknownVal(cty.String))}
	got, diags := scopeOf(t, rb, values).Body(context.Background(), rb.Steps[1].Action.Body, object, eval.Extra{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := obj(
		"port", cty.NumberIntVal(5432),
		"names", cty.ListVal([]cty.Value{cty.StringVal("a"), cty.UnknownVal(cty.String)}),
		"when", cty.UnknownVal(cty.String),
		"options", obj("deep", cty.True, "wide", cty.NullVal(cty.Number)),
		"token", redact.Mark(cty.StringVal("t")),
		"secret", redact.Mark(cty.StringVal("s-hunter2")),
		"absent", cty.NullVal(cty.Map(cty.String)),
	)
	if !got.RawEquals(want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
}

func TestBodyReportsEveryMistake(t *testing.T) {
	rb := load(t, `
runbook "test" {}
step "a" {
  action "x.z" {
    port  = "many"
    host  = null
    extra = 1
  }
}
`)
	object := schema.Object{Attributes: []schema.Attribute{
		{Name: "port", Type: cty.Number, Required: true},
		{Name: "host", Type: cty.String, Required: true, Doc: "The host."},
		{Name: "user", Type: cty.String, Required: true, Doc: "Who."},
	}}
	_, diags := scopeOf(t, rb, nil).Body(context.Background(), rb.Steps[0].Action.Body, object, eval.Extra{})
	var got []string
	for _, d := range diags {
		got = append(got, diag.ID(d)+": "+d.Detail)
	}
	want := []string{
		"wrong_type: A number is needed here, not a string: a number is required.",
		`invalid_argument: The argument "host" is required, and its value is null.`,
		`missing_argument: The argument "user" is required: Who.`,
		`unknown_argument: There is no argument "extra".`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestNoSecretInDiagnostics evaluates what fails with a secret in hand.
func TestNoSecretInDiagnostics(t *testing.T) {
	for _, expr := range []string{
		"tonumber(var.secret)",
		"parseint(var.secret, 10)",
		"jsondecode(var.secret)",
		"{ a = 1 }[var.secret]",
		"{ a = 1 }[upper(var.secret)]",
		"lookup({ a = 1 }, var.secret)",
		"timeadd(var.secret, \"1h\")",
		"duration(var.secret)",
		"formatdate(var.secret, \"2025-01-01T00:00:00Z\")",
		"regex(var.secret, \"x\")",
		"file(var.secret)",
		"templatefile(\"t.tmpl\", { x = var.secret })",
		"var.secret + 1",
		"[1, 2][var.secret]",
		"local.l + 1",
		"format(\"%d\", var.secret)",
		"format(\"%d\", upper(var.secret))",
		"tobool(local.l)",
		"{ for k in [var.secret, var.secret] : k => 1 }",
		"var.object.nope",
		"var.object[\"nope\"]",
		"coalesce(upper(var.secret) + 1)",
	} {
		t.Run(expr, func(t *testing.T) {
			rb := load(t, outputs(expr)+`
variable "secret" {
  default   = "hunter2-%x"
  sensitive = true
}
variable "object" {
  default   = { "hunter2-%x" = 1 }
  sensitive = true
}
locals {
  l = "${var.secret}!"
}
`, "t.tmpl", "${tonumber(x)}")
			_, diags := value(t, rb, nil, eval.Extra{})
			if !diags.HasErrors() {
				t.Fatal("no error")
			}
			for _, d := range diags {
				if text := d.Summary + " " + d.Detail; strings.Contains(strings.ToLower(text), "hunter2") {
					t.Errorf("the secret is in %s", text)
				}
			}
		})
	}
}

// TestConcurrentUse evaluates splats, locals and tries side by side; the race
// detector watches.
func TestConcurrentUse(t *testing.T) {
	rb := load(t, outputs("[for r in local.rows[*].n : try(r + local.one, 0)]")+`
locals {
  one  = 1
  rows = step.a.result.rows
}
step "a" {
  probe "x.y" {}
}
`)
	s := scopeOf(t, rb, facts{"step.a": obj("result", rows(obj("n", cty.NumberIntVal(1)), obj("n", cty.NumberIntVal(2))))})
	want := cty.TupleVal([]cty.Value{cty.NumberIntVal(2), cty.NumberIntVal(3)})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				got, diags := s.Value(context.Background(), rb.Outputs[0].Value, cty.DynamicPseudoType, eval.Extra{})
				if diags.HasErrors() || !got.RawEquals(want) {
					t.Errorf("%#v %s", got, diags)
				}
			}
		})
	}
	wg.Wait()
}

// TestCancelled evaluates nothing long once its context is done.
func TestCancelled(t *testing.T) {
	rb := load(t, outputs("[for i in range(1000) : i]"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, diags := scopeOf(t, rb, nil).Value(ctx, rb.Outputs[0].Value, cty.DynamicPseudoType, eval.Extra{})
	if got := said(diags); got != "too_slow: The evaluation was cut short: context canceled." {
		t.Error(got)
	}
}

// TestFileStaysInside reads nothing outside the runbook's folder.
func TestFileStaysInside(t *testing.T) {
	for _, path := range []string{"../outside.txt", "/etc/hostname", "sub/../../outside.txt", "link.txt", "sub/link/outside.txt", "nowhere.txt", "sub"} {
		t.Run(path, func(t *testing.T) {
			rb := load(t, outputs(fmt.Sprintf("file(%q)", path)), "sub/x.txt", "x")
			link(t, rb.Dir)
			v, diags := value(t, rb, nil, eval.Extra{})
			if !diags.HasErrors() {
				t.Errorf("read %#v", v)
			}
		})
	}
	rb := load(t, outputs(`file("${path.runbook}/sub/x.txt")`), "sub/x.txt", "x")
	if v, diags := value(t, rb, nil, eval.Extra{}); diags.HasErrors() || !v.RawEquals(cty.StringVal("x")) {
		t.Errorf("%#v %s", v, diags)
	}
}
