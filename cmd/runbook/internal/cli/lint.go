package cli

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/review"
)

type lintOptions struct {
	app *app

	paths  []string
	config string
	fix    bool
	format formatFlag
}

func newCmdLint(a *app, runF func(*lintOptions) error) *cobra.Command {
	opts := &lintOptions{app: a}
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIR...]",
		Short: "Review runbooks before they are trusted",
		Long: `Hold runbooks against what a careful reviewer asks: does anything prove that a
step worked, can that proof fail, what takes it back, who has to say yes, what is
never used. docs/lint has a page on each rule. A directory stands for the runbooks
in it, which are also held against each other; without arguments it is the current
one. No process is started and no system is looked at.

The exit code is 1 where a rule of severity error answers, or a file is invalid;
warnings alone end with 0. A comment leaves a finding out, with its reason:

  # runbook:ignore RULE reason

above a block or argument, or at the end of a line. A file runbook.lint.hcl, in the
folder of the runbooks or above it in the repository, sets severities:

  rule "RULE" {
    severity = "error" # or "warning", or "off"
  }`,
		Example: `  runbook lint
  runbook lint sync_recovery.hcl
  runbook lint --fix runbooks/
  runbook lint --format sarif runbooks/ > lint.sarif
  runbook lint --format github runbooks/`,
		GroupID:           groupWrite,
		ValidArgsFunction: completeRunbooks,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.paths = args
			if runF != nil {
				return runF(opts)
			}
			return runLint(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.fix, "fix", false, "mend what can be mended without changing what a runbook does")
	cmd.Flags().StringVar(&opts.config, "config", "", "take the severities from a `FILE` instead of runbook.lint.hcl")
	opts.format.register(cmd, formatText, formatJSON, formatSARIF, formatGitHub)
	return cmd
}

func runLint(opts *lintOptions) error {
	a := opts.app
	paths := opts.paths
	if len(paths) == 0 {
		paths = []string{"."}
	}
	files, err := runbooksOf(paths)
	if err != nil {
		return err
	}
	if opts.config == "" {
		opts.config = review.FindSettings(filepath.Dir(files[0]))
	}
	var settings review.Settings
	if opts.config != "" {
		read, diags := review.ReadSettings(opts.config)
		if diags.HasErrors() {
			return a.writeFindings(opts.format.format, ui.Findings{Sources: sourcesOf(nil, diags), Files: []string{opts.config}, Diagnostics: diags})
		}
		settings = read
	}
	f, found, err := opts.lint(files, settings)
	if err != nil {
		return err
	}
	if fixed := review.Fix(f.Sources, found); opts.fix && len(fixed) > 0 {
		for _, name := range slices.Sorted(maps.Keys(fixed)) {
			if err := replaceFile(name, fixed[name]); err != nil {
				return err
			}
			fmt.Fprintf(a.errOut, "mended %s\n", name)
		}
		if f, _, err = opts.lint(files, settings); err != nil {
			return err
		}
	}
	return a.writeFindings(opts.format.format, f)
}

// lint reads the files and says what was found, by whom.
func (o *lintOptions) lint(files []string, settings review.Settings) (ui.Findings, []review.Finding, error) {
	eng, err := o.app.engine()
	if err != nil {
		return ui.Findings{}, nil, err
	}
	ctx, cancel := o.app.context()
	defer cancel()
	read, found := eng.Lint(ctx, files, settings)
	if ctx.Err() != nil {
		return ui.Findings{}, nil, ended(exitInterrupted)
	}
	f := findings(files, read)
	for _, finding := range found {
		f.Diagnostics = append(f.Diagnostics, finding.Diagnostic)
	}
	return f, found, nil
}
