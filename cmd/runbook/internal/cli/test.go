package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/rehearse"
)

type testOptions struct {
	app *app

	paths      []string
	run        string
	junit      string
	coverage   bool
	exhaustive bool
	format     formatFlag
}

func newCmdTest(a *app, runF func(*testOptions) error) *cobra.Command {
	opts := &testOptions{app: a}
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Rehearse runbooks against mocks, on virtual time",
		Long: `Run the tests of runbooks: NAME_test.hcl beside NAME.hcl. Each test plans and
applies the runbook by the engine's own code against mocks, on virtual time. No
process is started and no backend is reached, so it is safe on any change that
somebody proposes. docs/testing.md tells how tests are written.

With --exhaustive each test that passes is repeated once for every single thing
that can go wrong in it: an action fails, its outcome stays unknown, a look gets
no answer, a goal never holds, the engine crashes. After each, the run must have
ended properly and every invariant of the file must hold.

A directory stands for all tests below it; without PATH it is the current one.
The exit code is 1 where a test or one of its injections fails.`,
		Example: `  runbook test
  runbook test runbooks/ --run 'stale|flushed'
  runbook test --exhaustive
  runbook test --coverage
  runbook test --junit report.xml sync_recovery_test.hcl`,
		GroupID: groupWrite,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, args []string) error {
			opts.paths = args
			if runF != nil {
				return runF(opts)
			}
			return runTest(opts)
		},
	}
	cmd.Flags().StringVar(&opts.run, "run", "", "only tests whose names match a `REGEXP`")
	cmd.Flags().StringVar(&opts.junit, "junit", "", "write the results as JUnit XML to a `FILE` too")
	cmd.Flags().BoolVar(&opts.exhaustive, "exhaustive", false, "repeat each test for every single thing that can go wrong in it")
	cmd.Flags().BoolVar(&opts.coverage, "coverage", false, "say what can become of each step and no test shows")
	opts.format.register(cmd, formatText, formatJSON)
	return cmd
}

func runTest(opts *testOptions) error {
	a := opts.app
	var only *regexp.Regexp
	if opts.run != "" {
		var err error
		if only, err = regexp.Compile(opts.run); err != nil {
			return fmt.Errorf("--run: %w", err)
		}
	}
	files, err := testFiles(opts.paths)
	if err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	ctx, cancel := a.context()
	defer cancel()
	var results []rehearse.Result
	var covered []rehearse.Coverage
	var diags hcl.Diagnostics
	failed := false
	for _, file := range files {
		before := len(results)
		rb, found := eng.Rehearse(ctx, file, only, rehearse.Options{Exhaustive: opts.exhaustive}, func(r rehearse.Result) {
			results = append(results, r)
			failed = failed || !r.OK()
			if !opts.format.isJSON() {
				_ = ui.WriteTest(a.out, a.style(a.out), r) // a sturdy stream never fails
			}
		})
		if diags = append(diags, found...); !opts.format.isJSON() {
			a.complain(rb, found)
		}
		if ctx.Err() != nil {
			return ended(exitInterrupted)
		}
		if opts.coverage && rb != nil {
			covered = append(covered, rehearse.Cover(rb, results[before:]))
		}
	}
	if only != nil && len(results) == 0 && !diags.HasErrors() {
		return advise(fmt.Errorf("no test matches --run %q", opts.run), "Without --run all of them run.")
	}
	if opts.junit != "" {
		var page bytes.Buffer
		err = errors.Join(ui.WriteJUnit(&page, results, diags), os.WriteFile(opts.junit, page.Bytes(), 0o644))
	}
	if opts.format.isJSON() {
		err = errors.Join(err, ui.WriteTestsJSON(a.out, results, covered, diags))
	} else {
		err = errors.Join(err, ui.WriteTests(a.out, a.style(a.out), results, covered))
	}
	if err == nil && (failed || diags.HasErrors()) {
		return ended(exitFailed)
	}
	return err
}

// testFiles are the files of tests that paths stand for, in order.
func testFiles(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.hcl") && isFile(path) && strings.HasSuffix(path, ".hcl") {
			return nil, advise(fmt.Errorf("%s is no file of tests", path), "Its tests are in "+strings.TrimSuffix(path, ".hcl")+"_test.hcl.")
		}
		err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && name != path && strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			case !entry.IsDir() && strings.HasSuffix(name, "_test.hcl"):
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for tests: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, advise(errors.New("there are no tests here"), "A test of NAME.hcl is in NAME_test.hcl beside it.")
	}
	return files, nil
}
