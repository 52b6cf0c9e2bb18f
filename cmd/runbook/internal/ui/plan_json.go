package ui

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// planDocument is the JSON of `plan --json` (docs/schemas/plan.json).
type planDocument struct {
	*plan.Plan
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// WritePlanJSON writes a plan as one JSON document. A plan that could not be
// made is nil: the document then holds the diagnostics alone, with ok false.
func WritePlanJSON(w io.Writer, pl *plan.Plan, diags hcl.Diagnostics) error {
	if pl == nil {
		return WriteReportJSON(w, Report{Diagnostics: diags})
	}
	whole := *pl
	whole.Steps = slices.Clone(pl.Steps)
	for i := range whole.Steps {
		fillLists(&whole.Steps[i])
	}
	if whole.Steps == nil {
		whole.Steps = []plan.Step{}
	}
	return writeJSON(w, planDocument{Plan: &whole, Diagnostics: diagnosticsJSON(diags)})
}

// fillLists makes the lists that readers rely on present: never null.
func fillLists(s *plan.Step) {
	if s.Effects == nil {
		s.Effects = []schema.Effect{}
	}
	for _, list := range []*[]plan.Check{&s.Preconditions, &s.Goals, &s.Verify} {
		if *list == nil {
			*list = []plan.Check{}
		}
	}
}

// writeJSON writes one indented document. Text stays as it is: <, > and & are
// not escaped.
func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}
