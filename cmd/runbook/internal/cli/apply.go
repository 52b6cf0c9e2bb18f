package cli

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
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
		Use:   "apply [FILE|PLAN]",
		Short: "Plan, ask, and do what is needed",
		Long: `Plan, show the plan, ask, and do what is needed; prove that it worked, and keep
a record of it.

Away from a terminal there is nobody to ask: --auto-approve then stands for the
yes to the plan. Steps that destroy still wait for a person (exit 4); "runbook
approve" lets them go on.

PLAN is what "runbook plan --out" saved. It is not asked about as a whole: it is
looked at again, and done where that would do no more than the plan shows; else
nothing is done (exit 6).

The first interrupt (Ctrl-C) starts nothing new and lets what runs finish; the
second cancels what runs. FILE may be left out where the directory holds one
runbook.`,
		Example: `  runbook apply sync_recovery.hcl
  runbook apply sync_recovery.hcl --auto-approve --json > events.jsonl
  runbook apply sync_recovery.hcl --auto-approve --approve step.flush
  runbook apply recovery.plan`,
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
	if opts.flags.parallelism < 0 {
		return fmt.Errorf("--parallelism %d: it is how many actions run at once, 1 or more", opts.flags.parallelism)
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	saved, err := savedPlan(eng, opts)
	if err != nil {
		return err
	}
	var rb *runbook.Runbook
	var warnings hcl.Diagnostics
	if saved != nil {
		rb, warnings, err = a.loadSaved(eng, saved)
	} else {
		rb, warnings, err = a.load(opts.args, nil)
	}
	if err != nil {
		return err
	}
	a.complain(rb, warnings)
	shown := a.screen(opts.flags.json)
	defer a.announceInterrupts()()
	applying := opts.flags.options(a, shown)
	applying.Only = opts.targets
	planned := a.showPlanning(&applying, shown)
	if err := a.sayWhereKept(eng, rb, &applying, shown); err != nil {
		return err
	}
	var result engine.Result
	var diags hcl.Diagnostics
	if saved != nil {
		result, diags, err = eng.ApplySaved(background(), rb, saved, applying)
	} else {
		result, diags, err = eng.Apply(background(), rb, applying)
	}
	err = errors.Join(planned(), err)
	a.complain(rb, diags)
	if diags.HasErrors() {
		return ended(exitFailed)
	}
	return a.ended(shown, result, err)
}

// savedPlan is the saved plan that apply was given; nil: it was not.
func savedPlan(eng *engine.Engine, opts *applyOptions) (*plan.Saved, error) {
	if len(opts.args) == 0 {
		return nil, nil
	}
	saved, err := eng.ReadSaved(opts.args[0])
	if saved == nil || err != nil {
		return nil, err
	}
	for flag, given := range map[string]bool{
		"--target": len(opts.targets) > 0, "--force": len(opts.flags.force) > 0, "--var": len(opts.flags.inputs.vars) > 0,
		"--var-file": len(opts.flags.inputs.varFiles) > 0, "--environment": opts.flags.inputs.environment != "",
	} {
		if given {
			return nil, advise(fmt.Errorf("%s cannot be given with a saved plan", flag), "It is part of the plan: plan again with it. Sensitive values come from the environment or from their files.")
		}
	}
	return saved, nil
}

// loadSaved loads the runbook of a saved plan.
func (a *app) loadSaved(eng *engine.Engine, saved *plan.Saved) (*runbook.Runbook, hcl.Diagnostics, error) {
	ctx, cancel := a.context()
	defer cancel()
	rb, diags, err := eng.Saved(ctx, saved)
	if err != nil {
		return nil, nil, err
	}
	if rb == nil || diags.HasErrors() {
		return nil, nil, a.refuse(nil, rb, diags)
	}
	return rb, diags, nil
}

// ended shows how a run ended and returns what sets the exit code.
func (a *app) ended(shown *screen, result engine.Result, err error) error {
	if err := shown.close(result); err != nil {
		return err
	}
	shown.sayHowToReach(result, err)
	switch {
	case errors.Is(err, engine.ErrNeedsApproval):
		return advise(errors.New("there is no terminal to ask at, and the plan changes something"),
			"Nothing was done. Pass --auto-approve to say yes to it.")
	case errors.Is(err, engine.ErrOver):
		fmt.Fprintf(a.errOut, "Run %s has succeeded: there is nothing to resume.\n", result.Run)
		return nil
	case errors.Is(err, engine.ErrBack):
		return advise(fmt.Errorf("run %s was rolled back", result.Run), "It does not go on: start over with `runbook apply`.")
	case err != nil:
		return err
	case result.Outcome == engine.Declined:
		fmt.Fprintln(a.errOut, "Nothing was done.")
	case result.AsWanted:
		return nil
	}
	return endedWith(outcomeCode(result.Outcome))
}
