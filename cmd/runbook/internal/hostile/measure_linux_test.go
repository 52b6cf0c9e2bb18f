package hostile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// The bounds of every command on every bad program. What the machine does
// beside it does not count: time is that of the processor, user and system.
const (
	mostTime   = 2 * time.Second
	mostMemory = 300 << 20 // bytes, of pages that are resident
)

// measured is how a command ended and what it took.
type measured struct {
	Exit   int // -1: by a signal
	Signal string
	Time   time.Duration // of the processor
	Memory int64         // the most that was resident, in bytes

	out, errOut []byte
}

// TestMain serves as the measuring process where it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == measuring {
		measureHere(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

const measuring = "measure-a-command"

// run runs the program in dir, from a small process of its own. The kernel
// counts as resident in a child what was resident in whoever started it, until
// its exec (getrusage(2): ru_maxrss outlives execve): the test itself, which
// writes files of many megabytes, would measure itself.
func (p program) run(t *testing.T, dir string, args ...string) measured {
	t.Helper()
	report := filepath.Join(t.TempDir(), "measured.json")
	cmd := exec.Command(os.Args[0], append([]string{measuring, report, p.path}, args...)...)
	cmd.Dir = dir
	cmd.Env = p.environment(dir)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("measure %q: %v\n%s", args, err, errOut.Bytes())
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	m.out, m.errOut = out.Bytes(), errOut.Bytes()
	return m
}

// measureHere runs a command and writes what it took to the file that is named
// first. A command that would take the machine with it is ended by the kernel.
func measureHere(args []string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, limit := range []struct {
		resource int
		most     uint64
	}{{syscall.RLIMIT_CPU, 30}, {syscall.RLIMIT_DATA, 2 << 30}, {syscall.RLIMIT_CORE, 0}} {
		if err := syscall.Setrlimit(limit.resource, &syscall.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			fail(fmt.Errorf("bound the command: %w", err))
		}
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		fail(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	m := measured{
		Exit:   cmd.ProcessState.ExitCode(),
		Time:   cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Memory: usage.Maxrss << 10,
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		m.Signal = status.Signal().String()
	}
	text, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(args[0], text, 0o600)
	}
	if err != nil {
		fail(err)
	}
}
