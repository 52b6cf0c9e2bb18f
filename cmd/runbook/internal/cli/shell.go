package cli

import (
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine/export"
)

type shellOptions struct {
	app *app

	args   []string
	inputs inputFlags
}

func newCmdShell(a *app, runF func(*shellOptions) error) *cobra.Command {
	opts := &shellOptions{app: a}
	cmd := &cobra.Command{
		Use:   "shell [FILE]",
		Short: "Write the break-glass script of a runbook",
		Long: `Write a bash script that does by hand what the runbook does, for the day that
this program cannot run: the equivalent commands in order, goals and guards as
checks, and a question to a person wherever no command tells or does the same.
Without a terminal such a question ends the script, which then names the guard.

Variables have the values that they have now; secrets are read from the
environment when the script runs and are in neither the script nor a command
line. The script needs bash, jq and the programs that it calls, and ends with
0 done, 1 failed, 3 blocked before anything was changed, 130 interrupted.
No process is started to write it, and no backend is reached.`,
		Example: `  runbook shell sync_recovery.hcl > sync_recovery.sh
  runbook shell sync_recovery.hcl --environment production | shellcheck -`,
		GroupID:           groupWrite,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFile,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args = args
			if runF != nil {
				return runF(opts)
			}
			return runShell(opts)
		},
	}
	opts.inputs.register(cmd.Flags())
	return cmd
}

func runShell(opts *shellOptions) error {
	a := opts.app
	rb, diags, err := a.load(opts.args, nil)
	if err != nil {
		return err
	}
	a.complain(rb, diags)
	ctx, cancel := a.context()
	defer cancel()
	in := opts.inputs
	found, err := export.WriteShell(ctx, a.out, rb, catalog(), export.Inputs{
		Environ: a.environ, Environment: in.environment, VarFiles: in.varFiles, Vars: in.vars,
	})
	switch {
	case err != nil:
		return err
	case found.HasErrors():
		return a.refuse(nil, rb, found)
	case ctx.Err() != nil:
		return ended(exitInterrupted)
	}
	return nil
}
