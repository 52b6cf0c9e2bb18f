package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type validateOptions struct {
	app *app

	args   []string
	format formatFlag
}

func newCmdValidate(a *app, runF func(*validateOptions) error) *cobra.Command {
	opts := &validateOptions{app: a}
	cmd := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "Find every mistake in a runbook without starting anything",
		Long: `Find every mistake in a runbook in one pass: syntax, names, references, types,
and arguments against the schemas of its providers. No process is started and
no backend is reached, so it is safe on a runbook that nobody vouches for.`,
		Example: `  runbook validate sync_recovery.hcl
  runbook validate --json sync_recovery.hcl | jq '.diagnostics[].summary'`,
		GroupID:           groupWrite,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFile,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args = args
			if runF != nil {
				return runF(opts)
			}
			return runValidate(opts)
		},
	}
	opts.format.register(cmd, formatText, formatJSON)
	return cmd
}

func runValidate(opts *validateOptions) error {
	a := opts.app
	rb, diags, err := a.load(opts.args, &opts.format)
	if err != nil {
		return err
	}
	if opts.format.isJSON() {
		return ui.WriteReportJSON(a.out, ui.Report{Diagnostics: diags})
	}
	a.complain(rb, diags)
	verdict := "valid"
	if len(diags) > 0 {
		verdict = "valid, with " + ui.Plural(len(diags), "warning")
	}
	fmt.Fprintf(a.out, "%s is %s: %s.\n", rb.File, verdict, ui.Plural(len(rb.Steps), "step"))
	return nil
}
