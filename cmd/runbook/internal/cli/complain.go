package cli

import (
	"io"
	"os"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// fail says an error on stderr.
func (a *app) fail(err error) {
	_ = ui.WriteError(a.errOut, a.style(a.errOut), err.Error(), adviceOf(err))
}

// errorDiagnostic is an error as a diagnostic, for the outputs that know only
// those.
func errorDiagnostic(err error) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: err.Error(), Detail: adviceOf(err)}
}

// complain writes diagnostics on stderr. rb may be nil.
func (a *app) complain(rb *runbook.Runbook, diags hcl.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	_ = ui.WriteDiagnostics(a.errOut, a.style(a.errOut), sourcesOf(rb, diags), diags)
}

// largestSource bounds the files that are read to show lines of.
const largestSource = 8 << 20

// sourcesOf is the text of the files that diags point into: the runbook's own,
// and, where it could not be loaded or names others, from the disk.
func sourcesOf(rb *runbook.Runbook, diags hcl.Diagnostics) ui.Sources {
	sources := ui.Sources{}
	if rb != nil {
		for name, text := range rb.Sources {
			sources[name] = text
		}
	}
	for _, diag := range diags {
		if diag.Subject == nil {
			continue
		}
		name := diag.Subject.Filename
		if _, known := sources[name]; !known {
			sources[name] = readSource(name)
		}
	}
	return sources
}

// readSource is a file's text, or nil where it cannot be had.
func readSource(name string) []byte {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > largestSource {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largestSource))
	if err != nil {
		return nil
	}
	return text
}

// tally counts what was wrong: "2 errors, 1 warning".
func tally(diags hcl.Diagnostics) string {
	errs := len(diags.Errs())
	warnings := len(diags) - errs
	text := ui.Plural(errs, "error")
	if warnings > 0 {
		text += ", " + ui.Plural(warnings, "warning")
	}
	return text
}
