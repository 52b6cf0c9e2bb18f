package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/providers/schema"
)

type providersShowOptions struct {
	app *app

	name string
	json bool
}

func newCmdProvidersShow(a *app, runF func(*providersShowOptions) error) *cobra.Command {
	opts := &providersShowOptions{app: a}
	cmd := &cobra.Command{
		Use:   "show PROVIDER[.OPERATION]",
		Short: "Show what a provider, or one probe or action of it, takes and gives",
		Example: `  runbook providers show redis
  runbook providers show redis.flushdb`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeOperation,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.name = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runProvidersShow(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.json, "json", false, "write the schema as JSON")
	return cmd
}

func runProvidersShow(opts *providersShowOptions) error {
	a := opts.app
	name, operation, one := strings.Cut(opts.name, ".")
	provider, err := a.providerSchema(name)
	if err != nil {
		return err
	}
	if one {
		if provider, err = only(provider, operation); err != nil {
			return err
		}
	}
	switch {
	case opts.json:
		return ui.WriteProvidersJSON(a.out, []*schema.Provider{provider}, nil)
	case one:
		return ui.WriteOperations(a.out, a.style(a.out), provider, examples(provider.Name))
	}
	return ui.WriteProvider(a.out, a.style(a.out), provider, examples(provider.Name))
}

// only is the provider with nothing but its operations of one name: a probe and
// an action may share it.
func only(provider *schema.Provider, operation string) (*schema.Provider, error) {
	narrow := *provider
	narrow.Operations = nil
	var names []string
	for _, o := range provider.Operations {
		if o.Name == operation {
			narrow.Operations = append(narrow.Operations, o)
		}
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	if len(narrow.Operations) == 0 {
		return nil, advise(fmt.Errorf("%s has no probe or action %q", provider.Name, operation), didYouMean(operation, names))
	}
	return &narrow, nil
}
