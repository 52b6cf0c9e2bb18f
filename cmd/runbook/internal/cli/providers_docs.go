package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
)

type providersDocsOptions struct {
	app *app

	dir string
}

func newCmdProvidersDocs(a *app, runF func(*providersDocsOptions) error) *cobra.Command {
	opts := &providersDocsOptions{app: a}
	cmd := &cobra.Command{
		Use:     "docs DIR",
		Short:   "Write the reference of every provider as Markdown, a file each",
		Example: "  runbook providers docs docs/providers",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opts.dir = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runProvidersDocs(opts)
		},
	}
	return cmd
}

func runProvidersDocs(opts *providersDocsOptions) error {
	if err := os.MkdirAll(opts.dir, 0o755); err != nil {
		return fmt.Errorf("write the reference: %w", err)
	}
	for _, provider := range bundledSchemas() {
		var page bytes.Buffer
		if err := ui.WriteProviderMarkdown(&page, provider, examples(provider.Name)); err != nil {
			return err
		}
		path := filepath.Join(opts.dir, provider.Name+".md")
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write the reference: %w", err)
		}
		fmt.Fprintln(opts.app.out, path)
	}
	return nil
}
