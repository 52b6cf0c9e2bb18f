package sdk

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// How long a cancelled command may take to end by itself before it is killed,
// and how long its output is then waited for.
const (
	commandGrace = 3 * time.Second
	outputGrace  = time.Second
)

// Command is a child process that dies with the operation: it has its own
// process group, which gets SIGTERM and, three seconds later, SIGKILL when ctx
// ends, and SIGKILL when the engine is gone. It inherits the attempt lock, so
// that an orphan is never taken for finished work. Its environment is PATH,
// HOME and LANG; set Env, Dir and Stdin afterwards, and leave SysProcAttr,
// Cancel and the first of ExtraFiles as they are.
func (c *Call) Command(ctx context.Context, argv ...string) *exec.Cmd {
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
	cmd.Cancel = func() error { return terminate(cmd.Process.Pid) }
	cmd.WaitDelay = commandGrace + outputGrace
	c.groups.add(c, cmd)
	return cmd
}

// terminate ends a process group: asked first, then killed.
func terminate(group int) error {
	err := syscall.Kill(-group, syscall.SIGTERM)
	time.AfterFunc(commandGrace, func() { _ = syscall.Kill(-group, syscall.SIGKILL) })
	return err
}

// groups knows the commands of the calls in progress, to kill what is left of
// them when the engine is gone.
type groups struct {
	mu       sync.Mutex
	commands map[*Call][]*exec.Cmd
}

func (g *groups) add(c *Call, cmd *exec.Cmd) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.commands == nil {
		g.commands = map[*Call][]*exec.Cmd{}
	}
	g.commands[c] = append(g.commands[c], cmd)
}

func (g *groups) forget(c *Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.commands, c)
}

// locks are the attempt locks of the calls that have started commands.
func (g *groups) locks() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var paths []string
	for c := range g.commands {
		if c.lock == nil {
			continue
		}
		if path, err := filepath.EvalSymlinks(c.lock.Name()); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// kill ends every process group that was started and not forgotten.
func (g *groups) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, commands := range g.commands {
		for _, cmd := range commands {
			if cmd.Process != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			}
		}
	}
}
