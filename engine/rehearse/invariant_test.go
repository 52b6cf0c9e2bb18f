package rehearse_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/diag"
)

// Every mistake in an invariant is told at once, with its place.
func TestMistakesInInvariants(t *testing.T) {
	const text = `
invariant "a" {
  assert = step.stp.acted
}
invariant "a" {
  assert  = step.stop.actd && fault.stpe == "" && cals["fake.set"] == 1
  mesage  = "x"
}
invariant "b" {
  assert = calls["fake.sett"] == 1 && lenght("x") == 1 && step.delete.goal.gon.holds
}
invariant "c" {
  message = "${run.outcom} ${var.none} ${result.ok}"
}
invariant {
  assert = step == null
}
test "x" {
  invariant "b" { assert = true }
  expect { outcome = "succeeded" }
}
`
	want := []string{
		"3 unknown_name", "5 duplicate",
		"6 unknown_name", "6 invalid_reference", "6 unknown_name", "7 unknown_argument",
		"10 unknown_operation", "10 unknown_function", "10 unknown_name",
		"12 missing_argument", "13 unknown_name", "13 unknown_name", "13 unknown_name",
		"15 invalid_label", "16 invalid_reference",
		"19 duplicate",
	}
	_, diags := loadedWith(t, strings.Replace(writers, "ALWAYS", "", 1), text)
	var got []string
	for _, d := range diags {
		got = append(got, fmt.Sprintf("%d %s", d.Subject.Start.Line, diag.ID(d)))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, diags)
	}
}
