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
		Use:     "list",
		Short:   "List the bundled providers",
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
	if opts.json {
		return ui.WriteProvidersJSON(a.out, bundledSchemas())
	}
	return ui.WriteProviders(a.out, a.style(a.out), bundledSchemas())
}
