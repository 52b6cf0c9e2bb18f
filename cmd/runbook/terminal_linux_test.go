package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a person in front of a pseudo-terminal that a command runs on.
type terminal struct {
	t      *testing.T
	master *os.File
	seen   bytes.Buffer // all that was on the screen
	read   int          // how much of it the person has read
	ended  chan error
}

// startOnTerminal runs a command with all three streams on a terminal.
func startOnTerminal(t *testing.T, dir string, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.Env = append(os.Environ(), "TERM=xterm", "LANG=C.UTF-8", "TZ=UTC", "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, master: master, ended: make(chan error, 1)}
	go func() { term.ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return term
}

// reads waits until the text stands on the screen, after what was read before.
func (term *terminal) reads(text string) {
	term.t.Helper()
	chunk := make([]byte, 4096)
	for {
		if at := strings.Index(term.seen.String()[term.read:], text); at >= 0 {
			term.read += at + len(text)
			return
		}
		if err := term.master.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			term.t.Fatal(err)
		}
		n, err := term.master.Read(chunk)
		term.seen.Write(chunk[:n])
		if err != nil {
			term.t.Fatalf("the screen never said %q: %v\n%s", text, err, term.seen.String())
		}
	}
}

func (term *terminal) types(line string) {
	term.t.Helper()
	if _, err := io.WriteString(term.master, line); err != nil {
		term.t.Fatal(err)
	}
}

// leaves waits for the command's end, which must be with this exit code.
func (term *terminal) leaves(code int) {
	term.t.Helper()
	go io.Copy(io.Discard, term.master)
	err := <-term.ended
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else if err != nil {
		term.t.Fatal(err)
	}
	if got != code {
		term.t.Errorf("exit code %d, expected %d\n%s", got, code, term.seen.String())
	}
}

const wipe = `runbook "wipe" {}

step "wipe" {
  action "exec.run" {
    script = "touch wiped"
  }
}
`

func wipeRunbook(t *testing.T) (dir string, wiped func() bool) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "wipe.hcl"), []byte(wipe), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, func() bool {
		_, err := os.Stat(filepath.Join(dir, "wiped"))
		return err == nil
	}
}

// At a terminal the plan is asked about, and a destructive step once more, by
// its name.
func TestTerminalAsks(t *testing.T) {
	dir, wiped := wipeRunbook(t)
	term := startOnTerminal(t, dir, "runbook", "apply")
	term.reads("step.wipe")
	term.reads("Do this? Only yes is taken for it:")
	term.types("yes\n")
	term.reads("touch wiped") // the equivalent command, before the question
	term.reads("This destroys. Type wipe to go on:")
	term.types("wipe\n")
	term.reads("\x1b[32mRun ")
	term.leaves(0)
	if !wiped() {
		t.Error("nothing was done")
	}
}

func TestTerminalTakesNo(t *testing.T) {
	dir, wiped := wipeRunbook(t)
	term := startOnTerminal(t, dir, "runbook", "apply")
	term.reads("Do this?")
	term.types("y\n")
	term.reads("Nothing was done.")
	term.leaves(1)

	term = startOnTerminal(t, dir, "runbook", "apply")
	term.reads("Do this?")
	term.types("yes\n")
	term.reads("Type wipe to go on:")
	term.types("yes\n") // habit
	term.reads("declined at the terminal")
	term.leaves(3)

	term = startOnTerminal(t, dir, "runbook", "apply")
	term.reads("Do this?")
	term.types("\x03") // Ctrl-C
	term.reads("interrupted before anything was done")
	term.leaves(130)

	if wiped() {
		t.Error("it was done without a yes")
	}
}

// Who closes the terminal over an open question leaves a run that waits.
func TestTerminalGoneOverAQuestion(t *testing.T) {
	dir, wiped := wipeRunbook(t)
	term := startOnTerminal(t, dir, "runbook", "apply", "--auto-approve")
	term.reads("Type wipe to go on:")
	term.master.Close()
	if err := <-term.ended; err == nil || err.(*exec.ExitError).ExitCode() != 4 {
		t.Errorf("the command ended with %v, expected exit code 4", err)
	}
	if wiped() {
		t.Error("it was done without a yes")
	}
}

func TestTerminalOffersRunbooks(t *testing.T) {
	dir, _ := wipeRunbook(t)
	if err := os.WriteFile(filepath.Join(dir, "another.hcl"), []byte(`runbook "another" {}`), 0o600); err != nil {
		t.Fatal(err)
	}
	term := startOnTerminal(t, dir, "runbook", "validate")
	term.reads("2  wipe.hcl")
	term.reads("Which runbook?")
	term.types("2\n")
	term.reads("wipe.hcl is valid")
	term.leaves(0)
}
