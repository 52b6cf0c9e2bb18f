package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/store"
)

type runsVerifyOptions struct {
	app *app

	runs []string
	seal string
}

func newCmdRunsVerify(a *app, runF func(*runsVerifyOptions) error) *cobra.Command {
	opts := &runsVerifyOptions{app: a}
	cmd := &cobra.Command{
		Use:   "verify [RUN...]",
		Short: "Check that records are what was written",
		Long: `Check every seal of the records of runs, and the logs and results that they name;
without RUN, of all runs. Whoever holds only the files could have written them anew:
--seal compares with a seal that was kept elsewhere.`,
		Example: `  runbook runs verify
  runbook runs verify last --seal 5b1f…`,
		ValidArgsFunction: a.completeRun,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.runs = args
			if runF != nil {
				return runF(opts)
			}
			return runRunsVerify(opts)
		},
	}
	cmd.Flags().StringVar(&opts.seal, "seal", "", "a `SEAL` that the record of the one RUN must hold")
	return cmd
}

func runRunsVerify(opts *runsVerifyOptions) error {
	a := opts.app
	st, err := a.store()
	if err != nil {
		return err
	}
	if opts.seal != "" && len(opts.runs) != 1 {
		return advise(errors.New("--seal belongs to one run"), "Name the RUN whose record must hold it.")
	}
	ids, err := resolveRuns(st, opts.runs)
	if err != nil {
		return err
	}
	style, sound := a.style(a.out), true
	for _, id := range ids {
		check := verifyRun(st, id, opts.seal)
		sound = sound && check.Err == nil
		if err := ui.WriteVerification(a.out, style, check); err != nil {
			return err
		}
	}
	if !sound {
		return ended(exitFailed)
	}
	return nil
}

// resolveRuns are the IDs that refs name; without any, those of all runs.
func resolveRuns(st *store.Store, refs []string) ([]string, error) {
	var ids []string
	for _, ref := range refs {
		id, err := st.Resolve(ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(refs) > 0 {
		return ids, nil
	}
	runs, err := st.Runs()
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		ids = append(ids, run.ID)
	}
	return ids, nil
}

func verifyRun(st *store.Store, id, seal string) ui.Verification {
	var kept []string
	if seal != "" {
		kept = append(kept, seal)
	}
	report, err := st.Verify(id, kept...)
	logs, results := 0, 0
	if err == nil {
		logs, results, err = st.VerifyFiles(id)
	}
	return ui.Verification{
		Run: id, Records: report.Records, Groups: report.Groups, Logs: logs, Results: results,
		Seal: report.Seal, Torn: report.Torn, Err: err,
	}
}
