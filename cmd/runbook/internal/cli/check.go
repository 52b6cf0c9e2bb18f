package cli

import (
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type checkOptions struct {
	app *app

	args   []string
	names  []string
	inputs inputFlags
	format formatFlag
}

func newCmdCheck(a *app, runF func(*checkOptions) error) *cobra.Command {
	opts := &checkOptions{app: a}
	cmd := &cobra.Command{
		Use:   "check FILE [NAME...]",
		Short: "Look whether a runbook's checks hold",
		Long: `Look whether the named checks of a runbook hold; without names, all that it
declares or uses. Checks only read. The exit code is 1 where one does not hold
or could not be looked at.

FILE may be left out where the directory holds one runbook.`,
		Example: `  runbook check sync_recovery.hcl
  runbook check sync_recovery.hcl bars registry
  runbook check --json sync_recovery.hcl | jq '.checks[] | select(.holds | not)'`,
		GroupID:           groupRun,
		ValidArgsFunction: a.completeChecks,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args, opts.names = splitFile(args)
			if runF != nil {
				return runF(opts)
			}
			return runCheck(opts)
		},
	}
	opts.inputs.register(cmd.Flags())
	opts.format.register(cmd, formatText, formatJSON)
	return cmd
}

// splitFile takes a leading FILE off args: a first argument that is a file.
// Whatever else stands first is taken for a file too, so that a mistyped one is
// told of, unless the directory's one runbook makes it a name.
func splitFile(args []string) (file, names []string) {
	if len(args) == 0 {
		return nil, nil
	}
	if files, err := runbooksIn("."); !isFile(args[0]) && err == nil && len(files) == 1 {
		return nil, args
	}
	return args[:1], args[1:]
}

func runCheck(opts *checkOptions) error {
	a := opts.app
	rb, warnings, err := a.load(opts.args, &opts.format)
	if err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	looking := a.looking()
	defer looking.Stop()
	checks, diags := eng.Check(ctx, rb, opts.names, opts.inputs.inputs(a))
	looking.Stop()
	if ctx.Err() != nil {
		return ended(exitInterrupted)
	}
	report := ui.Report{Diagnostics: append(warnings, diags...), Checks: checks}
	if report.Diagnostics.HasErrors() {
		return a.refuse(&opts.format, rb, report.Diagnostics)
	}
	if opts.format.isJSON() {
		err = ui.WriteReportJSON(a.out, report)
	} else {
		a.complain(rb, report.Diagnostics)
		err = ui.WriteChecks(a.out, a.style(a.out), checks)
	}
	if err == nil && !report.OK() {
		return ended(exitFailed)
	}
	return err
}
