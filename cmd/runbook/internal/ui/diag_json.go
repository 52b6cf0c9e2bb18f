package ui

import (
	"io"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/plan"
)

// FormatVersion is the version of the JSON documents that are not plans.
const FormatVersion = "1.0"

// Diagnostic is the JSON of one diagnostic.
type Diagnostic struct {
	Severity   string `json:"severity"` // error|warning
	ID         string `json:"id"`       // engine/diag lists them
	Summary    string `json:"summary"`
	Detail     string `json:"detail"`
	Range      *Range `json:"range,omitempty"`
	Suggestion string `json:"suggestion,omitempty"`
}

// Range is where a diagnostic points, lines and columns from 1.
type Range struct {
	File  string   `json:"file"`
	Start Position `json:"start"`
	End   Position `json:"end"`
}

// Position is one place in a file.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Report is what `validate` and `check` found.
type Report struct {
	Diagnostics hcl.Diagnostics
	Checks      []plan.Check // nil: nothing was looked at
}

// OK is true where nothing is wrong and every check holds.
func (r Report) OK() bool {
	for _, check := range r.Checks {
		if check.Holds == nil || !*check.Holds {
			return false
		}
	}
	return !r.Diagnostics.HasErrors()
}

// WriteReportJSON writes a report as one JSON document
// (docs/schemas/report.json).
func WriteReportJSON(w io.Writer, r Report) error {
	return writeJSON(w, struct {
		FormatVersion string       `json:"format_version"`
		OK            bool         `json:"ok"`
		Checks        []plan.Check `json:"checks,omitempty"`
		Diagnostics   []Diagnostic `json:"diagnostics"`
	}{FormatVersion, r.OK(), r.Checks, diagnosticsJSON(r.Diagnostics)})
}

// diagnosticsJSON is never nil: readers get a list.
func diagnosticsJSON(diags hcl.Diagnostics) []Diagnostic {
	list := make([]Diagnostic, 0, len(diags))
	for _, problem := range diags {
		severity := "error"
		if problem.Severity == hcl.DiagWarning {
			severity = "warning"
		}
		d := Diagnostic{
			Severity: severity, ID: diag.ID(problem), Summary: shorten(problem.Summary, longestDetail), Detail: shorten(problem.Detail, longestDetail),
		}
		if mend := diag.Suggestion(problem); len(mend) <= longestDetail { // part of it mends nothing
			d.Suggestion = mend
		}
		if r := problem.Subject; r != nil {
			d.Range = &Range{
				File:  r.Filename,
				Start: Position{r.Start.Line, r.Start.Column},
				End:   Position{r.End.Line, r.End.Column},
			}
		}
		list = append(list, d)
	}
	return list
}
