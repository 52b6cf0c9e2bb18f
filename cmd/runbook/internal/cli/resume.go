package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/event"
)

type resumeOptions struct {
	app *app

	run           string
	flags         applyFlags
	resolve       []string
	acceptChanges bool
}

func newCmdResume(a *app, runF func(*resumeOptions) error) *cobra.Command {
	opts := &resumeOptions{app: a}
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that did not succeed",
		Long: `Go on with a run that failed, was interrupted, crashed, or waits for a person.
What its record says ended well stays so; what nobody saw the end of is settled
by looking; the rest is decided anew. A run that nobody has said yes to yet, such
as one that was blocked at once, is planned and asked about first, as by apply.

RUN is an ID, a unique prefix of one, or "last".`,
		Example: `  runbook resume last
  runbook resume last --resolve step.vacuum=done`,
		GroupID:           groupRun,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeRun,
		RunE: func(_ *cobra.Command, args []string) error {
			opts.run = args[0]
			if runF != nil {
				return runF(opts)
			}
			return runResume(opts)
		},
	}
	opts.flags.register(cmd)
	registerResolve(cmd, &opts.resolve, &opts.acceptChanges)
	return cmd
}

func runResume(opts *resumeOptions) error {
	a := opts.app
	resolve, err := parseResolve(opts.resolve)
	if err := errors.Join(err, opts.flags.onRecord()); err != nil {
		return err
	}
	eng, err := a.engine()
	if err != nil {
		return err
	}
	shown := a.screen(opts.flags.json)
	if err := a.recall(opts.run, shown); err != nil {
		return err
	}
	defer a.announceInterrupts()()
	applying := opts.flags.options(a, shown)
	planned := a.showPlanning(&applying, shown) // where nobody has said yes to the run yet
	result, diags, err := eng.Resume(background(), opts.run, engine.ResumeOptions{
		ApplyOptions: applying, Resolve: resolve, AcceptChanges: opts.acceptChanges, Changed: a.showChanges,
	})
	err = errors.Join(planned(), err)
	a.complain(nil, diags)
	if diags.HasErrors() {
		return ended(exitFailed)
	}
	return a.ended(shown, result, err)
}

// parseResolve reads STEP=WORD. A step's key may hold an equals sign, a word
// never does.
func parseResolve(given []string) (map[string]string, error) {
	resolve := make(map[string]string, len(given))
	for _, entry := range given {
		at := strings.LastIndexByte(entry, '=')
		if at <= 0 {
			return nil, advise(fmt.Errorf("--resolve %s is not understood", entry),
				"It wants a step and what became of it, such as step.vacuum=done, =retry or =fail.")
		}
		resolve[entry[:at]] = entry[at+1:]
	}
	return resolve, nil
}

// recall tells the last screen what became of a run so far, and which of its
// files are gone.
func (a *app) recall(ref string, shown *screen) error {
	st, err := a.store()
	if err != nil {
		return err
	}
	id, err := st.Resolve(ref)
	if err != nil {
		return err
	}
	record, err := st.Events(id)
	if err != nil {
		return err
	}
	var known *event.Start // the last whose files are on record
	for e, err := range record {
		if err != nil {
			return err
		}
		if e.Start != nil && e.Start.Sources != nil {
			known = e.Start
		}
		if err := shown.recap.Emit(e); err != nil {
			return err
		}
	}
	a.missFiles(known)
	return nil
}

// missFiles says which files of a run are not there any more.
func (a *app) missFiles(known *event.Start) {
	if known == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(known.Sources)) {
		path := filepath.FromSlash(name)
		if short, err := filepath.Rel(filepath.Dir(known.File), path); err == nil && known.Dir != "" {
			path = filepath.Join(known.Dir, short) // from wherever we are now
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(a.errOut, "%s is not there any more: put it back. Its text is in the run's record.\n", path)
		}
	}
}

// showChanges shows what was edited since a run was begun.
func (a *app) showChanges(changes []engine.Change) {
	for _, c := range changes {
		fmt.Fprintf(a.errOut, "%s", diff.Diff(c.File+" (on record)", []byte(c.Before), c.File, []byte(c.After)))
	}
}
