package cli

import (
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type providersListOptions struct {
	app *app

	json bool
}

func newCmdProvidersList(a *app, runF func(*providersListOptions) error) *cobra.Command {
	opts := &providersListOptions{app: a}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the providers: bundled, installed and pinned",
		Long: `List the providers: the bundled ones, and those of other parties that are
installed or pinned in runbook.lock.hcl, with where they are, their SHA-256, and
whether they may be run. None of them is started.`,
		Example: "  runbook providers list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return runProvidersList(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.json, "json", false, "write their schemas as JSON")
	return cmd
}

func runProvidersList(opts *providersListOptions) error {
	a := opts.app
	schemas := bundledSchemas()
	pinned, others, err := thirdParties()
	if err != nil {
		return err
	}
	if opts.json {
		return ui.WriteProvidersJSON(a.out, append(schemas, pinned...), others)
	}
	return ui.WriteProviders(a.out, a.style(a.out), schemas, others)
}
