package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// runbookBlock is how a file that is a runbook, and not something that runbooks
// include, gives itself away.
var runbookBlock = regexp.MustCompile(`(?m)^[ \t]*runbook[ \t]+"`)

// chooseFile is the FILE that a command works on: the one given, or the one
// runbook of the working directory. Where there are several, a person at a
// terminal may pick one.
func (a *app) chooseFile(args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	files, err := runbooksIn(".")
	if err != nil {
		return "", err
	}
	switch {
	case len(files) == 0:
		return "", advise(errors.New("there is no runbook in this directory"), "Name a FILE, or go to where it lies.")
	case len(files) == 1:
		return files[0], nil
	case a.interactive():
		return a.pick(files)
	}
	return "", advise(fmt.Errorf("there are %d runbooks in this directory", len(files)), "Name one of them: "+strings.Join(files, ", ")+".")
}

// runbooksIn lists the runbooks of a directory by name.
func runbooksIn(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil {
		return nil, fmt.Errorf("look for runbooks: %w", err)
	}
	paths = slices.DeleteFunc(paths, func(path string) bool {
		return strings.HasSuffix(path, "_test.hcl") || !runbookBlock.Match(readSource(path))
	})
	slices.Sort(paths)
	return paths, nil
}

// pick lets a person choose by number or name.
func (a *app) pick(files []string) (string, error) {
	for i, file := range files {
		fmt.Fprintf(a.errOut, "%3d  %s\n", i+1, file)
	}
	ctx, cancel := a.context()
	defer cancel()
	answer, err := a.ask(ctx, nil, "Which runbook?")
	if err != nil {
		return "", err
	}
	if n, bad := strconv.Atoi(answer); bad == nil && n >= 1 && n <= len(files) {
		return files[n-1], nil
	}
	if slices.Contains(files, answer) {
		return answer, nil
	}
	return "", fmt.Errorf("%q is none of these", answer)
}

// load loads and validates the runbook that args name. Where it has errors they
// are said, in the wanted form, and the error only carries the exit code.
func (a *app) load(args []string, format *formatFlag) (*runbook.Runbook, hcl.Diagnostics, error) {
	file, err := a.chooseFile(args)
	if err != nil {
		return nil, nil, a.refuse(format, nil, hcl.Diagnostics{errorDiagnostic(err)})
	}
	eng, err := a.engine()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := a.context()
	defer cancel()
	rb, diags := eng.Validate(ctx, file)
	if diags.HasErrors() {
		return nil, nil, a.refuse(format, rb, diags)
	}
	return rb, diags, nil
}

// isFile says whether there is something at path.
func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
