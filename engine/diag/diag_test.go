package diag_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

func TestDiagnostic(t *testing.T) {
	at := hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 2, Column: 3, Byte: 10}, End: hcl.Pos{Line: 2, Column: 8, Byte: 15}}
	d := diag.Suggest(diag.UnknownArgument.At(at, "A step has no argument %q.", "titel"), "title")
	got := []string{diag.ID(d), d.Summary, d.Detail, diag.Suggestion(d), d.Subject.String()}
	want := []string{"unknown_argument", "Unknown argument", `A step has no argument "titel". Did you mean "title"?`, "title", "a.hcl:2,3-8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if w := diag.UnknownName.WarnAt(at, "x"); w.Severity != hcl.DiagWarning {
		t.Error("WarnAt made no warning")
	}
}

// TestAdopt keeps what hcl put into Extra within reach.
func TestAdopt(t *testing.T) {
	theirs := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid index", Extra: marker("kept")}
	ours := diag.Cycle.New("x")
	diag.Adopt(diag.CannotEvaluate, hcl.Diagnostics{theirs, ours})
	kept, ok := hcl.DiagnosticExtra[marker](theirs)
	got := []any{diag.ID(theirs), diag.ID(ours), kept, ok, diag.ID(&hcl.Diagnostic{})}
	want := []any{"cannot_evaluate", "cycle", marker("kept"), true, "syntax"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type marker string

// A name of megabytes is no slip of the pen, and comparing it would take minutes.
func TestNearestOfAVeryLongName(t *testing.T) {
	long := strings.Repeat("title", 1<<20)
	if got := diag.Nearest(long, []string{"title", long + "s"}) + diag.Nearest("titel", []string{long}); got != "" {
		t.Errorf("%d characters suggested", len(got))
	}
}

func TestNearest(t *testing.T) {
	words := []string{"title", "timeout", "when", "depends_on", "description", "sql", "always"}
	for given, want := range map[string]string{
		"titel": "title", "Title": "title", "tiemout": "timeout", "time_out": "timeout", "depend_on": "depends_on", "dependson": "depends_on",
		"slq": "sql", "wen": "when", "desc": "", "colour": "", "x": "", "": "", "alwasy": "always",
	} {
		if got := diag.Nearest(given, words); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}
