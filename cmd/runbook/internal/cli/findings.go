package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
)

// The formats that findings are written in, beside text and JSON.
const (
	formatSARIF  = "sarif"
	formatGitHub = "github"
)

// runbooksOf are the runbooks that paths stand for, in order: a directory stands
// for those in it.
func runbooksOf(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			files = append(files, path) // why it cannot be read is said with its mistakes
			continue
		}
		inside, err := runbooksIn(path)
		if err != nil {
			return nil, err
		}
		if len(inside) == 0 {
			return nil, advise(fmt.Errorf("there is no runbook in %s", path), "Name a FILE, or the folder where it lies.")
		}
		files = append(files, inside...)
	}
	return files, nil
}

// writeFindings writes what was found, and returns the exit code as an error.
func (a *app) writeFindings(format string, f ui.Findings) error {
	var err error
	switch format {
	case formatJSON:
		err = ui.WriteFindingsJSON(a.out, f)
	case formatSARIF:
		err = ui.WriteFindingsSARIF(a.out, version(), f)
	case formatGitHub:
		err = ui.WriteFindingsGitHub(a.out, f)
	default:
		err = ui.WriteFindings(a.out, a.style(a.out), f)
	}
	if err == nil && f.Diagnostics.HasErrors() {
		err = ended(exitFailed)
	}
	return err
}

// findings are what reading has found wrong with files, before any rule.
func findings(files []string, read *engine.Read) ui.Findings {
	f := ui.Findings{Files: read.Files, Runbooks: len(files), Sources: ui.Sources{}, Diagnostics: read.Diagnostics}
	for name, source := range sourcesOf(nil, read.Diagnostics) {
		f.Sources[name] = source
	}
	for name, source := range read.Sources {
		if source != nil {
			f.Sources[name] = source
		}
	}
	return f
}

// completeRunbooks completes arguments that are runbooks or folders of them.
func completeRunbooks(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if strings.HasSuffix(typed, "/") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
}
