package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type approveOptions struct {
	app *app

	run, step string
	note      string
	answers   []string
}

func newCmdApprove(a *app, runF func(*approveOptions) error) *cobra.Command {
	opts := &approveOptions{app: a}
	cmd := &cobra.Command{
		Use:   "approve RUN STEP",
		Short: "Let a waiting step of a run go on",
		Long: `Say yes to a step that waits for a person. The answer is kept with the run;
"runbook resume" goes on with it. It covers the resources that the step showed,
and counts up to the step's limit, or where it has none up to a tenth more than
was shown. What has grown beyond that is asked about again.

A step that asks for values wants each as --answer NAME=VALUE. They are checked
here and kept in the run's record; sensitive ones are taken at a terminal only.`,
		Example: `  runbook approve last step.flush --note "agreed with ana, INC-42"
  runbook approve last step.which_run --answer run_id=manual__2026-01-17`,
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
	cmd.Flags().StringArrayVar(&opts.answers, "answer", nil, "a value that the step asks for: `NAME=VALUE`; may be given again")
	cmd.Flags().StringVar(&opts.note, "note", "", "a `WORD` on why, kept in the record")
	return cmd
}

func runApprove(opts *approveOptions) error {
	a := opts.app
	values, err := parseAnswers(opts.answers)
	if err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	said, err := eng.Approve(ctx, opts.run, opts.step, opts.note, values)
	switch {
	case err != nil:
		return err
	case said.Missing == 1:
		fmt.Fprintf(a.errOut, "The yes to %s is kept: 1 more has to say so.\n", opts.step)
	case said.Missing > 1:
		fmt.Fprintf(a.errOut, "The yes to %s is kept: %d more have to say so.\n", opts.step, said.Missing)
	case said.Attended:
		fmt.Fprintf(a.errOut, "%s may go on, in the process that attends the run. Should that end first: runbook resume %s\n", opts.step, ui.Quote(opts.run))
	default:
		fmt.Fprintf(a.errOut, "%s may go on. Next: runbook resume %s\n", opts.step, ui.Quote(opts.run))
	}
	return nil
}

// parseAnswers reads NAME=VALUE; a value may hold equals signs.
func parseAnswers(given []string) (map[string]string, error) {
	values := make(map[string]string, len(given))
	for _, entry := range given {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, advise(fmt.Errorf("--answer %s is not understood", entry), "It wants a name and a value, such as run_id=manual__2026-01-17.")
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("--answer %s is given twice", name)
		}
		values[name] = value
	}
	return values, nil
}
