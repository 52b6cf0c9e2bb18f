package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

type cancelOptions struct {
	app *app

	run  string
	note string
}

func newCmdCancel(a *app, runF func(*cancelOptions) error) *cobra.Command {
	opts := &cancelOptions{app: a}
	cmd := &cobra.Command{
		Use:   "cancel RUN",
		Short: "Give up a run that nobody will go on with",
		Long: `Give up a run that waits, was interrupted, crashed or failed, and that nobody will
go on with: it frees what it holds, and cannot be resumed any more. Nothing is
done, also by always steps: see "runbook rollback" to take back what was.

A run that a process attends is refused: interrupt that process. So is one of
which nobody knows how a step ended, until that is settled.

RUN is an ID, a unique prefix of one, or "last".`,
		Example:           `  runbook cancel last --note "done by hand, INC-42"`,
		GroupID:           groupRun,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRun,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.run = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runCancel(opts)
		},
	}
	cmd.Flags().StringVar(&opts.note, "note", "", "a `WORD` on why, kept in the record")
	return cmd
}

func runCancel(opts *cancelOptions) error {
	a := opts.app
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	id, err := eng.Cancel(ctx, opts.run, opts.note)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.errOut, "Run %s is cancelled: it does not go on, and holds nothing any more.\n", id)
	return nil
}
