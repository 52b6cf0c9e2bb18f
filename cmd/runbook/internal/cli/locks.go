package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

func newCmdLocks(a *app) *cobra.Command {
	list := newCmdLocksList(a, nil)
	cmd := &cobra.Command{
		Use:     "locks",
		Short:   "What runs hold against each other",
		Example: "  runbook locks\n  runbook locks release last",
		GroupID: groupRecord,
		Args:    cobra.NoArgs,
		RunE:    list.RunE,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, newCmdLocksRelease(a, nil))
	return cmd
}

type locksListOptions struct {
	app *app

	json bool
}

func newCmdLocksList(a *app, runF func(*locksListOptions) error) *cobra.Command {
	opts := &locksListOptions{app: a}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the locks and the runs that hold them",
		Example: "  runbook locks list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return runLocksList(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.json, "json", false, "write JSON")
	return cmd
}

func runLocksList(opts *locksListOptions) error {
	a := opts.app
	st, err := a.store()
	if err != nil {
		return err
	}
	claims, err := st.List()
	if err != nil {
		return err
	}
	locks := make([]ui.Lock, len(claims))
	for i, c := range claims {
		locks[i] = ui.Lock{
			Run: c.Run, Runbook: c.Runbook, Operator: c.Operator,
			Host: c.Host, PID: c.PID, Since: c.Since, Effects: c.Effects,
		}
	}
	if opts.json {
		return ui.WriteLocksJSON(a.out, locks)
	}
	return ui.WriteLocks(a.out, a.style(a.out), a.zone(), locks)
}

type locksReleaseOptions struct {
	app *app

	run string
}

func newCmdLocksRelease(a *app, runF func(*locksReleaseOptions) error) *cobra.Command {
	opts := &locksReleaseOptions{app: a}
	cmd := &cobra.Command{
		Use:   "release RUN",
		Short: "Free what a run holds that nobody will resume",
		Long: `Free what a run holds. A run keeps its locks while it waits, was interrupted or
crashed, so that nothing else touches what it left half-way: look at it first,
and release only what you will not resume. A run that a process attends is
refused.`,
		Example:           "  runbook locks release last",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRun,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.run = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runLocksRelease(opts)
		},
	}
	return cmd
}

func runLocksRelease(opts *locksReleaseOptions) error {
	a := opts.app
	st, err := a.store()
	if err != nil {
		return err
	}
	id, err := st.Resolve(opts.run)
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	if err := st.ReleaseUnattended(ctx, id); err != nil {
		return err
	}
	fmt.Fprintf(a.errOut, "Run %s holds nothing any more.\n", id)
	return nil
}
