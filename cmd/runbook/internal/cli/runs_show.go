package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/event"
)

type runsShowOptions struct {
	app *app

	run  string
	json bool
}

func newCmdRunsShow(a *app, runF func(*runsShowOptions) error) *cobra.Command {
	opts := &runsShowOptions{app: a}
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Show the record of a run, as apply showed it",
		Long: `Show the record of a run, as apply showed it, and how it ended.

RUN is an ID, a unique prefix of one, or "last". With --json the events are
written one a line, without the lines that steps logged: the record names the
files that hold them.`,
		Example: `  runbook runs show last
  runbook runs show 20260304-03 --json | jq -r 'select(.type == "observed")'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRun,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.run = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runRunsShow(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.json, "json", false, "write one JSON event a line")
	return cmd
}

func runRunsShow(opts *runsShowOptions) error {
	a := opts.app
	st, err := a.store()
	if err != nil {
		return err
	}
	id, err := st.Resolve(opts.run)
	if err != nil {
		return err
	}
	record, err := st.Events(id)
	if err != nil {
		return err
	}
	shown := a.screen(opts.json)
	logs := newLogReader(st, id)
	defer logs.close()
	var last event.Event
	for e, failed := range record {
		if failed != nil {
			err = failed // what was sound is shown, and then what was not
			break
		}
		if e.Type == event.ActionFinished && !opts.json {
			if err := logs.replay(e, shown); err != nil {
				return err
			}
		}
		if err := shown.Emit(e); err != nil {
			return err
		}
		last = e
	}
	if opts.json || err != nil {
		return err
	}
	summary, err := st.Summary(id)
	if err != nil {
		return err
	}
	if err := logs.rest(shown.recap.Steps(), last, shown); err != nil {
		return err
	}
	report, err := st.Verify(id)
	if err != nil {
		return fmt.Errorf("verify run %s: %w", id, err)
	}
	shown.recap.Ended(summary.Outcome)
	return ui.WriteRecap(a.out, a.style(a.out), shown.recap, report.Seal)
}
