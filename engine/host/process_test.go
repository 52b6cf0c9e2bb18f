package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sys/unix"

	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
)

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("process %d is still there (%v)", pid, err)
		}
		return
	}
}

// piped is an operation that goes on once its first line has come.
func piped(t *testing.T, how string, l *logs) schema.Operation {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-l.first
		if _, err := os.ReadFile(pipe); err != nil {
			t.Error(err)
		}
	}()
	op := do(how)
	op.Arguments = object(map[string]string{"how": how, "text": pipe})
	return op
}

// free reports whether an attempt's lock is free.
func free(t *testing.T, path string) bool {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// engineLike is a program that starts an action with children and is killed.
func engineLike() {
	h := New(Options{Catalog: bundled.NewCatalog(testProviders())})
	h.Configure("demo", "demo", cty.EmptyObjectVal)
	op := do("child")
	op.Arguments = object(map[string]string{"how": "child", "text": os.Getenv("SCRIPT")})
	op.AttemptLock = os.Getenv("ATTEMPT_LOCK")
	o := h.Act(context.Background(), "demo", op, func(p schema.Progress) { fmt.Println(p.Message) })
	fmt.Println(o.State, o.Failure)
}

func TestKilledEngineLeavesNothing(t *testing.T) {
	const plain = "sleep 600 & echo $$ $!; wait"
	for name, test := range map[string]struct {
		signal syscall.Signal
		script string
	}{
		"killed":     {syscall.SIGKILL, plain},
		"terminated": {syscall.SIGTERM, plain},
		// A program that closes what it does not know, as Python's subprocess
		// does, holds no lock: nobody would see it work on.
		"a child has left the group and closed the lock": {syscall.SIGKILL, "setsid sh -c 'exec 3>&- 4>&-; echo $PPID $$; exec sleep 600' & wait"},
	} {
		t.Run(name, func(t *testing.T) {
			lock := filepath.Join(t.TempDir(), "attempt")
			cmd := exec.Command(os.Args[0], "engine-like")
			cmd.Env = append(os.Environ(), "ATTEMPT_LOCK="+lock, "SCRIPT="+test.script)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var provider, shell, child int
			if _, err := fmt.Fscan(out, &provider, &shell, &child); err != nil {
				t.Fatal(err)
			}
			if free(t, lock) {
				t.Error("the attempt works without its lock")
			}
			if err := cmd.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			for _, pid := range []int{provider, shell, child} {
				gone(t, pid)
			}
			_ = cmd.Wait() // it was killed
			if !free(t, lock) {
				t.Error("the lock is still held")
			}
		})
	}
}

func TestOrphanKeepsTheAttemptLock(t *testing.T) {
	h, l := newHost(t), newLogs()
	op := piped(t, "orphan", l)
	op.AttemptLock = filepath.Join(t.TempDir(), "attempt")
	got := h.Act(t.Context(), "demo", op, l.add)
	if got.State != schema.Unknown || got.Failure.Code != "provider_died" {
		t.Fatal(got.State, got.Failure)
	}
	orphan, err := strconv.Atoi(l.lines[0])
	if err != nil {
		t.Fatal(err)
	}
	if free(t, op.AttemptLock) {
		t.Error("the lock is free while an orphan works")
	}
	again := h.Act(t.Context(), "demo", op, nil)
	if again.State != schema.FailedClean || again.Failure.Code != "attempt_running" {
		t.Error("a second one works at the attempt", again.State, again.Failure)
	}
	if err := syscall.Kill(orphan, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, orphan)
	if !free(t, op.AttemptLock) {
		t.Error("the lock is held by nobody")
	}
}

// A provider that does not even hear of a cancel is killed, and so is what it
// has started: stopped is stopped.
func TestFrozenProviderIsKilledWithItsChildren(t *testing.T) {
	h := newHost(t)
	h.grace = 300 * time.Millisecond
	op := do("frozen")
	op.AttemptLock = filepath.Join(t.TempDir(), "attempt")
	ctx, cancel := context.WithCancel(t.Context())
	var provider, child int
	got := h.Act(ctx, "demo", op, func(p schema.Progress) {
		if _, err := fmt.Sscan(p.Message, &provider, &child); err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(provider, syscall.SIGSTOP); err != nil {
			t.Error(err)
		}
		cancel()
	})
	if got.State != schema.Unknown || got.Failure.Code != "provider_killed" {
		t.Fatal(got.State, got.Failure)
	}
	gone(t, child)
	if !free(t, op.AttemptLock) {
		t.Error("the lock is held by nobody")
	}
}

// A child that holds no lock would be seen by nobody: it does not outlive its
// provider.
func TestOrphanWithoutLockIsKilled(t *testing.T) {
	h, l := newHost(t), newLogs()
	h.Act(t.Context(), "demo", piped(t, "unlocked orphan", l), l.add)
	orphan, err := strconv.Atoi(l.lines[0])
	if err != nil {
		t.Fatal(err)
	}
	gone(t, orphan)
}

func TestSecretsStayOutOfProc(t *testing.T) {
	h := newHost(t)
	op := look(nil)
	op.Arguments = cty.ObjectVal(map[string]cty.Value{"text": redact.Mark(cty.StringVal("swordfish"))})
	if _, err := h.Observe(t.Context(), "demo", op); err != nil {
		t.Fatal(err)
	}
	n := pid(t, h, "demo")
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", n, file))
		if errors.Is(err, fs.ErrPermission) && file == "environ" {
			continue // not even its own user may
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(text) == 0 || strings.Contains(string(text), secret) || strings.Contains(string(text), "swordfish") {
			t.Errorf("%s: %q", file, text)
		}
	}
	if target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", n)); !errors.Is(err, fs.ErrPermission) && (err != nil || target != "/dev/null") {
		t.Errorf("stdin is %s (%v)", target, err)
	}
	pgid, err := syscall.Getpgid(n)
	if err != nil || pgid != n {
		t.Errorf("process group %d of %d (%v)", pgid, n, err)
	}
}

// docs/adr/0003: the folder's mode is what protects the wire.
func TestSocketFolderIsPrivate(t *testing.T) {
	h := newHost(t)
	pid(t, h, "demo") // it runs
	in, err := h.instance("demo")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(in.current.client.ReattachConfig().Addr.String())
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatal(info.Mode(), err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error("the folder is still there", err)
	}
}
