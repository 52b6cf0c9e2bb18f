package cli

import (
	"github.com/spf13/cobra"
)

// Names of the groups that `runbook help` shows commands in.
const (
	groupRun    = "run"
	groupWrite  = "write"
	groupRecord = "record"
	groupOther  = "other"
)

// newCmdRoot is the whole command tree.
func newCmdRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "runbook",
		Short: "Plan and apply runbooks: operational procedures that look before they act",
		Long: `runbook carries out operational procedures written as HCL files.

It looks at the real systems first, says what it would do and why, does only
what is needed, proves that it worked, and keeps a record that can be resumed
after anything short of a lost disk.`,
		Example: `  runbook plan sync_recovery.hcl
  runbook apply sync_recovery.hcl
  runbook runs show last`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.errOut)
	root.PersistentFlags().BoolVar(&a.noColor, "no-color", false, "write no colours (also: NO_COLOR)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return advise(err, "See "+cmd.CommandPath()+" --help.")
	})
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Look and act:"},
		&cobra.Group{ID: groupWrite, Title: "Write runbooks:"},
		&cobra.Group{ID: groupRecord, Title: "What ran:"},
		&cobra.Group{ID: groupOther, Title: "About this program:"},
	)
	root.AddCommand(
		newCmdPlan(a, nil), newCmdApply(a, nil), newCmdResume(a, nil), newCmdRollback(a, nil), newCmdCancel(a, nil), newCmdApprove(a, nil), newCmdCheck(a, nil),
		newCmdValidate(a, nil), newCmdLint(a, nil), newCmdTest(a, nil), newCmdFmt(a, nil), newCmdGraph(a, nil), newCmdDocs(a, nil), newCmdShell(a, nil), newCmdProviders(a),
		newCmdRuns(a), newCmdLocks(a),
		newCmdVersion(a, nil),
	)
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	adviseArguments(root)
	return root
}
