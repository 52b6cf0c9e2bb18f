package cli

import (
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type runsListOptions struct {
	app *app

	limit int
	json  bool
}

func newCmdRunsList(a *app, runF func(*runsListOptions) error) *cobra.Command {
	opts := &runsListOptions{app: a}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List runs, newest first",
		Example: `  runbook runs list
  runbook runs list --json | jq -r '.runs[] | select(.outcome == "failed") | .id'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return runRunsList(opts)
		},
	}
	cmd.Flags().IntVar(&opts.limit, "limit", 0, "list at most `N` runs (default: all)")
	cmd.Flags().BoolVar(&opts.json, "json", false, "write JSON")
	return cmd
}

func runRunsList(opts *runsListOptions) error {
	a := opts.app
	st, err := a.store()
	if err != nil {
		return err
	}
	kept, err := st.Runs()
	if err != nil {
		return err
	}
	runs := make([]ui.RunSummary, len(kept))
	for i, run := range kept {
		runs[i] = ui.RunSummary(run)
	}
	if opts.limit > 0 && len(runs) > opts.limit {
		runs = runs[:opts.limit]
	}
	if opts.json {
		return ui.WriteRunsJSON(a.out, runs)
	}
	return ui.WriteRuns(a.out, a.style(a.out), a.zone(), runs)
}
