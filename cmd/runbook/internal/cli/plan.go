package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
)

type planOptions struct {
	app *app

	args             []string
	inputs           inputFlags
	format           formatFlag
	offline          bool
	targets          []string
	force            []string
	detailedExitCode bool
	out              string
	validFor         time.Duration
}

func newCmdPlan(a *app, runF func(*planOptions) error) *cobra.Command {
	opts := &planOptions{app: a}
	cmd := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "Look at the systems and say what apply would do",
		Long: `Look at the systems and say what apply would do, and why. A plan changes
nothing.

With --out the plan is kept in a file, with the text of the runbook and all values
that are not sensitive. "runbook apply" of that file asks no more about the plan as
a whole; it looks again first, and stops (exit 6) where more would be done than the
plan shows. Such a plan is good for one run, before it expires.

FILE may be left out where the directory holds one runbook.`,
		Example: `  runbook plan sync_recovery.hcl
  runbook plan sync_recovery.hcl --environment production --var max_age=600
  runbook plan sync_recovery.hcl --json | jq -r .outcome
  runbook plan sync_recovery.hcl --out recovery.plan && runbook apply recovery.plan`,
		GroupID:           groupRun,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFile,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args = args
			if runF != nil {
				return runF(opts)
			}
			return runPlan(opts)
		},
	}
	opts.inputs.register(cmd.Flags())
	opts.format.register(cmd, formatText, formatMarkdown, formatJSON)
	cmd.Flags().BoolVar(&opts.offline, "offline", false, "start no provider and reach no backend: what needs a look is deferred")
	cmd.Flags().StringArrayVar(&opts.targets, "target", nil, "plan only this `STEP` and what comes before it; may be given again")
	cmd.Flags().StringArrayVar(&opts.force, "force", nil, "plan as if this `STEP` were not satisfied; may be given again")
	cmd.Flags().BoolVar(&opts.detailedExitCode, "detailed-exitcode", false, "exit 2 where steps would run")
	cmd.Flags().StringVar(&opts.out, "out", "", "save the plan in a `FILE`, for apply")
	cmd.Flags().DurationVar(&opts.validFor, "valid-for", 24*time.Hour, "with --out: how long the plan may be applied")
	cmd.MarkFlagsMutuallyExclusive("out", "offline")
	a.completeSteps(cmd, "target", "force")
	return cmd
}

func runPlan(opts *planOptions) error {
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
	var saved *plan.Saved
	pl, diags := eng.Plan(ctx, rb, opts.inputs.inputs(a), engine.PlanOptions{
		Offline: opts.offline, Only: opts.targets, Force: opts.force, Progress: looking.Step,
		Out: opts.out, ValidFor: opts.validFor, Saved: func(s *plan.Saved) { saved = s },
	})
	looking.Stop()
	if ctx.Err() != nil {
		return ended(exitInterrupted)
	}
	diags = append(warnings, diags...)
	if pl == nil || diags.HasErrors() {
		return a.refuse(&opts.format, rb, diags)
	}
	if opts.format.isJSON() {
		err = ui.WritePlanJSON(a.out, pl, diags)
	} else {
		a.complain(rb, diags)
		err = a.showPlan(pl, opts.format.format)
	}
	if err != nil {
		return err
	}
	if saved != nil {
		fmt.Fprintf(a.errOut, "Saved as %s, to be applied before %s.\nThe digest of the file is %s.\n", opts.out, saved.ExpiresAt.Format(time.RFC3339), saved.Digest)
	}
	return endedWith(planCode(pl, opts.detailedExitCode))
}

// showPlan writes a plan for people on stdout.
func (a *app) showPlan(pl *plan.Plan, format string) error {
	if format == formatMarkdown {
		return ui.WritePlanMarkdown(a.out, pl)
	}
	return ui.WritePlan(a.out, a.style(a.out), pl)
}

// planCode is the exit code of a plan.
func planCode(pl *plan.Plan, detailed bool) int {
	switch {
	case pl.Outcome == plan.Blocked:
		return exitBlocked
	case pl.Outcome == plan.Changes && detailed:
		return exitChanges
	}
	return exitOK
}
