package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/runbook-engine/runbook/engine/clock"
)

// reportPanic turns a panic of ours into a report that can be sent to us. It
// is called deferred, and sets the exit code. What the panic carried is told
// only where the runtime made it: any other value may hold a secret.
func reportPanic(w io.Writer, code *int) {
	value := recover()
	if value == nil {
		return
	}
	*code = exitFailed
	callers := make([]uintptr, 64)
	callers = callers[:runtime.Callers(3, callers)]
	if beside, ok := value.(*clock.Panic); ok {
		value, callers = beside.Value, beside.Callers
	}
	fmt.Fprintln(w, "runbook has a bug and stopped. Runs that were going on are recorded and can be resumed.")
	fmt.Fprintln(w, "Please report this, with the command that you typed:")
	fmt.Fprintln(w)
	if problem, ours := value.(runtime.Error); ours {
		fmt.Fprintf(w, "  panic: %v\n", problem)
	} else {
		fmt.Fprintf(w, "  panic: a %T (not shown: it may hold a secret)\n", value)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(w, "  version: %s, %s, %s/%s\n", info.Main.Version, info.GoVersion, runtime.GOOS, runtime.GOARCH)
	}
	frames := runtime.CallersFrames(callers)
	for {
		frame, more := frames.Next()
		fmt.Fprintf(w, "  at %s (%s:%d)\n", frame.Function, frame.File, frame.Line)
		if !more {
			return
		}
	}
}

// executable is the file that provider processes are started from.
func executable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find our own executable: %w", err)
	}
	return path, nil
}
