package cli

import (
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type providersSchemaOptions struct {
	app *app
}

func newCmdProvidersSchema(a *app, runF func(*providersSchemaOptions) error) *cobra.Command {
	opts := &providersSchemaOptions{app: a}
	cmd := &cobra.Command{
		Use:     "schema",
		Short:   "Write the schemas of all providers as JSON, for editors and other tools",
		Example: "  runbook providers schema --json > schemas.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			pinned, others, err := thirdParties()
			if err != nil {
				return err
			}
			return ui.WriteProvidersJSON(opts.app.out, append(bundledSchemas(), pinned...), others)
		},
	}
	cmd.Flags().Bool("json", true, "write JSON, the only form there is")
	return cmd
}
