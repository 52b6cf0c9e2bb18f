package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type approveOptions struct {
	app *app

	run, step string
	note      string
}

func newCmdApprove(a *app, runF func(*approveOptions) error) *cobra.Command {
	opts := &approveOptions{app: a}
	cmd := &cobra.Command{
		Use:   "approve RUN STEP",
		Short: "Let a waiting step of a run go on",
		Long: `Say yes to a step that waits for a person. The answer is kept with the run;
"runbook resume" goes on with it. It covers the resources that the step showed,
and counts up to the step's limit, or where it has none up to a tenth more than
was shown. What has grown beyond that is asked about again.`,
		Example:           `  runbook approve last step.flush --note "agreed with ana, INC-42"`,
		GroupID:           groupRun,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeRunThenStep,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.run, opts.step = args[0], args[1]
			if runF != nil {
				return runF(opts)
			}
			return runApprove(opts)
		},
	}
	cmd.Flags().StringVar(&opts.note, "note", "", "a `WORD` on why, kept in the record")
	return cmd
}

func runApprove(opts *approveOptions) error {
	a := opts.app
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	if err := eng.Approve(ctx, opts.run, opts.step, opts.note); err != nil {
		return err
	}
	fmt.Fprintf(a.errOut, "%s may go on. Next: runbook resume %s\n", opts.step, ui.Quote(opts.run))
	return nil
}
