package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

func effects(list ...string) []schema.Effect {
	var out []schema.Effect
	for _, e := range list {
		mode, resource, _ := strings.Cut(e, " ")
		out = append(out, schema.Effect{Resource: resource, Mode: schema.Mode(mode)})
	}
	return out
}

func acquire(t *testing.T, s *store.Store, run, runbook string, want ...string) *store.Lease {
	t.Helper()
	lease := must[*store.Lease](t)(s.Acquire(t.Context(), holder(run, runbook), effects(want...), 0))
	t.Cleanup(lease.Close)
	return lease
}

func lockedBy(t *testing.T, err error) []store.Conflict {
	t.Helper()
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("got %v", err)
	}
	return locked.Conflicts
}

func TestAllOrNone(t *testing.T) {
	s := newStore(t)
	acquire(t, s, "a", "sync", "write redis://db/0", "read file:///models", "read redis://db/0")
	_, err := s.Acquire(t.Context(), holder("b", "other"), effects("write s3://minio/free", "delete redis://db/0/features", "write file:///models/x"), 0)
	diff(t, []store.Conflict{
		{Wanted: effects("write file:///models/x")[0], Held: effects("read file:///models")[0], By: holder("a", "sync")},
		{Wanted: effects("delete redis://db/0/features")[0], Held: effects("write redis://db/0")[0], By: holder("a", "sync")},
	}, lockedBy(t, err))
	diff(t, "lock: file:///models (read) and 1 more are locked since 2026-01-17T03:15:02Z by run a of runbook \"sync\", begun by ada on ops-1 (process 42): `runbook runs show a` shows it, `runbook resume a` goes on with it if it was left half-way, and `runbook cancel a` gives it up", err.Error())

	_, err = s.Acquire(t.Context(), holder("b", "sync"), nil, 0)
	diff(t, "lock: the runbook \"sync\" is locked since 2026-01-17T03:15:02Z by run a of runbook \"sync\", begun by ada on ops-1 (process 42): `runbook runs show a` shows it, `runbook resume a` goes on with it if it was left half-way, and `runbook cancel a` gives it up", err.Error())
	lockedBy(t, s.Held("b", effects("write redis://db")))
	check(t, s.Held("a", effects("write redis://db")))

	acquire(t, s, "b", "other", "read file:///models/x", "write redis://db/1")
	diff(t, []store.Claim{
		{Holder: holder("a", "sync"), Epoch: 1, Effects: effects("read file:///models", "write redis://db/0", "write runbook:sync")},
		{Holder: holder("b", "other"), Epoch: 2, Effects: effects("read file:///models/x", "write redis://db/1", "write runbook:other")},
	}, must[[]store.Claim](t)(s.List()))

	check(t, s.Release(t.Context(), "a"))
	check(t, s.Release(t.Context(), "a"))
	acquire(t, s, "c", "sync", "delete redis://db/0")
}

func TestTheRunKeepsItsLocksAcrossProcesses(t *testing.T) {
	s := newStore(t)
	p := start(t, "hold", s.Dir(), "a")
	diff(t, "held", p.line(t))
	p.kill(t)
	_, err := s.Acquire(t.Context(), holder("b", "other"), features, 0)
	diff(t, "a", lockedBy(t, err)[0].By.Run)

	resumed := store.Holder{Run: "a", Runbook: "features", Operator: "bob", Host: "ops-2", PID: 7}
	lease := must[*store.Lease](t)(s.Acquire(t.Context(), resumed, effects("write s3://minio/b"), 0))
	diff(t, int64(2), lease.Epoch())
	resumed.Since = began
	diff(t, []store.Claim{{
		Holder: resumed, Epoch: 2, Effects: effects("write redis://db:6379/0", "write runbook:features", "write s3://minio/b"),
	}}, must[[]store.Claim](t)(s.List()))
	check(t, lease.Check())
	check(t, lease.Release(t.Context()))
	check(t, lease.Release(t.Context()))
	diff(t, []store.Claim{}, must[[]store.Claim](t)(s.List()))
}

func TestWhoLostTheLeaseAppendsNothing(t *testing.T) {
	s := newStore(t)
	p := start(t, "hold", s.Dir(), "a")
	diff(t, "held", p.line(t))
	say := func() string {
		t.Helper()
		must[int](t)(fmt.Fprintln(p.in, "line"))
		return p.line(t)
	}
	diff(t, "appended", say())
	check(t, p.Process.Signal(syscall.SIGSTOP))
	check(t, s.Release(t.Context(), "a")) // somebody takes it for dead
	other := acquire(t, s, "b", "other", "write redis://db:6379")
	check(t, p.Process.Signal(syscall.SIGCONT))
	diff(t, "lost: the locks of run a were released; nothing new may start", say())
	check(t, other.Check())

	acquire(t, s, "a", "features") // and resumes it elsewhere
	diff(t, "lost: run a was taken over by ada on ops-1 (process 42); nothing new may start here", say())
	check(t, p.in.Close())
	check(t, p.Wait())
	events := 0
	replay, err := s.Events("a")
	check(t, err)
	for _, err := range replay {
		check(t, err)
		events++
	}
	diff(t, 1, events)
}

func TestALeaseThatWasTakenOver(t *testing.T) {
	s := newStore(t)
	first := acquire(t, s, "a", "sync", "write redis://db/0")
	check(t, first.Check())
	second := acquire(t, s, "a", "sync")
	lost := func(err error) {
		t.Helper()
		var lost *store.LostError
		if !errors.As(err, &lost) || lost.To == nil {
			t.Errorf("got %v", err)
		}
	}
	lost(first.Check())
	lost(first.Extend(t.Context(), effects("write x://y"), 0))
	lost(first.Release(t.Context()))
	check(t, second.Check())
	diff(t, 1, len(must[[]store.Claim](t)(s.List())))
	check(t, second.Extend(t.Context(), effects("delete redis://db/0", "write x://y"), 0))
	check(t, second.Check())
	diff(t, []store.Claim{{
		Holder: holder("a", "sync"), Epoch: 2, Effects: effects("delete redis://db/0", "write runbook:sync", "write x://y"),
	}}, must[[]store.Claim](t)(s.List()))
	acquire(t, s, "b", "other", "write redis://db/1")
	lockedBy(t, second.Extend(t.Context(), effects("write free://z", "write redis://db"), 0))
	diff(t, 3, len(must[[]store.Claim](t)(s.List())[0].Effects))
}

func TestWaitingForALock(t *testing.T) {
	s := newStore(t)
	held := acquire(t, s, "a", "sync", "write redis://db/0")
	_, err := s.Acquire(t.Context(), holder("b", "other"), effects("write redis://db/0"), 30*time.Millisecond)
	lockedBy(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Acquire(ctx, holder("b", "other"), effects("write redis://db/0"), time.Hour)
	lockedBy(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}

	// Whoever waits has asked once before the lock is given back.
	waiting := &pausing{Context: t.Context(), begun: make(chan struct{})}
	got := make(chan error, 1)
	go func() {
		lease, err := s.Acquire(waiting, holder("b", "other"), effects("write redis://db/0"), time.Minute)
		if err == nil {
			lease.Close()
		}
		got <- err
	}()
	select {
	case <-waiting.begun:
	case err := <-got:
		t.Fatalf("it did not wait for the lock: %v", err)
	}
	check(t, held.Release(t.Context()))
	check(t, <-got)
}

// pausing is a context that tells when somebody first pauses under it.
type pausing struct {
	context.Context
	once  sync.Once
	begun chan struct{}
}

// Done implements context.Context.
func (p *pausing) Done() <-chan struct{} {
	p.once.Do(func() { close(p.begun) })
	return p.Context.Done()
}

func TestWhatARunThatIsOverHoldsIsFree(t *testing.T) {
	for name, test := range map[string]struct {
		facts []string
		free  bool
	}{
		"succeeded":   {[]string{"begin", "x=done", "succeeded"}, true},
		"failed":      {[]string{"begin", "x=failed", "failed"}, true},
		"unknown":     {[]string{"begin", "x=unknown", "failed"}, false},
		"waiting":     {[]string{"begin", "waiting"}, false},
		"interrupted": {[]string{"begin", "interrupted"}, false},
		"crashed":     {[]string{"begin"}, false},
		"resumed":     {[]string{"begin", "failed", "resume"}, false},
		"empty":       {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			r := must[*store.Run](t)(s.NewRun("a"))
			acquire(t, s, "a", "sync", "write redis://db/0", "write s3://x/y")
			check(t, r.Append(story("a", test.facts...)...))
			check(t, r.Close())
			lease, err := s.Acquire(t.Context(), holder("b", "sync"), effects("delete redis://db"), 0)
			if !test.free {
				diff(t, 2, len(lockedBy(t, err)))
				return
			}
			check(t, err)
			defer lease.Close()
			diff(t, []store.Claim{{
				Holder: holder("b", "sync"), Epoch: 2, Effects: effects("delete redis://db", "write runbook:sync"),
			}}, must[[]store.Claim](t)(s.List()))
		})
	}
}

func TestWhoWasKilledBeforeTheRunBeganHoldsNothing(t *testing.T) {
	s := newStore(t)
	gone := exec.Command("true")
	check(t, gone.Run())
	host := must[string](t)(os.Hostname())
	for n, test := range []struct {
		by   store.Holder
		free bool
	}{
		{store.Holder{Run: "a", Runbook: "sync", Host: host, PID: gone.Process.Pid}, true},
		{store.Holder{Run: "b", Runbook: "sync", Host: host, PID: os.Getpid()}, false},
		{store.Holder{Run: "c", Runbook: "sync", Host: "elsewhere", PID: gone.Process.Pid}, false},
	} {
		lease := must[*store.Lease](t)(s.Acquire(t.Context(), test.by, nil, 0))
		other, err := s.Acquire(t.Context(), holder(fmt.Sprintf("other-%d", n), "sync"), nil, 0)
		if !test.free {
			lockedBy(t, err)
			check(t, lease.Release(t.Context()))
			continue
		}
		check(t, err)
		check(t, other.Release(t.Context()))
	}
}

func TestATableThatIsNotUnderstoodIsNotTouched(t *testing.T) {
	for _, content := range []string{
		"", "{", `{"format":2,"epoch":1,"claims":[]}`,
		`{"format":1,"epoch":1,"claims":[],"leases":[{"run":"a"}]}`,
	} {
		s := newStore(t)
		acquire(t, s, "a", "sync")
		path := filepath.Join(s.Dir(), "locks/table.json")
		check(t, os.WriteFile(path, []byte(content), 0o600))
		if _, err := s.Acquire(t.Context(), holder("b", "other"), nil, 0); err == nil {
			t.Errorf("took a lock in %q", content)
		}
		if err := s.Release(t.Context(), "a"); err == nil {
			t.Errorf("released a lock in %q", content)
		}
		if _, err := s.List(); err == nil {
			t.Errorf("listed %q", content)
		}
		diff(t, content, string(must[[]byte](t)(os.ReadFile(path))))
	}
}

func TestRacingProcessesAreNeverInsideTogether(t *testing.T) {
	s := newStore(t)
	witness := filepath.Join(t.TempDir(), "inside")
	var racers []*process
	for _, name := range []string{"a", "b"} {
		racers = append(racers, start(t, "race", s.Dir(), name, witness, "50"))
	}
	for _, p := range racers {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	diff(t, []store.Claim{}, must[[]store.Claim](t)(s.List()))
	runs := must[[]store.Summary](t)(s.Runs())
	diff(t, 100, len(runs))
}

func BenchmarkLease(b *testing.B) {
	s := newStore(b)
	lease := must[*store.Lease](b)(s.Acquire(b.Context(), holder("a", "sync"), features, 0))
	defer lease.Close()
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			check(b, lease.Check())
		}
	})
	b.Run("extend", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			check(b, lease.Extend(b.Context(), effects(fmt.Sprintf("write x://y/%d", n%10)), 0))
		}
	})
	b.Run("acquire-release", func(b *testing.B) {
		for b.Loop() {
			l := must[*store.Lease](b)(s.Acquire(b.Context(), holder("b", "other"), effects("write x://z"), 0))
			check(b, l.Release(b.Context()))
		}
	})
}

func BenchmarkRuns(b *testing.B) {
	s := newStore(b)
	for n := range 100 {
		facts := []string{"begin"}
		for step := range 100 {
			facts = append(facts, fmt.Sprintf("s%d=done", step))
		}
		r := must[*store.Run](b)(s.NewRun(fmt.Sprintf("r%03d", n)))
		check(b, r.Append(story(r.ID(), append(facts, "succeeded")...)...))
		check(b, r.Close())
	}
	for b.Loop() {
		must[[]store.Summary](b)(s.Runs())
	}
}

// Two processes that drew the same ID are not one run: the second is refused, and
// the first keeps what it has.
func TestARunIsBegunOnce(t *testing.T) {
	s := newStore(t)
	lease := must[*store.Lease](t)(s.Begin(t.Context(), holder("r", "features"), features, 0))
	if _, err := s.Begin(t.Context(), holder("r", "features"), features, 0); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	check(t, lease.Check())
}

// A damaged record does not hide that a process attends the run: it keeps its locks.
func TestReleaseOfAnAttendedRunIsRefused(t *testing.T) {
	s := must[*store.Store](t)(store.Open(filepath.Join(t.TempDir(), store.Folder)))
	r := must[*store.Run](t)(s.NewRun(""))
	lease := acquire(t, s, r.ID(), "a")
	check(t, os.WriteFile(filepath.Join(r.Dir(), "journal.jsonl"), []byte("{\"format_version\":garbage}\n{\"seal\":\n{}\n"), 0o600))
	var attended *store.AttendedError
	if err := s.ReleaseUnattended(t.Context(), r.ID()); !errors.As(err, &attended) {
		t.Errorf("got %v", err)
	}
	check(t, lease.Check())
	check(t, r.Close())
	check(t, s.ReleaseUnattended(t.Context(), r.ID()))
	var lost *store.LostError
	if err := lease.Check(); !errors.As(err, &lost) {
		t.Errorf("got %v", err)
	}
}
