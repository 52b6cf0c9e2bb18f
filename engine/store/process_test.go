package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// roleEnv makes the test binary play a part in a process of its own: its
// arguments, separated by newlines.
const roleEnv = "RUNBOOK_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := strings.Split(os.Getenv(roleEnv), "\n"); role[0] != "" {
		if err := play(role[0], role[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func play(role string, args []string) error {
	switch role {
	case "attempt":
		return attempt(args[0])
	case "hold":
		return hold(args[0], args[1])
	case "race":
		rounds, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return race(args[0], args[1], args[2], rounds)
	}
	return fmt.Errorf("no such role: %s", role)
}

// attempt locks path, hands the lock to a child and says so.
func attempt(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	child := exec.Command("sleep", "1000")
	child.Stdout = os.Stdout
	child.ExtraFiles = []*os.File{f}
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(child.Process.Pid)
	return child.Wait()
}

// hold makes a run that locks features, then appends an event for each line it
// is given and says what came of it.
func hold(dir, id string) error {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	r, err := s.NewRun(id)
	if err != nil {
		return err
	}
	lease, err := s.Acquire(context.Background(), holder(id, "features"), features, 0)
	if err != nil {
		return err
	}
	r.Hold(lease)
	fmt.Println("held")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		e := story(id, "begin")[0]
		e.Message = in.Text()
		err := r.Append(e)
		var lost *store.LostError
		switch {
		case errors.As(err, &lost):
			fmt.Println("lost:", lost)
		case err != nil:
			return err
		default:
			fmt.Println("appended")
		}
	}
	return in.Err()
}

// race takes the features lock again and again; the witness is there while
// somebody is inside.
func race(dir, name, witness string, rounds int) error {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	for round := range rounds {
		r, err := s.NewRun(fmt.Sprintf("%s-%d", name, round))
		if err != nil {
			return err
		}
		lease, err := s.Acquire(context.Background(), holder(r.ID(), "features"), features, time.Minute)
		if err != nil {
			return fmt.Errorf("stuck: %w", err)
		}
		r.Hold(lease)
		inside, err := os.OpenFile(witness, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("two are inside: %w", err)
		}
		err = errors.Join(
			inside.Close(),
			r.Append(event.Event{FormatVersion: "1.0", Seq: 1, Run: r.ID()}),
			os.Remove(witness),
			lease.Release(context.Background()),
			r.Close(),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

var features = []schema.Effect{{Resource: "redis://db:6379/0", Mode: schema.Write}}

func holder(run, runbook string) store.Holder {
	return store.Holder{Run: run, Runbook: runbook, Operator: "ada", Host: "ops-1", PID: 42, Since: began}
}

// process is a test binary that plays a role.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, role ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+strings.Join(role, "\n"))
	cmd.Stderr = os.Stderr
	in := must[io.WriteCloser](t)(cmd.StdinPipe())
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // most have ended by then
	return &process{Cmd: cmd, in: in, out: bufio.NewScanner(out)}
}

// line is the next line that the process writes.
func (p *process) line(t *testing.T) string {
	t.Helper()
	if !p.out.Scan() {
		t.Fatalf("the process has ended: %v", p.out.Err())
	}
	return p.out.Text()
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	check(t, p.Process.Kill())
	if err := p.Wait(); p.ProcessState.ExitCode() != -1 {
		t.Fatal(err)
	}
}
