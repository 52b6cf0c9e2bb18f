package eval_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// greeting is the file that the examples read.
const greeting = "Hello, ${name}."

// Every function does what the reference shows, and takes what it says.
func TestFunctionsDoWhatTheReferenceSays(t *testing.T) {
	table := eval.FunctionTable(t.TempDir())
	for _, family := range runbook.FunctionFamilies() {
		for _, f := range family.Functions {
			t.Run(f.Name, func(t *testing.T) {
				if f.Doc == "" || !strings.Contains(f.Example, f.Name+"(") {
					t.Errorf("%s needs a sentence and an example that calls it", f.Name)
				}
				if diff := cmp.Diff(shown(t, f.Result), shown(t, f.Example)); diff != "" {
					t.Errorf("%s is not %s:\n%s", f.Example, f.Result, diff)
				}
				fixed, open := 0, 0
				for _, p := range strings.Split(f.Takes, ", ") {
					if strings.HasSuffix(p, "…") || strings.HasPrefix(p, "[") {
						open++
					} else {
						fixed++
					}
				}
				spec := table[f.Name]
				if variadic := spec.VarParam() != nil; variadic != (open > 0) || fixed != len(spec.Params()) && (!variadic || fixed < len(spec.Params())) {
					t.Errorf("%s(%s) is said to take %d and more (%t); it takes %d and more (%t)",
						f.Name, f.Takes, fixed, open > 0, len(spec.Params()), variadic)
				}
			})
		}
	}
}

// shown evaluates an expression and writes the value as JSON.
func shown(t *testing.T, expr string) string {
	t.Helper()
	if expr == "(sensitive)" {
		return expr
	}
	v, diags := value(t, load(t, outputs(expr), "greeting.txt", greeting), nil, eval.Extra{})
	if diags.HasErrors() {
		t.Fatalf("%s: %v", expr, diags)
	}
	if redact.IsSensitive(v) {
		return "(sensitive)"
	}
	text, err := ctyjson.Marshal(v, v.Type()) // a set and a list of the same elements read the same
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return string(text)
}
