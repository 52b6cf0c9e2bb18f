package cli

import (
	"github.com/spf13/cobra"
)

// newCmdRuns is `runs`, which lists unless told otherwise.
func newCmdRuns(a *app) *cobra.Command {
	list := newCmdRunsList(a, nil)
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "What ran, who ran it, and what came of it",
		Example: `  runbook runs
  runbook runs show last
  runbook runs verify`,
		GroupID: groupRecord,
		Args:    cobra.NoArgs,
		RunE:    list.RunE,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, newCmdRunsShow(a, nil), newCmdRunsVerify(a, nil))
	return cmd
}
