// Package cli is the command line: one file per command, each an options
// struct, a newCmdX that parses into it, and a runX that works. It owns the
// standard streams, the signals and the exit codes; what people read is made
// in package ui, and what happens to systems in package engine.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// app is what commands share. What is dear is made when it is first asked for.
type app struct {
	in      io.Reader
	out     *sturdy
	errOut  *sturdy
	environ func(string) (string, bool)
	noColor bool // --no-color

	signals *signals
	answers func() *answers // the one reader of what a person types
	working *engine.Engine  // nil until engine() is called
}

// Main runs the command line and returns the exit code.
func Main(args []string) (code int) {
	sdk.PrivateMemory()
	defer reportPanic(os.Stderr, &code)
	if name, ok := servedProvider(args); ok {
		return serveProvider(name)
	}
	a := &app{
		in: os.Stdin, out: &sturdy{w: os.Stdout}, errOut: &sturdy{w: os.Stderr},
		environ: os.LookupEnv, signals: watchSignals(),
		answers: sync.OnceValue(func() *answers { return readAnswers(os.Stdin) }),
	}
	defer a.signals.stop()
	root := newCmdRoot(a)
	root.SetArgs(args)
	code = a.finish(root.Execute())
	return code
}

// finish says what is left to say and returns the exit code.
func (a *app) finish(err error) int {
	code, say := errorCode(err)
	if say {
		a.fail(err)
	}
	if lost := a.out.err(); lost != nil {
		fmt.Fprintf(a.errOut, "Error: the output is not complete: %v\n", lost)
		code = max(code, exitFailed)
	}
	return code
}

// engine is the one engine of this process.
func (a *app) engine() (*engine.Engine, error) {
	if a.working != nil {
		return a.working, nil
	}
	exe, err := executable()
	if err != nil {
		return nil, err
	}
	logger, err := a.logger()
	if err != nil {
		return nil, err
	}
	storeDir, _ := a.environ("RUNBOOK_STORE")
	a.working = engine.New(engine.Options{
		Catalog: catalog(), Executable: exe, Version: version(),
		StoreDir: storeDir, Logger: logger,
	})
	return a.working, nil
}

// catalog answers for the bundled providers; core has no backend and no
// process.
func catalog() *bundled.Catalog { return bundled.NewCatalog(bundled.Providers(), "core") }

// store is where runs are kept.
func (a *app) store() (*store.Store, error) {
	eng, err := a.engine()
	if err != nil {
		return nil, err
	}
	return eng.Store()
}

// logger writes to stderr from the level that RUNBOOK_LOG names; without it,
// nothing.
func (a *app) logger() (hclog.Logger, error) {
	word, _ := a.environ("RUNBOOK_LOG")
	if word == "" {
		return hclog.NewNullLogger(), nil
	}
	level := hclog.LevelFromString(word)
	if level == hclog.NoLevel {
		return nil, advise(fmt.Errorf("RUNBOOK_LOG=%q is not a level of logging", word),
			"Use trace, debug, info, warn, error or off; or unset it.")
	}
	return hclog.New(&hclog.LoggerOptions{Name: "runbook", Level: level, Output: a.errOut}), nil
}

// context ends with the first interrupt: for commands that only look.
func (a *app) context() (context.Context, context.CancelFunc) { return a.signals.context() }

// style is how a standard stream is written to.
func (a *app) style(stream *sturdy) ui.Style { return ui.Detect(stream.w, a.environ, a.noColor) }

// interactive says whether there is a person to ask: a terminal to read from
// and one to ask on.
func (a *app) interactive() bool {
	_, reads := ui.Terminal(a.in)
	_, shows := ui.Terminal(a.errOut.w)
	return reads && shows
}

// looking starts telling on stderr that a plan is still looking.
func (a *app) looking() *ui.Looking {
	term, _ := a.environ("TERM")
	_, terminal := ui.Terminal(a.errOut.w)
	return ui.StartLooking(a.errOut, a.style(a.errOut), terminal && term != "dumb")
}

// zone is the time zone that people are shown.
func (a *app) zone() *time.Location { return time.Local }

// version is that of the module this binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
