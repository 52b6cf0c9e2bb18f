package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine/host"
)

type providersLockOptions struct {
	app *app

	names []string
}

func newCmdProvidersLock(a *app, runF func(*providersLockOptions) error) *cobra.Command {
	opts := &providersLockOptions{app: a}
	cmd := &cobra.Command{
		Use:   "lock PROVIDER...",
		Short: "Pin third-party providers as they are installed now",
		Long: `Pin third-party providers as they are installed now: version, SHA-256 and
schema go into runbook.lock.hcl, and nothing else is started under their name
from then on. Each is run once to ask for its schema: look at what it is first.

A provider NAME is an executable runbook-provider-NAME in .runbook/providers,
in a folder of $RUNBOOK_PROVIDER_PATH, or in PATH.`,
		Example: "  runbook providers lock systemd",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opts.names = args
			if runF != nil {
				return runF(opts)
			}
			return runProvidersLock(opts)
		},
	}
	return cmd
}

func runProvidersLock(opts *providersLockOptions) (err error) {
	a := opts.app
	logger, err := opts.app.logger()
	if err != nil {
		return err
	}
	h := host.New(host.Options{Catalog: catalog(), Dir: ".", Logger: logger})
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx, cancel := a.context()
	defer cancel()
	if err := h.Lock(ctx, opts.names); err != nil {
		return err
	}
	for _, name := range opts.names {
		fmt.Fprintf(a.out, "%s is pinned in %s\n", name, host.LockFileName)
	}
	return nil
}
