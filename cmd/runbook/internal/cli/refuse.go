package cli

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// refuse says why a command cannot do what it was asked: on stderr for people,
// or as the one JSON document on stdout. The error it returns carries the exit
// code and nothing to say.
func (a *app) refuse(format *formatFlag, rb *runbook.Runbook, diags hcl.Diagnostics) error {
	if format.isJSON() {
		if err := ui.WriteReportJSON(a.out, ui.Report{Diagnostics: diags}); err != nil {
			return err
		}
		return ended(exitFailed)
	}
	a.complain(rb, diags)
	return ended(exitFailed)
}
