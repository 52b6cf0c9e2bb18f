package sdk

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// How long a cancelled command may take to end by itself before it is killed,
// and how long its output is waited for once it has ended.
const (
	commandGrace = 3 * time.Second
	outputGrace  = 4 * time.Second
)

// Command is an exec.Cmd that dies with its operation. It is started by its own
// methods, not by those of the Cmd inside.
type Command struct {
	*exec.Cmd
	call *Call
}

// Command is a child process that dies with the operation: it has its own
// process group, which gets SIGTERM and, three seconds later, SIGKILL when ctx
// ends, and SIGKILL when the engine is gone. It inherits the attempt lock, so
// that an orphan is never taken for finished work. Its environment is PATH,
// HOME and LANG; set Env, Dir and Stdin afterwards, and leave SysProcAttr,
// Cancel and the first of ExtraFiles as they are.
func (c *Call) Command(ctx context.Context, argv ...string) *Command {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{}
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	if c.lock != nil {
		cmd.ExtraFiles = []*os.File{c.lock}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return terminate(cmd.Process.Pid, commandGrace) }
	cmd.WaitDelay = outputGrace
	c.groups.enter(c)
	return &Command{Cmd: cmd, call: c}
}

// Start is exec.Cmd's. The command is known to be ours once it returns.
func (c *Command) Start() error {
	if err := c.Cmd.Start(); err != nil {
		return err
	}
	c.call.groups.started(c.call, c.Process.Pid)
	return nil
}

// Run is exec.Cmd's.
func (c *Command) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output is exec.Cmd's, but that an error holds nothing of stderr.
func (c *Command) Output() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run()
	return out.Bytes(), err
}

// CombinedOutput is exec.Cmd's.
func (c *Command) CombinedOutput() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// terminate ends a process group: asked first, then killed. It returns when the
// group has ended, or has been killed: afterwards its number may be another's.
// os.ErrProcessDone means that it had ended before.
func terminate(group int, grace time.Duration) error {
	err := syscall.Kill(-group, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		select {
		case <-time.After(pause):
			if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
				return err
			}
		case <-deadline.C:
			_ = syscall.Kill(-group, syscall.SIGKILL)
			return err
		}
	}
}

// maxPause is how often terminate looks whether a group has ended: far more
// often than process numbers come round again.
const maxPause = 20 * time.Millisecond
