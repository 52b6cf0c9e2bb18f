package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runbook-engine/runbook/engine/store"
)

// slow acts until it is let go, then acts again.
const slow = `runbook "slow" {}

step "slow" {
  action "exec.run" {
    script  = "echo begun >> slow; until [ -e go ]; do sleep 0.02; done; echo line"
    effects = [{ resource = "file:///slow" }]
  }
}

step "after" {
  action "exec.run" {
    script  = "echo done >> after"
    effects = [{ resource = "file:///after" }]
  }
}
`

// room is a folder with a runbook that somebody applies.
type room struct {
	t   *testing.T
	dir string
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t, t.TempDir()}
	r.write("slow.hcl", slow)
	return r
}

func (r *room) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// read is the text of a file; empty where there is none.
func (r *room) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return string(text)
}

// awaits waits until something is so.
func (r *room) awaits(what string, so func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			r.t.Fatalf("after a minute not yet: %s", what)
		}
	}
}

// acts waits until the slow step does.
func (r *room) acts() {
	r.t.Helper()
	r.awaits("step.slow acts", func() bool { return r.read("slow") != "" })
}

func (r *room) letGo() { r.write("go", "") }

// command is a runbook command that ends with the test.
func (r *room) command(args ...string) *exec.Cmd {
	cmd := exec.Command("runbook", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "TZ=UTC", "GORACE=atexit_sleep_ms=0", "HOME="+r.dir)
	return cmd
}

func (r *room) start(cmd *exec.Cmd) (out *bytes.Buffer, ends func(code int)) {
	r.t.Helper()
	out = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return out, func(code int) {
		r.t.Helper()
		r.ended(cmd.Wait(), code, out.String())
	}
}

func (r *room) ended(err error, code int, out string) {
	r.t.Helper()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		r.t.Fatal(err)
	}
	if got != code {
		r.t.Fatalf("exit code %d, expected %d\n%s", got, code, out)
	}
}

// runs runs a command to its end.
func (r *room) runs(code int, args ...string) string {
	r.t.Helper()
	out, err := r.command(args...).CombinedOutput()
	r.ended(err, code, string(out))
	return string(out)
}

func (r *room) says(out string, patterns ...string) {
	r.t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile("(?m)" + pattern).MatchString(out) {
			r.t.Errorf("nowhere %q in:\n%s", pattern, out)
		}
	}
}

// did compares how often each step has acted.
func (r *room) did(slow, after int) {
	r.t.Helper()
	if s, a := strings.Count(r.read("slow"), "begun"), strings.Count(r.read("after"), "done"); s != slow || a != after {
		r.t.Errorf("step.slow acted %d times, step.after %d; expected %d and %d", s, a, slow, after)
	}
}

// A hang-up stops nothing, wherever it comes from.
func TestHangUpStopsNothing(t *testing.T) {
	r := newRoom(t)
	cmd := r.command("apply", "--auto-approve")
	out, ends := r.start(cmd)
	r.acts()
	for range 3 {
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	r.letGo()
	ends(0)
	r.says(out.String(), "succeeded")
	r.did(1, 1)
}

// Nor does a terminal that is closed while an action is at work.
func TestTerminalGoneInMidAction(t *testing.T) {
	r := newRoom(t)
	term := startOnTerminal(t, r.dir, "runbook", "apply", "--auto-approve")
	r.acts()
	if err := term.master.Close(); err != nil {
		t.Fatal(err)
	}
	r.letGo()
	<-term.ended // its exit code tells that the output was lost
	r.says(r.runs(0, "runs"), "succeeded")
	r.did(1, 1)
}

// A disk that takes no more: what runs is drained, nothing new starts, and the run
// says so. A resume goes on once there is room.
func TestNothingMoreCanBeWritten(t *testing.T) {
	unsettled := 0
	for _, bytes := range []int{0, 1000, 1500, 2000, 2500, 3000, 3500, 4000} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			r := newRoom(t)
			r.letGo()
			cmd := r.command("apply", "--auto-approve")
			cmd.Args = append([]string{"prlimit", fmt.Sprintf("--fsize=%d", bytes), cmd.Path}, cmd.Args[1:]...)
			var err error
			if cmd.Path, err = exec.LookPath("prlimit"); err != nil {
				t.Fatal(err)
			}
			out, ends := r.start(cmd)
			ends(1)
			r.says(out.String(), "file too large")
			r.did(strings.Count(r.read("slow"), "begun"), 0)
			if strings.Contains(r.runs(0, "runs"), "crashed") {
				r.says(out.String(), "the record cannot be written")
				args := []string{"resume", "last"}
				if strings.Contains(r.runs(0, "runs", "show", "last"), "its end is not on record") {
					unsettled++
					r.says(r.runs(1, args...), "nobody knows whether it was done")
					args = append(args, "--resolve", "step.slow=done")
				}
				r.says(r.runs(0, args...), "succeeded")
			} else {
				r.runs(0, "apply", "--auto-approve") // nothing was begun, and nothing is locked
			}
			r.did(1, 1)
			r.says(r.runs(0, "locks"), "Nothing is locked")
		})
	}
	if unsettled == 0 {
		t.Error("no limit was met between an INTENT and its outcome")
	}
}

// A process that was suspended and has lost its locks meanwhile starts nothing
// when it wakes up.
func TestSuspendedPastItsLease(t *testing.T) {
	r := newRoom(t)
	cmd := r.command("apply", "--auto-approve")
	out, ends := r.start(cmd)
	r.acts()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// While it is suspended it keeps its locks: nobody is let in behind its back.
	r.says(r.runs(5, "apply", "--auto-approve"), "locked since")
	r.says(r.runs(5, "resume", "last"), "attended since")
	r.says(r.runs(5, "locks", "release", "last"), "attended since")

	// As where the store was put back from a copy, or somebody mended it by hand.
	st, err := store.Open(filepath.Join(r.dir, store.Folder))
	if err != nil {
		t.Fatal(err)
	}
	runs, err := st.Runs()
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Release(t.Context(), runs[0].ID); err != nil {
		t.Fatal(err)
	}
	r.letGo()
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	ends(1)
	r.says(out.String(), "step.after  ! interrupted in .*: the record cannot be written: the locks of run .* were released; nothing new may start")
	r.did(1, 0)
	r.says(r.runs(1, "resume", "last"), "--resolve step.slow=done")
	r.says(r.runs(0, "resume", "last", "--resolve", "step.slow=done"), "succeeded")
	r.did(1, 1)
}

// A process that is out of descriptors in mid-run drains what it does, starts
// nothing that it cannot, and says why; then it can be resumed.
func TestNoDescriptorsLeftInMidRun(t *testing.T) {
	r := newRoom(t)
	cmd := r.command("apply", "--auto-approve")
	out, ends := r.start(cmd)
	r.acts()
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{}, nil); err != nil {
		t.Fatal(err)
	}
	r.letGo()
	ends(1)
	r.says(out.String(), "too many open files")
	r.says(r.runs(0, "runs", "verify"), "✓")
	r.did(1, 0)
	r.says(r.runs(0, "resume", "last"), "succeeded")
	r.did(1, 1)
}
