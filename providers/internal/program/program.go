// Package program runs the command line program of a backend, such as git, for
// a bundled provider, and tells how it ended. What the exit code and the output
// mean is left to the provider, which knows the program.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Program is what is started. The zero Log tells nobody.
type Program struct {
	Argv     []string // the program and the arguments that every call has
	Argument string   // the configuration argument that names the program, if any
	Remedy   string   // what to do where it cannot be started
	Env      []string // besides PATH and HOME
	Dir      string   // working directory
	Stdin    string
	Log      func(line string) // gets each line of standard error as it comes
	Cut      string            // what was cut off, as in "cancelled while …"; empty: the program and its first argument
}

// Ended is a program that has ended by itself.
type Ended struct {
	Stdout []byte
	Stderr string // the end of it; user names and passwords in URLs are taken out
	Code   int
}

const (
	mostOutput = 256 << 20 // of standard output; more is a failure
	keptErrors = 64 << 10  // of standard error
)

// Run starts the program and waits for its end. An error means that it could
// not be started (clean), that ctx ended (the program and its children have been
// killed), or that it printed too much; every exit code is an Ended.
func (p Program) Run(ctx context.Context, call *sdk.Call, args ...string) (Ended, error) {
	argv := append(append([]string(nil), p.Argv...), args...)
	cut := p.Cut
	if cut == "" {
		cut = "running " + strings.Join(append([]string{p.Argv[0]}, args[:min(len(args), 1)]...), " ")
	}
	if err := ctx.Err(); err != nil {
		return Ended{}, sdk.Clean(interrupted(ctx, cut))
	}
	cmd := call.Command(ctx, argv...)
	cmd.Env = append(inherited(cmd.Env), p.Env...)
	cmd.Dir = p.Dir
	cmd.Stdin = strings.NewReader(p.Stdin)
	stdout := &bounded{most: mostOutput}
	stderr := &lines{log: p.Log}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		return Ended{}, sdk.Clean(p.cannotStart(err))
	}
	waited := cmd.Wait()
	said := stderr.end()
	switch {
	case ctx.Err() != nil:
		return Ended{}, interrupted(ctx, cut)
	case stdout.over:
		return Ended{}, sdk.Fail("too_much_output", "%s printed more than %d MiB", argv[0], mostOutput>>20)
	}
	ended := Ended{Stdout: stdout.kept.Bytes(), Stderr: said, Code: cmd.ProcessState.ExitCode()}
	if ended.Code < 0 {
		return Ended{}, sdk.Fail("program_died", "%s ended by itself: %v%s", argv[0], waited, last(said))
	}
	return ended, nil
}

// inherited is the environment without what would change what programs print.
func inherited(env []string) []string {
	var kept []string
	for _, pair := range env {
		if !strings.HasPrefix(pair, "LANG=") {
			kept = append(kept, pair)
		}
	}
	return kept
}

func interrupted(ctx context.Context, cut string) *schema.Failure {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f := sdk.Fail("timeout", "no end in time while %s", cut)
		f.Retryable, f.Remedy = true, "see what it waits for, or allow it more time by timeout"
		return f
	}
	return sdk.Fail("cancelled", "cancelled while %s", cut)
}

func (p Program) cannotStart(err error) *schema.Failure {
	f := sdk.Fail("cannot_start", "cannot start %s: %v", p.Argv[0], err)
	if errors.Is(err, exec.ErrNotFound) {
		f.Message = fmt.Sprintf("there is no program %s", p.Argv[0])
	}
	f.Argument, f.Remedy = p.Argument, p.Remedy
	return f
}

// Clean takes user names and passwords out of the URLs in a text.
func Clean(text string) string { return userinfo.ReplaceAllString(text, "$1") }

var userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s'"]*@`)

// Last is the last line of a text that says something, or nothing.
func Last(text string) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(all[len(all)-1])
}

func last(text string) string {
	if line := Last(text); line != "" {
		return ": " + line
	}
	return ""
}

// bounded keeps what is written, up to a number of bytes.
type bounded struct {
	most int
	kept bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > b.most {
		b.over = true
		return 0, io.ErrShortWrite
	}
	return b.kept.Write(p)
}

// lines keeps the end of what is written, and hands on whole lines.
type lines struct {
	log func(string)

	mu   sync.Mutex
	kept []byte
	line []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p...)
	if over := len(l.kept) - keptErrors; over > keptErrors {
		l.kept = append(l.kept[:0], l.kept[over:]...)
	}
	for rest := p; ; {
		at := bytes.IndexAny(rest, "\r\n")
		part := rest
		if at >= 0 {
			part = rest[:at]
		}
		l.line = append(l.line, part[:min(len(part), keptErrors-len(l.line))]...) // of a longer line, its beginning
		if at < 0 {
			return len(p), nil
		}
		l.say(l.line)
		l.line, rest = l.line[:0], rest[at+1:]
	}
}

func (l *lines) say(line []byte) {
	if text := strings.TrimSpace(string(line)); text != "" && l.log != nil {
		l.log(Clean(text))
	}
}

// end hands on what is not a whole line, and is all that was kept.
func (l *lines) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.say(l.line)
	l.line = nil
	return Clean(string(l.kept))
}
