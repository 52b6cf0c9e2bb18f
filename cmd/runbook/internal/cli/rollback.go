package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/plan"
)

type rollbackOptions struct {
	app *app

	run           string
	flags         applyFlags
	resolve       []string
	acceptChanges bool
}

func newCmdRollback(a *app, runF func(*rollbackOptions) error) *cobra.Command {
	opts := &rollbackOptions{app: a}
	cmd := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Take back what a run did",
		Long: `Take back what a run did, by the rollbacks of its steps: look, show what would be
done, ask, look again, and do it, one step at a time. The failed steps come first,
then the others in reverse order of ending. What a step did whose action is known
to have changed nothing is not taken back, nor what had ended before a point of
no return began; what stays is listed.

Where nobody knows how a step ended, that is settled first. Steps of the runbook
that had not run do not run any more, but for always steps.

RUN is an ID, a unique prefix of one, or "last".`,
		Example: `  runbook rollback last
  runbook rollback last --auto-approve --json > events.jsonl`,
		GroupID:           groupRun,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRun,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.run = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runRollback(opts)
		},
	}
	opts.flags.registerShared(cmd)
	registerResolve(cmd, &opts.resolve, &opts.acceptChanges)
	return cmd
}

func runRollback(opts *rollbackOptions) error {
	a := opts.app
	resolve, err := parseResolve(opts.resolve)
	if err := errors.Join(err, opts.flags.onRecord()); err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	shown := a.screen(opts.flags.json)
	if err := a.recall(opts.run, shown); err != nil {
		return err
	}
	defer a.announceInterrupts()()
	back := engine.RollbackOptions{ResumeOptions: engine.ResumeOptions{
		ApplyOptions: opts.flags.options(a, shown), Resolve: resolve, AcceptChanges: opts.acceptChanges, Changed: a.showChanges,
	}}
	var failed error
	back.Foreseen = func(b plan.Backward) {
		switch {
		case !shown.json:
			failed = ui.WriteBackward(a.out, a.style(a.out), b)
		case a.interactive() && !opts.flags.autoApprove: // who is asked is shown what for
			failed = ui.WriteBackward(a.errOut, a.style(a.errOut), b)
		}
	}
	if a.interactive() {
		back.Agree = func(plan.Backward) (bool, error) { return a.confirm(nil) }
	}
	result, diags, err := eng.Rollback(background(), opts.run, back)
	err = errors.Join(failed, err)
	a.complain(nil, diags)
	if diags.HasErrors() {
		return ended(exitFailed)
	}
	if errors.Is(err, engine.ErrNeedsApproval) {
		return advise(errors.New("there is no terminal to ask at"), "Nothing was done. Pass --auto-approve to say yes to it.")
	}
	return a.ended(shown, result, err)
}

// registerResolve registers the flags of what goes on with a run on record.
func registerResolve(cmd *cobra.Command, resolve *[]string, acceptChanges *bool) {
	cmd.Flags().StringArrayVar(resolve, "resolve", nil, "say what a step did that nobody saw end: `STEP=done|retry|fail`; may be given again")
	cmd.Flags().BoolVar(acceptChanges, "accept-changes", false, "go on though the runbook was edited, or a provider is another one; what changed is shown")
}
