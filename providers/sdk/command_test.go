package sdk

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// script starts a shell in a group of its own and waits until it says that it is
// ready. ended gives its end, and that of output is the end of all in the group.
func script(t *testing.T, text string) (group int, ended <-chan error, output io.Reader) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = read.Close() })
	cmd := exec.Command("sh", "-c", text)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	lines := bufio.NewReader(read)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return cmd.Process.Pid, done, lines
}

// A number is sure to be this group's only while somebody is in it: nothing may
// be left that signals it later.
func TestTerminateIsOverWithItsGroup(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		grace  time.Duration
		by     syscall.Signal // 0: it ends by itself
	}{
		"it ends by itself":       {"trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done", time.Hour, 0},
		"it does not listen":      {"trap '' TERM; echo ready; while :; do sleep 0.01; done", 50 * time.Millisecond, syscall.SIGKILL},
		"its leader ends at once": {"(trap '' TERM; echo ready; exec sleep 600) & wait", 50 * time.Millisecond, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group, ended, output := script(t, c.script)
			if err := terminate(group, c.grace); err != nil {
				t.Error(err)
			}
			if err := syscall.Kill(-group, 0); c.by == 0 && !errors.Is(err, syscall.ESRCH) {
				t.Errorf("it returned before the group had ended (%v)", err)
			}
			var exit *exec.ExitError
			switch err := <-ended; {
			case errors.As(err, &exit):
				if by := exit.Sys().(syscall.WaitStatus).Signal(); by != c.by {
					t.Errorf("it ended by %v", by)
				}
			case err != nil || c.by != 0:
				t.Errorf("it ended with %v", err)
			}
			if _, err := io.Copy(io.Discard, output); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTerminateOfWhatHasEnded(t *testing.T) {
	group, ended, _ := script(t, "echo ready")
	<-ended
	if err := terminate(group, time.Hour); !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

// The engine may go at the very moment when a command is being started.
func TestKillWhileStarting(t *testing.T) {
	var g groups
	for range 20 {
		call := &Call{groups: &g}
		cmd := call.Command(context.Background(), "sleep", "600")
		started := make(chan error)
		go func() { started <- cmd.Start() }()
		g.kill()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		g.kill() // it is known by the time Start returns
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			t.Error(err)
		}
		g.forget(call)
	}
}

// A group that has ended is nobody's, or somebody else's by now.
func TestKillSparesOthers(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // as anybody's but ours
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var g groups
	call := &Call{groups: &g}
	g.enter(call)
	g.started(call, cmd.Process.Pid)
	g.kill()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("it was taken for ours: %v", err)
	}
}
