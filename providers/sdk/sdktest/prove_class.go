package sdktest

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
)

// cutShort acts in a process that is killed before or after the work, and
// checks that the outcome is unknown.
func (a *actor) cutShort(t *testing.T, cut string, opts ...Option) {
	t.Helper()
	s := a.session(t, nil)
	if o := a.run(s, append(opts, at(cut))...); o.State != schema.Unknown {
		t.Fatalf("the process was to be killed (%s), and it ended %s", cut, told(o))
	}
	s.process.buried()
}

// cutInTheMiddle kills the process with all that it has started while the
// backend is at work, and waits until the backend is not any more.
func (a *actor) cutInTheMiddle(t *testing.T, opts ...Option) {
	t.Helper()
	s := a.session(t, nil)
	outcome := make(chan schema.Outcome, 1)
	go func() { outcome <- s.act(a.Name, a.Slow.Args, append(slices.Clone(a.Options), opts...)...) }()
	a.midway(t, outcome)
	s.kill()
	if o := <-outcome; o.State != schema.Unknown {
		t.Errorf("its process was killed in the middle, and it ended %s", told(o))
	}
	await(t, "the backend stops working", func() bool { return !a.Slow.Working(t) })
}

// same compares two states of the backend.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// key is one that nothing was done under.
func (a *actor) key(what string) Option {
	return Key(fmt.Sprintf("%s %s %d", a.Name, what, time.Now().UnixNano()))
}

// idempotent: again, after whatever cut, comes to what once comes to. An engine
// does it again under the key that it had.
func (a *actor) idempotent(t *testing.T) {
	s := a.shared(t)
	setup(t, a.Setup)
	k := a.key("once")
	succeed(t, a.run(s, k))
	once := a.World(t)
	succeed(t, a.run(s, k))
	same(t, "twice is not once", once, a.World(t))
	for _, cut := range []string{cutBefore, cutAfter} {
		before := a.ready(t)
		k := a.key(cut)
		a.cutShort(t, cut, k)
		if cut == cutBefore {
			same(t, "a call that was never begun changed something", before, a.World(t))
		} else {
			same(t, "the cut call did not do what a whole one does", once, a.World(t))
		}
		succeed(t, a.run(s, k))
		same(t, "again after a cut ("+cut+") is not once", once, a.World(t))
	}
	if a.Slow != nil {
		setup(t, a.Slow.Setup, a.Setup)
		k := a.key("middle")
		a.cutInTheMiddle(t, k)
		setup(t, a.Setup)
		succeed(t, a.run(s, k))
		same(t, "again after a cut in the middle is not once", once, a.World(t))
	}
}

// keyed: under one key it is done once, whatever is cut; under another it is
// done again.
func (a *actor) keyed(t *testing.T) {
	keys := 0
	key := func() Option {
		keys++
		return Key(fmt.Sprintf("%s %d %d", a.Name, time.Now().UnixNano(), keys))
	}
	s := a.shared(t)
	// repeated sets the backend up again and checks that the key does nothing to
	// it, and that another would.
	repeated := func(k Option) {
		t.Helper()
		before := a.ready(t)
		if a.op.Settles {
			a.settled(t, s, schema.Done, k)
		}
		succeed(t, a.run(s, k))
		same(t, "it was done twice under one key", before, a.World(t))
		succeed(t, a.run(s, key()))
		if cmp.Equal(before, a.World(t)) {
			t.Error("another key does nothing either: nothing is proved")
		}
	}
	first := key()
	setup(t, a.Setup)
	succeed(t, a.run(s, first))
	repeated(first)

	after := key()
	setup(t, a.Setup)
	a.cutShort(t, cutAfter, after)
	repeated(after)

	never := key()
	before := a.ready(t)
	a.cutShort(t, cutBefore, never)
	same(t, "a call that was never begun changed something", before, a.World(t))
	if a.op.Settles {
		a.settled(t, s, schema.FailedClean, never)
	}
	succeed(t, a.run(s, never))
	if cmp.Equal(before, a.World(t)) {
		t.Error("a key whose attempt never began does nothing")
	}
	if a.Slow != nil {
		middle := key()
		setup(t, a.Slow.Setup, a.Setup)
		before := a.World(t)
		a.cutInTheMiddle(t, middle)
		if a.op.Settles {
			o := s.settle(a.Name, a.Slow.Args, append(slices.Clone(a.Options), middle)...)
			if o.State == schema.Unknown || o.State == schema.Running {
				t.Errorf("nothing works on it, and what was done is not told: %s", told(o))
			}
			a.honest(t, before, o)
		}
	}
}

// settled checks what Settle says of an attempt.
func (a *actor) settled(t *testing.T, s *session, want schema.State, opts ...Option) {
	t.Helper()
	if o := s.settle(a.Name, a.Args, append(slices.Clone(a.Options), opts...)...); o.State != want {
		t.Errorf("of an attempt that is %s Settle says %s", want, told(o))
	}
}

// observed: Settle tells an attempt that was cut after the work from one that
// never began.
func (a *actor) observed(t *testing.T) {
	s := a.shared(t)
	for cut, want := range map[string]schema.State{cutAfter: schema.Done, cutBefore: schema.FailedClean} {
		before := a.ready(t)
		k := Key(fmt.Sprintf("%s %s %d", a.Name, cut, time.Now().UnixNano()))
		lock := AttemptLock(filepath.Join(t.TempDir(), "attempt"))
		a.cutShort(t, cut, k, lock)
		a.unchanged(t, "Settle", func() { a.settled(t, s, want, k, lock) })
		if changed := !cmp.Equal(before, a.World(t)); !a.Unseen && changed != (cut == cutAfter) {
			t.Errorf("cut %s, it has changed something: %t", cut, changed)
		}
	}
	if a.Slow != nil {
		setup(t, a.Slow.Setup, a.Setup)
		before := a.World(t)
		k := Key(fmt.Sprintf("%s middle %d", a.Name, time.Now().UnixNano()))
		a.cutInTheMiddle(t, k)
		o := s.settle(a.Name, a.Slow.Args, append(slices.Clone(a.Options), k)...)
		if o.State == schema.Running {
			t.Errorf("nothing works on it, and Settle says that something does: %s", told(o))
		}
		a.honest(t, before, o)
	}
}

// manual: nobody claims to know what a cut attempt did.
func (a *actor) manual(t *testing.T) {
	for _, cut := range []string{cutBefore, cutAfter} {
		setup(t, a.Setup)
		k := Key(fmt.Sprintf("%s %s", a.Name, cut))
		a.cutShort(t, cut, k)
		if a.op.Settles {
			if o := a.shared(t).settle(a.Name, a.Args, k); o.State != schema.Unknown {
				t.Errorf("only a person knows, and Settle says %s", told(o))
			}
		}
	}
	if a.Slow != nil {
		setup(t, a.Slow.Setup, a.Setup)
		a.cutInTheMiddle(t)
	}
}

// patience bounds the wait for a backend that does what it should.
const patience = 90 * time.Second

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
