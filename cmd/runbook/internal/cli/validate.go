package cli

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/runbook"
)

type validateOptions struct {
	app *app

	paths  []string
	format formatFlag
}

func newCmdValidate(a *app, runF func(*validateOptions) error) *cobra.Command {
	opts := &validateOptions{app: a}
	cmd := &cobra.Command{
		Use:   "validate [FILE|DIR...]",
		Short: "Find every mistake in a runbook without starting anything",
		Long: `Find every mistake in runbooks in one pass: syntax, names, references, types,
arguments against the schemas of their providers, and expressions that no value of
a variable mends. A directory stands for the runbooks in it. No process is started and no backend is reached, so it is safe on
a runbook that nobody vouches for.`,
		Example: `  runbook validate sync_recovery.hcl
  runbook validate runbooks/
  runbook validate --json sync_recovery.hcl | jq '.diagnostics[].summary'`,
		GroupID:           groupWrite,
		ValidArgsFunction: completeRunbooks,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.paths = args
			if runF != nil {
				return runF(opts)
			}
			return runValidate(opts)
		},
	}
	opts.format.register(cmd, formatText, formatJSON, formatSARIF, formatGitHub)
	return cmd
}

func runValidate(opts *validateOptions) error {
	a := opts.app
	files, err := opts.files()
	if err != nil {
		return a.refuse(&opts.format, nil, hcl.Diagnostics{errorDiagnostic(err)})
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	read := eng.ValidateAll(ctx, files)
	f := findings(files, read)
	if opts.format.format != formatText {
		return a.writeFindings(opts.format.format, f)
	}
	if len(f.Diagnostics) > 0 {
		_ = ui.WriteDiagnostics(a.errOut, a.style(a.errOut), f.Sources, f.Diagnostics)
	}
	for _, rb := range read.Runbooks {
		verdict := "valid"
		if n := warnings(rb, f.Diagnostics); n > 0 {
			verdict = "valid, with " + ui.Plural(n, "warning")
		}
		fmt.Fprintf(a.out, "%s is %s: %s.\n", rb.File, verdict, ui.Plural(len(rb.Steps), "step"))
	}
	if len(files) > 1 {
		fmt.Fprintf(a.out, "%s read, %d of %s valid.\n", ui.Plural(len(read.Files), "file"), len(read.Runbooks), ui.Plural(len(files), "runbook"))
	}
	if f.Diagnostics.HasErrors() {
		return ended(exitFailed)
	}
	return nil
}

// files are those that are asked for: without any, the one of the directory.
func (o *validateOptions) files() ([]string, error) {
	if len(o.paths) > 0 {
		return runbooksOf(o.paths)
	}
	file, err := o.app.chooseFile(nil)
	return []string{file}, err
}

// warnings counts those about the files of a runbook.
func warnings(rb *runbook.Runbook, diags hcl.Diagnostics) int {
	n := 0
	for _, d := range diags {
		if d.Subject != nil && slices.Contains(rb.Files, d.Subject.Filename) {
			n++
		}
	}
	return n
}
