package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// The environment that a provider is given, beside the handshake.
var inherited = [...]string{"PATH", "HOME", "LANG", "TMPDIR"}

// drainGrace is how long output is still read once a process has ended: what it
// left running may hold the other end of its pipes for ever.
const drainGrace = 200 * time.Millisecond

// process is a provider's operating system process, as go-plugin's runner. It
// has no stdin, a clean environment, a session of its own, so that neither it
// nor its children reach the user's terminal, and a pipe on which it learns that
// the engine is gone.
type process struct {
	cmd    *exec.Cmd
	name   string
	stderr io.Writer // where its stderr goes

	liveness *os.File // the end that the engine holds
	toPlugin [2]*io.PipeReader
	exited   chan struct{}
	endErr   error // valid once exited

	leave sync.Once
}

var _ runner.Runner = (*process)(nil)

// newProcess prepares argv; handshake is the environment that go-plugin wants.
func newProcess(name string, exe *executable, dir string, handshake []string, stderr io.Writer) *process {
	cmd := &exec.Cmd{Path: exe.path, Args: exe.argv, Dir: dir, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	for _, key := range inherited {
		if value, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, handshake...)
	cmd.ExtraFiles = []*os.File{nil} // the liveness pipe, descriptor 3
	if exe.file != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, exe.file)
	}
	return &process{cmd: cmd, name: name, stderr: stderr, exited: make(chan struct{})}
}

// Start implements runner.Runner.
func (p *process) Start(context.Context) error {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	out, outWriter, err := os.Pipe()
	if err != nil {
		return errors.Join(err, theirs.Close(), ours.Close())
	}
	errOut, errWriter, err := os.Pipe()
	if err != nil {
		return errors.Join(err, theirs.Close(), ours.Close(), out.Close(), outWriter.Close())
	}
	p.cmd.ExtraFiles[0] = theirs
	p.cmd.Stdout, p.cmd.Stderr = outWriter, errWriter
	err = p.cmd.Start()
	for _, f := range []*os.File{theirs, outWriter, errWriter} {
		_ = f.Close() // the child has its own
	}
	if err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", p.name, err), ours.Close(), out.Close(), errOut.Close())
	}
	p.liveness = ours
	p.supervise(out, errOut)
	return nil
}

// supervise reads what the process says until it has ended.
func (p *process) supervise(out, errOut *os.File) {
	handshake, toHandshake := io.Pipe()
	nothing, toNothing := io.Pipe()
	p.toPlugin = [2]*io.PipeReader{handshake, nothing}
	var reading sync.WaitGroup
	reading.Go(func() { firstLine(toHandshake, out) })
	reading.Go(func() { _, _ = io.Copy(p.stderr, errOut) })
	go func() {
		p.endErr = p.cmd.Wait()
		// Children that were not started by Call.Command share the group; they
		// hold no attempt lock, so nobody would know of them.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		for _, f := range []*os.File{out, errOut} {
			_ = f.SetReadDeadline(time.Now().Add(drainGrace))
		}
		reading.Wait()
		_ = out.Close()
		_ = errOut.Close()
		p.let()
		_ = toHandshake.Close()
		_ = toNothing.Close()
		close(p.exited)
	}()
}

// firstLine passes the handshake on; the rest of stdout is nobody's.
func firstLine(to io.Writer, from io.Reader) {
	line, _ := bufio.NewReaderSize(from, 4096).ReadSlice('\n')
	_, _ = to.Write(line)
	_, _ = io.Copy(io.Discard, from)
}

// let lets go of the process: it and all that it works at ends.
func (p *process) let() { p.leave.Do(func() { _ = p.liveness.Close() }) }

// Kill implements runner.Runner: asked first through the liveness pipe, then
// killed with its group.
func (p *process) Kill(context.Context) error {
	if p.liveness == nil {
		return nil // never started
	}
	p.let()
	select {
	case <-p.exited:
		return nil
	case <-time.After(exitGrace):
	}
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Wait implements runner.Runner.
func (p *process) Wait(context.Context) error {
	<-p.exited
	return p.endErr
}

// ended says how the process ended; empty while it has not. It gives one that
// has just broken its connection a moment to be seen ending.
func (p *process) ended() string {
	select {
	case <-p.exited:
	case <-time.After(time.Second):
		return ""
	}
	if p.endErr == nil {
		return "exit status 0"
	}
	return p.endErr.Error()
}

// Stdout implements runner.Runner.
func (p *process) Stdout() io.ReadCloser { return p.toPlugin[0] }

// Stderr implements runner.Runner. The real one is read by the process itself.
func (p *process) Stderr() io.ReadCloser { return p.toPlugin[1] }

// Name implements runner.Runner.
func (p *process) Name() string { return p.name }

// ID implements runner.Runner.
func (p *process) ID() string {
	if p.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(p.cmd.Process.Pid)
}

// Diagnose implements runner.Runner.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.Runner.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements runner.Runner.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
