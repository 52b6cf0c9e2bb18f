package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const (
	previewLines = 20                     // how much of a dry run a plan shows
	patience     = 500 * time.Millisecond // how long killed processes may take to vanish
)

func (p *provider) observe(ctx context.Context, args Command, call *sdk.Call) (Output, error) {
	argv, failure := args.argv(call)
	if failure != nil {
		return Output{}, failure
	}
	host, failure := p.host(args)
	if failure != nil {
		return Output{}, failure
	}
	if host != nil {
		return p.observeThere(ctx, host, args, argv)
	}
	return observeHere(ctx, args, argv, call)
}

func observeHere(ctx context.Context, args Command, argv []string, call *sdk.Call) (Output, error) {
	p := start(ctx, call, args, argv, nil)
	defer p.close()
	if p.err == nil {
		// A probe changes nothing: what it has left running goes with it.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	out, err := p.output(ctx)
	if err != nil {
		return Output{}, err
	}
	out.Result = sdk.Result{OK: slices.Contains(args.OKCodes, out.ExitCode), Summary: p.summary(out)}
	return out, nil
}

func (p *provider) act(ctx context.Context, args ActionArgs, call *sdk.Call) (Output, error) {
	argv, failure := args.argv(call)
	if failure != nil {
		return Output{}, sdk.Clean(failure)
	}
	host, failure := p.host(args.Command)
	if failure != nil {
		return Output{}, sdk.Clean(failure)
	}
	if host != nil {
		return p.actThere(ctx, host, args.Command, argv, call)
	}
	return actHere(ctx, args, argv, call)
}

func actHere(ctx context.Context, args ActionArgs, argv []string, call *sdk.Call) (Output, error) {
	p := start(ctx, call, args.Command, argv, call.Stream)
	defer p.close()
	out, err := p.output(ctx)
	if err != nil {
		return out, err
	}
	out.Result = sdk.Result{OK: slices.Contains(args.OKCodes, out.ExitCode), Summary: p.summary(out)}
	if !out.OK {
		return out, sdk.Fail("exit_code", "%s", out.Summary)
	}
	return out, nil
}

func (p *provider) preview(ctx context.Context, args ActionArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	if len(args.DryRun) == 0 {
		return sdk.PreviewResult{}, nil
	}
	dry := args.Command
	dry.Argv, dry.Script, dry.OKCodes = args.DryRun, "", []int{0}
	out, err := p.observe(ctx, dry, call)
	switch {
	case err != nil:
		return sdk.PreviewResult{}, ofDryRun(err)
	case !out.OK:
		return sdk.PreviewResult{}, sdk.Fail("dry_run", "the dry run failed: %s", out.Summary)
	case out.Stdout == "":
		return sdk.PreviewResult{Summary: "the dry run printed nothing"}, nil
	}
	lines := strings.Split(out.Stdout, "\n")
	return sdk.PreviewResult{
		Summary: fmt.Sprintf("the dry run printed %d lines", len(lines)),
		Sample:  lines[:min(len(lines), previewLines)],
	}, nil
}

// ofDryRun is why a dry run told nothing.
func ofDryRun(err error) error {
	var failure *schema.Failure
	if !errors.As(err, &failure) {
		return fmt.Errorf("dry run: %w", err)
	}
	own := *failure
	own.Message = "dry run: " + own.Message
	return &own
}

// program is one that has ended, or never began.
type program struct {
	name           string
	cmd            *sdk.Command
	stdout, stderr *capture
	took           time.Duration
	err            error       // could not start
	waited         error       // what Wait said
	cut            atomic.Bool // ctx ended before the program did
	alive          *os.File    // at its end once no descendant is left
}

// start runs the program to its end. What it says goes to the log too, where
// there is one.
func start(ctx context.Context, call *sdk.Call, args Command, argv []string, log func(stream string) io.Writer) *program {
	p := &program{
		name:   argv[0],
		cmd:    call.Command(ctx, argv...),
		stdout: &capture{limit: outputLimit},
		stderr: &capture{limit: outputLimit},
	}
	if log != nil {
		p.stdout.log, p.stderr.log = log("stdout"), log("stderr")
	}
	p.cmd.Dir = args.Dir
	p.cmd.Stdin = strings.NewReader(args.Stdin)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	for name, value := range args.Env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	stop := p.cmd.Cancel
	p.cmd.Cancel = func() error {
		p.cut.Store(true)
		return stop()
	}
	var held *os.File
	if p.alive, held, p.err = os.Pipe(); p.err != nil {
		return p
	}
	p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, held)
	began := time.Now()
	p.err = p.cmd.Start()
	_ = held.Close()
	if p.err == nil {
		p.waited = p.cmd.Wait()
	}
	p.took = time.Since(began)
	return p
}

// output tells how the program ended. The error of one that could not start is
// clean. After a cut it is certain that nothing goes on only once nothing holds
// the program's output any more: a descendant may have left its process group.
func (p *program) output(ctx context.Context) (Output, error) {
	code, what := "cancelled", "was cancelled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code, what = "timeout", "did not end in time"
	}
	if p.err != nil && ctx.Err() != nil {
		return Output{}, sdk.Clean(sdk.Fail(code, "%s %s: it was not even started", p.name, what))
	}
	if p.err != nil {
		return Output{}, sdk.Clean(cannotStart(p.name, p.cmd.Dir, p.err))
	}
	var out Output
	var cutOut, cutErr bool
	out.Stdout, cutOut = p.stdout.text()
	out.Stderr, cutErr = p.stderr.text()
	out.Truncated = cutOut || cutErr
	out.Duration = p.took.Seconds()
	out.ExitCode = p.cmd.ProcessState.ExitCode()
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		out.ExitCode = 128 + int(status.Signal())
	}
	if !p.cut.Load() {
		return out, nil
	}
	out.Result = sdk.NotOK("%s was cut off after %s", p.name, p.took.Round(time.Millisecond))
	failure := sdk.Fail(code, "%s %s and was stopped after %s%s", p.name, what, p.took.Round(time.Millisecond), lastLine(out.Stderr))
	if !p.ended() {
		failure.Message += "; a process that it started is still there"
		return out, sdk.Uncertain(failure)
	}
	return out, failure
}

func (p *program) close() { _ = p.alive.Close() }

// ended kills what is left of the program's group and tells whether nothing of
// it is left anywhere: a descendant that has moved to a group of its own still
// holds the pipe it was given.
func (p *program) ended() bool {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.alive.SetReadDeadline(time.Now().Add(patience))
	_, err := p.alive.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

func (p *program) summary(out Output) string {
	said := fmt.Sprintf("%s exited %d after %s", p.name, out.ExitCode, p.took.Round(time.Millisecond))
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		said = fmt.Sprintf("%s was ended by the signal %s after %s", p.name, status.Signal(), p.took.Round(time.Millisecond))
	}
	if out.ExitCode != 0 {
		said += lastLine(out.Stderr)
	}
	if out.Truncated {
		said += " (output truncated)"
	}
	if errors.Is(p.waited, osexec.ErrWaitDelay) {
		said += "; a process that it started still holds its output"
	}
	return said
}

// lastLine is ": " and the last line that says something, or nothing.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return ""
	}
	if runes := []rune(last); len(runes) > 300 {
		last = string(runes[:300])
		last = last[:1+strings.LastIndexAny(last, blanks)] + "…" // between words, as in capture.text
	}
	return ": " + last
}

func cannotStart(name, dir string, err error) error {
	switch {
	case errors.Is(err, osexec.ErrNotFound):
		f := sdk.Fail("cannot_start", "there is no program %q", name)
		f.Remedy = "install it, or give its path: it is looked up in PATH"
		return f
	case dir != "" && !isFolder(dir):
		return sdk.InvalidArgument("dir", "the working directory %s is not a folder that can be entered", dir)
	}
	return sdk.Fail("cannot_start", "cannot start %s: %v", name, err)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
