package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/export"
	"github.com/runbook-engine/runbook/engine/runbook"
)

type docsOptions struct {
	app *app

	args []string
	out  string
}

func newCmdDocs(a *app, runF func(*docsOptions) error) *cobra.Command {
	opts := &docsOptions{app: a}
	cmd := &cobra.Command{
		Use:   "docs [FILE|DIR]",
		Short: "Write runbooks as Markdown for people",
		Long: `Write a runbook as Markdown for people who will never open HCL: what it is for,
its diagram, and of each step what it does, why, its guards, what it touches, its
way back and the equivalent commands; whom it concerns, and what it tells.

Of a directory every runbook is written, after an index of them; the files are
read side by side. With --out each has a page of its own in that folder, and the
index is README.md. The environment is not read: variables have their defaults,
and secrets their names. No process is started and no backend is reached.`,
		Example: `  runbook docs sync_recovery.hcl > sync_recovery.md
  runbook docs runbooks/ --out docs/runbooks`,
		GroupID:           groupWrite,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeRunbooks,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.args = args
			if runF != nil {
				return runF(opts)
			}
			return runDocs(opts)
		},
	}
	cmd.Flags().StringVar(&opts.out, "out", "", "write a page for each runbook, and README.md, into the folder `DIR`")
	return cmd
}

func runDocs(opts *docsOptions) error {
	a := opts.app
	files, folder, err := opts.files()
	if err != nil {
		return a.refuse(nil, nil, hcl.Diagnostics{errorDiagnostic(err)})
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	read := eng.ValidateAll(ctx, files)
	if f := findings(files, read); len(f.Diagnostics) > 0 {
		_ = ui.WriteDiagnostics(a.errOut, a.style(a.errOut), f.Sources, f.Diagnostics)
		if f.Diagnostics.HasErrors() {
			return ended(exitFailed)
		}
	}
	pages, err := opts.pages(ctx, read.Runbooks)
	if err != nil {
		return err
	}
	if opts.out == "" {
		if folder {
			fmt.Fprint(a.out, export.WriteIndex(read.Runbooks, func(rb *runbook.Runbook) string { return "#" + anchor(rb) }))
		}
		for i, rb := range read.Runbooks {
			if folder {
				fmt.Fprintf(a.out, "<a id=\"%s\"></a>\n\n", anchor(rb))
			}
			fmt.Fprint(a.out, pages[i])
		}
	} else if err := opts.write(read.Runbooks, pages); err != nil {
		return err
	}
	if folder {
		fmt.Fprintf(a.errOut, "%s read, %s written.\n", ui.Plural(len(read.Files), "file"), ui.Plural(len(pages), "page"))
	}
	return nil
}

// files are the runbooks that are asked for, and whether by their folder.
func (o *docsOptions) files() (files []string, folder bool, err error) {
	if len(o.args) == 0 {
		file, err := o.app.chooseFile(nil)
		return []string{file}, false, err
	}
	info, err := os.Stat(o.args[0])
	folder = err == nil && info.IsDir()
	files, err = runbooksOf(o.args)
	return files, folder, err
}

// pages are those of the runbooks, in order.
func (o *docsOptions) pages(ctx context.Context, runbooks []*runbook.Runbook) ([]string, error) {
	shared := catalog()
	pages := make([]string, len(runbooks))
	for i, rb := range runbooks {
		var page bytes.Buffer
		diags, err := export.WritePage(ctx, &page, rb, shared)
		switch {
		case err != nil:
			return nil, err
		case diags.HasErrors():
			return nil, o.app.refuse(nil, rb, diags)
		case ctx.Err() != nil:
			return nil, ended(exitInterrupted)
		}
		pages[i] = page.String()
	}
	return pages, nil
}

// anchor is where in one document the page of a runbook begins.
func anchor(rb *runbook.Runbook) string { return strings.TrimSuffix(pageOf(rb), ".md") }

// pageOf is the file of a runbook's page.
func pageOf(rb *runbook.Runbook) string {
	return strings.TrimSuffix(filepath.Base(rb.File), filepath.Ext(rb.File)) + ".md"
}

// write writes the pages and their index into a folder.
func (o *docsOptions) write(runbooks []*runbook.Runbook, pages []string) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("make the folder of the pages: %w", err)
	}
	index := export.WriteIndex(runbooks, pageOf)
	failed := os.WriteFile(filepath.Join(o.out, "README.md"), []byte(index), 0o644)
	for i, rb := range runbooks {
		failed = errors.Join(failed, os.WriteFile(filepath.Join(o.out, pageOf(rb)), []byte(pages[i]), 0o644))
	}
	return failed
}
