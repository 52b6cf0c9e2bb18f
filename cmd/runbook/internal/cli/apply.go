package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
)

type applyOptions struct {
	app *app

	args    []string
	flags   applyFlags
	targets []string
}

func newCmdApply(a *app, runF func(*applyOptions) error) *cobra.Command {
	opts := &applyOptions{app: a}
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Plan, ask, and do what is needed",
		Long: `Plan, show the plan, ask, and do what is needed; prove that it worked, and keep
a record of it.

Away from a terminal there is nobody to ask: --auto-approve then stands for the
yes to the plan. Steps that destroy still wait for a person (exit 4); "runbook
approve" lets them go on.

The first interrupt (Ctrl-C) starts nothing new and lets what runs finish; the
second cancels what runs. FILE may be left out where the directory holds one
runbook.`,
		Example: `  runbook apply sync_recovery.hcl
  runbook apply sync_recovery.hcl --auto-approve --json > events.jsonl
  runbook apply sync_recovery.hcl --auto-approve --approve step.flush`,
		GroupID:           groupRun,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFile,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args = args
			if runF != nil {
				return runF(opts)
			}
			return runApply(opts)
		},
	}
	opts.flags.register(cmd)
	cmd.Flags().StringArrayVar(&opts.targets, "target", nil, "apply only this `STEP` and what comes before it; may be given again")
	a.completeSteps(cmd, "target", "force", "approve")
	return cmd
}

func runApply(opts *applyOptions) error {
	a := opts.app
	rb, warnings, err := a.load(opts.args, nil)
	if err != nil {
		return err
	}
	a.complain(rb, warnings)
	eng, err := a.engine()
	if err != nil {
		return err
	}
	shown := a.screen(opts.flags.json)
	defer a.announceInterrupts()()
	applying := opts.flags.options(a, shown)
	applying.Only = opts.targets
	looking := a.looking()
	applying.Progress = func(step string) { looking.Step(step) }
	var writing error
	applying.Planned = func(pl *plan.Plan) {
		looking.Stop()
		switch {
		case !opts.flags.json:
			writing = ui.WritePlan(a.out, a.style(a.out), pl)
		case applying.Confirm != nil && !applying.AutoApprove: // who is asked is shown what for
			writing = ui.WritePlan(a.errOut, a.style(a.errOut), pl)
		}
	}
	if confirm := applying.Confirm; confirm != nil {
		applying.Confirm = func(pl *plan.Plan) (bool, error) {
			yes, err := confirm(pl)
			looking = a.looking() // after the answer everything is looked at again
			return yes, err
		}
	}
	shown.before = func() { looking.Stop() }
	result, diags, err := eng.Apply(background(), rb, applying)
	looking.Stop()
	a.complain(rb, diags)
	if diags.HasErrors() {
		return ended(exitFailed)
	}
	return a.ended(shown, result, errors.Join(writing, err))
}

// ended shows how a run ended and returns what sets the exit code.
func (a *app) ended(shown *screen, result engine.Result, err error) error {
	if err := shown.close(result); err != nil {
		return err
	}
	switch {
	case errors.Is(err, engine.ErrNeedsApproval):
		return advise(errors.New("there is no terminal to ask at, and the plan changes something"),
			"Nothing was done. Pass --auto-approve to say yes to it.")
	case errors.Is(err, engine.ErrOver):
		fmt.Fprintf(a.errOut, "Run %s has succeeded: there is nothing to resume.\n", result.Run)
		return nil
	case err != nil:
		return err
	case result.Outcome == engine.Declined:
		fmt.Fprintln(a.errOut, "Nothing was done.")
	}
	return endedWith(outcomeCode(result.Outcome))
}
