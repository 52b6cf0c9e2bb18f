package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/export"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// The formats that drawings are written in.
const (
	formatDOT     = "dot"
	formatMermaid = "mermaid"
	formatSVG     = "svg"
)

type graphOptions struct {
	app *app

	args    []string
	inputs  inputFlags
	format  formatFlag
	plan    bool
	offline bool
}

func newCmdGraph(a *app, runF func(*graphOptions) error) *cobra.Command {
	opts := &graphOptions{app: a}
	cmd := &cobra.Command{
		Use:   "graph [FILE]",
		Short: "Draw the steps of a runbook and what each comes after",
		Long: `Draw the steps of a runbook and what each comes after, for Graphviz, for
Mermaid, or as a picture. Thick lines are what a step needs to end well, dashed
ones what it reads the status of, thin ones the written order, as far as it does
not follow from the others. No process is started.

With --plan every step shows what plan decides for it, as a sign and a colour;
this looks at the systems and ends with the exit codes of plan.`,
		Example: `  runbook graph sync_recovery.hcl --format svg > sync_recovery.svg
  runbook graph sync_recovery.hcl | dot -Tpng > sync_recovery.png
  runbook graph sync_recovery.hcl --format mermaid --plan --environment production`,
		GroupID:           groupWrite,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFile,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"environment", "var", "var-file", "offline"} {
				if cmd.Flags().Changed(name) && !opts.plan {
					return advise(fmt.Errorf("--%s says how to plan", name), "Add --plan to draw what plan decides.")
				}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args = args
			if runF != nil {
				return runF(opts)
			}
			return runGraph(opts)
		},
	}
	opts.inputs.register(cmd.Flags())
	opts.format.register(cmd, formatDOT, formatMermaid, formatSVG)
	cmd.Flags().BoolVar(&opts.plan, "plan", false, "show what plan decides for each step")
	cmd.Flags().BoolVar(&opts.offline, "offline", false, "with --plan: start no provider and reach no backend")
	return cmd
}

func runGraph(opts *graphOptions) error {
	a := opts.app
	rb, diags, err := a.load(opts.args, &opts.format)
	if err != nil {
		return err
	}
	var pl *plan.Plan
	if opts.plan {
		var found hcl.Diagnostics
		if pl, found, err = planGraph(opts, rb); err != nil {
			return err
		}
		diags = append(diags, found...)
		if pl == nil || diags.HasErrors() {
			return a.refuse(&opts.format, rb, diags)
		}
	}
	a.complain(rb, diags)
	if err := writeGraph(a.out, export.Draw(rb, pl), opts.format.format); err != nil {
		return err
	}
	if pl == nil {
		return nil
	}
	return endedWith(planCode(pl, false))
}

// planGraph looks at the systems, as plan does.
func planGraph(opts *graphOptions, rb *runbook.Runbook) (*plan.Plan, hcl.Diagnostics, error) {
	a := opts.app
	eng, err := a.engine()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := a.context()
	defer cancel()
	looking := a.looking()
	defer looking.Stop()
	pl, diags := eng.Plan(ctx, rb, opts.inputs.inputs(a), engine.PlanOptions{Offline: opts.offline, Progress: looking.Step})
	if ctx.Err() != nil {
		return nil, nil, ended(exitInterrupted)
	}
	return pl, diags, nil
}

func writeGraph(w io.Writer, drawing *export.Drawing, format string) error {
	switch format {
	case formatDOT:
		return drawing.WriteDOT(w)
	case formatMermaid:
		return drawing.WriteMermaid(w)
	case formatSVG:
		return drawing.WriteSVG(w)
	}
	return errors.New("no drawing is written as " + format)
}
