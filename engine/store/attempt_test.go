package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/runbook-engine/runbook/engine/store"
)

func TestAnAttemptIsFreeOnceItsLastProcessHasEnded(t *testing.T) {
	s := newStore(t)
	r := must[*store.Run](t)(s.NewRun("r"))
	path := r.AttemptLock(`step.x["k"]`, 2)
	diff(t, filepath.Join(r.Dir(), "attempts", "step.x%5b%22k%22%5d.2.lock"), path)
	free := func() bool { t.Helper(); return must[bool](t)(r.AttemptFree(path)) }

	p := start(t, "attempt", path)
	child := must[int](t)(strconv.Atoi(p.line(t)))
	diff(t, false, free())
	check(t, p.Process.Kill())
	for p.ProcessState == nil {
		_ = p.Wait() // it was killed
	}
	diff(t, false, free()) // the child is an orphan now, and still at it
	check(t, syscall.Kill(child, syscall.SIGKILL))
	for !free() {
		runtime.Gosched()
	}
	diff(t, true, free())

	// Who comes late cannot begin.
	late := must[*os.File](t)(os.OpenFile(path, os.O_RDWR, 0))
	defer late.Close()
	take := func() error { return syscall.Flock(int(late.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
	if err := take(); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("a late provider took the lock: %v", err)
	}
	check(t, r.Close())
	check(t, take())
}

func TestAnAttemptThatNeverBeganIsFree(t *testing.T) {
	r := newRun(t, newStore(t), "r")
	diff(t, true, must[bool](t)(r.AttemptFree(r.AttemptLock("step.x", 1))))
}
