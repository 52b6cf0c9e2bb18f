package ui

import (
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

// Findings are what `validate` and `lint` have to say of the files that they read.
type Findings struct {
	Files       []string // all that were read, runbooks and what they include and call
	Runbooks    int      // how many of them were asked for
	Sources     Sources
	Diagnostics hcl.Diagnostics
}

// listed are at most as many as anybody reads; the last of them says that there
// are more.
func (f Findings) listed() hcl.Diagnostics {
	var list diag.List
	list.Add(f.Diagnostics...)
	return list.Diagnostics()
}

// WriteFindings writes findings for people, each with the ID that settings and
// ignores name, and how much was read.
func WriteFindings(w io.Writer, style Style, f Findings) error {
	p := &page{style: style}
	for _, problem := range f.listed() {
		named := *problem
		named.Summary = fmt.Sprintf("%s [%s]", problem.Summary, diag.ID(problem))
		p.diagnostic(f.Sources, &named)
	}
	c := green
	if f.Diagnostics.HasErrors() {
		c = red
	} else if len(f.Diagnostics) > 0 {
		c = yellow
	}
	p.linef("%s", p.paint(c, fmt.Sprintf("%s read, %s: %s.", Plural(len(f.Files), "file"), Plural(f.Runbooks, "runbook"), f.tally())))
	return p.flush(w)
}

func (f Findings) tally() string {
	errs := len(f.Diagnostics.Errs())
	var parts []string
	if errs > 0 {
		parts = append(parts, Plural(errs, "error"))
	}
	if warnings := len(f.Diagnostics) - errs; warnings > 0 {
		parts = append(parts, Plural(warnings, "warning"))
	}
	if len(parts) == 0 {
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}

// WriteFindingsJSON writes findings as one JSON document
// (docs/schemas/report.json).
func WriteFindingsJSON(w io.Writer, f Findings) error {
	return writeJSON(w, struct {
		FormatVersion string       `json:"format_version"`
		OK            bool         `json:"ok"`
		Files         []string     `json:"files"`
		Diagnostics   []Diagnostic `json:"diagnostics"`
	}{FormatVersion, !f.Diagnostics.HasErrors(), append([]string{}, f.Files...), diagnosticsJSON(f.listed())})
}

// WriteFindingsGitHub writes findings as the workflow commands that GitHub turns
// into annotations of a change.
func WriteFindingsGitHub(w io.Writer, f Findings) error {
	p := &page{style: Style{Unicode: true}}
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, problem := range f.listed() {
		command := "error"
		if problem.Severity == hcl.DiagWarning {
			command = "warning"
		}
		place := ""
		if at := problem.Subject; at != nil {
			place = fmt.Sprintf("file=%s,line=%d,endLine=%d,col=%d,", property.Replace(at.Filename), at.Start.Line, at.End.Line, at.Start.Column)
		}
		title := property.Replace(fmt.Sprintf("%s [%s]", problem.Summary, diag.ID(problem)))
		p.linef("::%s %stitle=%s::%s", command, place, title, message.Replace(shorten(problem.Detail, longestDetail)))
	}
	return p.flush(w)
}
