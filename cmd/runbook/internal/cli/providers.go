package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/host"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func newCmdProviders(a *app) *cobra.Command {
	list := newCmdProvidersList(a, nil)
	cmd := &cobra.Command{
		Use:   "providers",
		Short: "What each probe and action takes and gives",
		Example: `  runbook providers
  runbook providers show redis.flushdb`,
		GroupID: groupWrite,
		Args:    cobra.NoArgs,
		RunE:    list.RunE,
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list, newCmdProvidersShow(a, nil), newCmdProvidersSchema(a, nil), newCmdProvidersDocs(a, nil),
		newCmdProvidersLock(a, nil))
	return cmd
}

// bundledSchemas are the schemas of the bundled providers, by name. No process
// is started.
func bundledSchemas() []*schema.Provider {
	providers := bundled.Providers()
	var schemas []*schema.Provider
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		schemas = append(schemas, providers[name]().Schema())
	}
	return schemas
}

// thirdParties are the providers of other parties that are installed or pinned,
// and the schemas of those that are pinned. No process is started.
func thirdParties() (pinned []*schema.Provider, others []ui.ThirdParty, err error) {
	h := host.New(host.Options{Catalog: catalog(), Dir: "."})
	defer h.Close() // nothing was started
	found, err := h.ThirdParties()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range found {
		other := ui.ThirdParty{Name: p.Name, Trust: string(p.Trust), Path: p.Path, SHA256: p.SHA256}
		if p.Schema != nil {
			other.Version = p.Schema.Version
			pinned = append(pinned, p.Schema)
		}
		others = append(others, other)
	}
	return pinned, others, nil
}

// examples show the probes and actions of a bundled provider. What is wrong in
// them a test finds.
func examples(provider string) sdk.Examples {
	p := bundled.Providers()[provider]
	if p == nil {
		return sdk.Examples{}
	}
	found, _ := sdk.ReadExamples(p().Examples)
	return found
}

// providerSchema is the schema of a provider, bundled or pinned. No process is
// started.
func (a *app) providerSchema(name string) (*schema.Provider, error) {
	h := host.New(host.Options{Catalog: catalog(), Dir: "."})
	defer h.Close() // nothing was started
	found, err := h.Schema(context.Background(), name)
	var unknown *host.NotFoundError
	if !errors.As(err, &unknown) {
		return found, err
	}
	var names []string
	for _, s := range bundledSchemas() {
		names = append(names, s.Name)
	}
	return nil, advise(fmt.Errorf("there is no provider %q", name), didYouMean(name, names))
}

// didYouMean names the word that was probably meant, or all there are.
func didYouMean(given string, known []string) string {
	if near := diag.Nearest(given, known); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	return fmt.Sprintf("There are: %s.", strings.Join(known, ", "))
}
