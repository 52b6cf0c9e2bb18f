package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

type fmtOptions struct {
	app *app

	paths []string
	check bool
	diff  bool
}

func newCmdFmt(a *app, runF func(*fmtOptions) error) *cobra.Command {
	opts := &fmtOptions{app: a}
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR...]",
		Short: "Put HCL files into the usual form",
		Long: `Put HCL files into the usual form and list those that changed. Only blanks are
touched. A directory stands for the .hcl files in it; without arguments it is
the current one; "-" formats standard input to standard output.`,
		Example: `  runbook fmt
  runbook fmt --check runbooks/
  runbook fmt --diff sync_recovery.hcl`,
		GroupID: groupWrite,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, args []string) error {
			opts.paths = args
			if runF != nil {
				return runF(opts)
			}
			return runFmt(opts)
		},
	}
	cmd.Flags().BoolVar(&opts.check, "check", false, "change nothing; exit 1 where a file is not in the usual form")
	cmd.Flags().BoolVar(&opts.diff, "diff", false, "change nothing; show what would change")
	return cmd
}

func runFmt(opts *fmtOptions) error {
	if slices.Equal(opts.paths, []string{"-"}) {
		return opts.formatInput()
	}
	files, err := hclFiles(opts.paths)
	if err != nil {
		return err
	}
	changed, broken := 0, false
	for _, file := range files {
		differs, err := opts.formatFile(file)
		if err != nil {
			opts.app.fail(err)
			broken = true
		}
		if differs {
			changed++
		}
	}
	if broken || opts.check && changed > 0 {
		return ended(exitFailed)
	}
	return nil
}

// hclFiles are the files that paths stand for, in order.
func hclFiles(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("cannot format %s: %w", path, reason(err))
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(path, "*.hcl"))
		if err != nil {
			return nil, fmt.Errorf("format %s: %w", path, err)
		}
		files = append(files, inside...)
	}
	return files, nil
}

// reason is why a file could not be had, without its path and the system call.
func reason(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

func (o *fmtOptions) formatInput() error {
	source, err := io.ReadAll(o.app.in)
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	formatted, err := o.format("standard input", source)
	if err != nil {
		return err
	}
	_, err = o.app.out.Write(formatted)
	return err
}

// formatFile says whether the file was not in the usual form.
func (o *fmtOptions) formatFile(path string) (differs bool, err error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("cannot format %s: %w", path, reason(err))
	}
	formatted, err := o.format(path, source)
	if err != nil || bytes.Equal(source, formatted) {
		return false, err
	}
	if o.diff {
		_, err = o.app.out.Write(diff.Diff(path, source, path+" (formatted)", formatted))
		return true, err
	}
	fmt.Fprintln(o.app.out, path)
	if o.check {
		return true, nil
	}
	return true, replaceFile(path, formatted)
}

// format leaves a file alone that does not parse: its author's next mistake is
// not ours to move about.
func (o *fmtOptions) format(name string, source []byte) ([]byte, error) {
	diags := runbook.Scan(name, source)
	if !diags.HasErrors() { // deep nesting would end the parser's process
		_, found := hclsyntax.ParseConfig(source, name, hcl.InitialPos)
		diags = append(diags, found...)
	}
	if diags.HasErrors() {
		if strings.HasSuffix(name, ".vars.hcl") { // its lines may hold secrets
			for _, d := range diags {
				diag.WithholdSource(d)
			}
		}
		o.app.complain(nil, diags)
		return nil, fmt.Errorf("%s is not formatted: %s", name, tally(diags))
	}
	return hclwrite.Format(source), nil
}

// replaceFile writes a file at once or not at all, and keeps its mode. A link
// is followed, so that it stays one.
func replaceFile(path string, data []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(temporary.Name())
	if _, err = temporary.Write(data); err == nil {
		err = temporary.Chmod(info.Mode().Perm())
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
