package eval_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
)

// TestHostile evaluates what would take hours or all memory: each is an error
// within the bounds.
func TestHostile(t *testing.T) {
	list := "[" + strings.Repeat("1,", 300) + "]"
	doubling := "locals {\n  l0 = \"0123456789\"\n"
	wide := "locals {\n  w0 = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
	for i := 1; i < 10; i++ {
		doubling += fmt.Sprintf("  l%d = \"%s\"\n", i, strings.Repeat(fmt.Sprintf("${local.l%d}", i-1), 10))
		wide += fmt.Sprintf("  w%d = [%s]\n", i, strings.Repeat(fmt.Sprintf("local.w%d,", i-1), 10))
	}
	doubling += "}\n"
	wide += "}\n"
	deep := "locals {\n  d0 = []\n"
	for i := 1; i < 5000; i++ {
		deep += fmt.Sprintf("  d%d = [local.d%d]\n", i, i-1)
	}
	deep += "}\n"
	big := strings.Repeat("x", 5<<20)
	nines := strings.Repeat("9", 5_000_000)
	nested := strings.Repeat("try(nope.x, ", 60) + "1" + strings.Repeat(")", 60)
	nested = strings.ReplaceAll(nested, "nope.x", "[][0]")

	tests := []struct{ name, expr, rest, want string }{ // var.text is rest where that declares nothing
		{"three nested fors", "[for a in local.x : [for b in local.x : [for c in local.x : a + b + c]]]", "locals {\n  x = " + list + "\n}\n", "too_"},
		{"five nested fors", "[for a in local.x : [for b in local.x : [for c in local.x : [for d in local.x : [for e in local.x : 1 if false]]]]]", "locals {\n  x = " + list + "\n}\n", "too_slow"},
		{"for over fors of objects", "{ for a in local.x : a => { for b in local.x : b => { for c in local.x : c => [for d in local.x : d] ... } ... } ... }", "locals {\n  x = " + list + "\n}\n", "too_"},
		{"doubling text", "local.l9", doubling, "too_large"},
		{"doubling lists", "jsonencode(local.w9)", wide, "too_large"},
		{"deep lists", "local.d4999", deep, "too_large"},
		{"text a hundred times", `"` + strings.Repeat("${var.text}", 100) + `"`, big, "too_large"},
		{"nested try", nested, "", "too_slow"},
		{"wide format", `format("%999999999d", 1)`, "", "cannot_evaluate"},
		{"precise format", `format("%.999999999f", 1)`, "", "cannot_evaluate"},
		{"repeated argument", `format("` + strings.Repeat("%[1]s", 1000) + `", var.text)`, big, "cannot_evaluate"},
		{"formatlist", `formatlist("%s", [for i in range(1000) : var.text])`, big, "too_large"},
		{"indent", `indent(2000000000, "a\nb")`, "", "cannot_evaluate"},
		{"join", `join(var.text, [for i in range(1000) : "a"])`, big, "cannot_evaluate"},
		{"replace", `replace(var.text, "x", var.text)`, big, "cannot_evaluate"},
		{"replace by expression", `replace(var.text, "/x/", var.text)`, big, "cannot_evaluate"},
		{"split", `split("", var.text)`, big, "cannot_evaluate"},
		{"regexall", `regexall("", var.text)`, big, "cannot_evaluate"},
		{"setproduct", `setproduct(range(1000), range(1000))`, "", "cannot_evaluate"},
		{"concat", "concat(" + strings.Repeat("local.r, ", 200) + "[])", "locals {\n  r = range(1000)\n}\n", "cannot_evaluate"},
		{"deep JSON", "jsondecode(var.text)", strings.Repeat("[", 8_000_000), "cannot_evaluate"},
		{"many in JSON", "jsondecode(var.text)", "[" + strings.Repeat("0,", 2_000_000) + "0]", "cannot_evaluate"},
		{"digits in JSON", "jsondecode(var.text)", nines, "cannot_evaluate"},
		{"digits", "tonumber(var.text)", nines, "cannot_evaluate"},
		{"digits in arithmetic", "var.text + 1", nines, "wrong_type"},
		{"digits in parseint", "parseint(var.text, 10)", nines, "cannot_evaluate"},
		{"powers", "tostring(" + strings.Repeat("1e999 * ", 20) + "1)", "", "too_large"},
		{"pow", "tostring(pow(10, 1000) * 1)", "", "too_large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, rest := tt.rest, ""
			if strings.HasPrefix(tt.rest, "locals") {
				text, rest = "", tt.rest
			}
			rb := load(t, outputs(tt.expr)+"variable \"text\" {}\n"+rest)
			s := eval.New(rb, map[string]cty.Value{"text": cty.StringVal(text)}, eval.Run{}, nil)
			v, diags := s.Value(context.Background(), rb.Outputs[0].Value, cty.DynamicPseudoType, eval.Extra{})
			if !diags.HasErrors() {
				t.Fatalf("no error, but a %s", v.Type().FriendlyName())
			}
			if id := diag.ID(diags[0]); !strings.HasPrefix(id, tt.want) && id != "too_slow" { // a slow machine meets that bound first
				t.Errorf("got %s: %.200s, want %s", id, diags[0].Detail, tt.want)
			}
		})
	}
}

// TestLongChainOfLocals needs no stack that grows with the chain.
func TestLongChainOfLocals(t *testing.T) {
	var b strings.Builder
	b.WriteString(outputs("local.a19999", "local.s19999") + "step \"x\" {\n  probe \"x.y\" {}\n}\nlocals {\n  a0 = 1\n  s0 = step.x.status\n")
	for i := 1; i < 20_000; i++ {
		fmt.Fprintf(&b, "  a%d = local.a%d\n  s%d = local.s%d\n", i, i-1, i, i-1)
	}
	b.WriteString("}\n")
	rb := load(t, b.String())
	got, diags := value(t, rb, nil, eval.Extra{})
	if diags.HasErrors() || !got.RawEquals(cty.NumberIntVal(1)) {
		t.Errorf("%#v, %s", got, diags)
	}
	rb.Outputs = rb.Outputs[1:]
	got, diags = value(t, rb, facts{"step.x": obj("status", cty.StringVal("done"))}, eval.Extra{})
	if diags.HasErrors() || !got.RawEquals(cty.StringVal("done")) {
		t.Errorf("%#v, %s", got, diags)
	}
}

// TestManyElements works with lists of as many elements as there may be, which
// hclsyntax would compare all with each other on their way into a function, out of
// a conditional, or to the type of an argument.
func TestManyElements(t *testing.T) {
	var list strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&list, "%q,", fmt.Sprint(i))
	}
	rest := "variable \"list\" {\n  type = list(string)\n  default = [" + list.String() + "]\n}\nlocals {\n  list = [" + list.String() + "]\n}\n"
	tests := map[string]int{
		`length(join("", local.list))`:                 88_890,
		`length(sort(local.list))`:                     20_000,
		`length(distinct(local.list))`:                 20_000,
		`length(tolist(local.list))`:                   20_000,
		`length(true ? local.list : [])`:               20_000,
		`length(true ? local.list : ["a", "b"])`:       20_000,
		`length(compact(local.list...))`:               0, // too many arguments
		`length(concat(local.list, local.list))`:       40_000,
		`length(setunion(slice(local.list, 0, 5000)))`: 5000,
		`length(var.list)`:                             20_000,
	}
	exprs := slices.Sorted(maps.Keys(tests))
	rb := load(t, outputs(exprs...)+rest)
	vars, diags := eval.Variables(rb, eval.Sources{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s := eval.New(rb, vars, eval.Run{}, nil)
	for i, expr := range exprs {
		want := tests[expr]
		v, diags := s.Value(context.Background(), rb.Outputs[i].Value, cty.Number, eval.Extra{})
		if want == 0 {
			if !diags.HasErrors() {
				t.Errorf("%s: %#v", expr, v)
			}
			continue
		}
		if diags.HasErrors() || !v.RawEquals(cty.NumberIntVal(int64(want))) {
			t.Errorf("%s: %#v %v, want %d", expr, v, diags, want)
		}
	}
}

// TestSlowEvaluationsAreNotRepeated: a hundred of them do not take a hundred times
// as long, and ordinary ones are evaluated still.
func TestSlowEvaluationsAreNotRepeated(t *testing.T) {
	slow := "[for a in local.x : [for b in local.x : [for c in local.x : 1 if false]]]"
	rb := load(t, outputs(slow, "[for a in local.x : \"${a}\"]")+"locals {\n  x = ["+strings.Repeat("1,", 300)+"]\n}\n")
	s := eval.New(rb, nil, eval.Run{}, nil)
	for range 100 {
		if _, diags := s.Value(context.Background(), rb.Outputs[0].Value, cty.DynamicPseudoType, eval.Extra{}); !diags.HasErrors() || diag.ID(diags[0]) != "too_slow" {
			t.Fatal(diags)
		}
	}
	if _, diags := s.Value(context.Background(), rb.Outputs[1].Value, cty.DynamicPseudoType, eval.Extra{}); diags.HasErrors() {
		t.Error(diags)
	}
}
