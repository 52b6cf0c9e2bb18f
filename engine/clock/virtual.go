package clock

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// Virtual is a clock whose time passes only when everything that was begun with
// Go waits for it. What was begun takes turns, one at a time, each until it
// sleeps or ends: those that may go on at one instant in the order they were
// given, what ends at an instant before what that instant puts an end to. So the
// same work always goes the same way.
//
// Sleep and Together belong to what was begun with Go or Run; calling them from
// elsewhere panics. The zero Virtual is not ready: see NewVirtual.
type Virtual struct {
	mu      sync.Mutex // never held while somebody has the turn
	now     time.Time
	seq     int
	ready   []*fiber
	asleep  []*fiber
	alarms  []*alarm
	current *fiber
	yield   chan struct{}
}

// fiber is one piece of work that takes turns.
type fiber struct {
	order, seq int
	body       func()
	resume     chan struct{} // nil: not begun
	at         time.Time
	done       <-chan struct{} // cuts the sleep
	cut        bool
	ended      bool
	panicked   *Panic
}

type alarm struct {
	at  time.Time
	seq int
	fn  func()
}

// NewVirtual is a virtual clock that shows the given time.
func NewVirtual(now time.Time) *Virtual {
	return &Virtual{now: now.UTC(), yield: make(chan struct{})}
}

// Now implements Clock.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Sleep implements Clock.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	v.mu.Lock()
	f := v.current
	if f == nil {
		v.mu.Unlock()
		panic("clock: Sleep by a virtual clock outside of Go and Run")
	}
	f.at, f.done, f.cut = v.now.Add(d), ctx.Done(), false
	v.asleep = append(v.asleep, f)
	v.mu.Unlock()
	v.park(f)
	if f.cut {
		return ctx.Err()
	}
	return nil
}

// AfterFunc implements Clock. fn is called between two turns.
func (v *Virtual) AfterFunc(d time.Duration, fn func()) (stop func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	a := &alarm{at: v.now.Add(d), seq: v.seq, fn: fn}
	v.alarms = append(v.alarms, a)
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.alarms = slices.DeleteFunc(v.alarms, func(other *alarm) bool { return other == a })
	}
}

// Go begins fn at its turn: of what may go on at one instant the lowest order
// comes first, then what was begun first. It does not wait for it.
func (v *Virtual) Go(order int, fn func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	v.ready = append(v.ready, &fiber{order: order, seq: v.seq, body: fn})
}

// Run begins fn and gives turns until it has ended.
func (v *Virtual) Run(fn func()) {
	ended := false
	v.Go(0, func() { defer func() { ended = true }(); fn() })
	for !ended {
		if !v.Turn() {
			panic("clock: everything waits, and nothing will ever come")
		}
	}
}

// Turn lets everything go on that may at this instant, each until it sleeps or
// ends. Where nothing may, time first passes to the next instant at which
// something does. It returns false where there is none.
func (v *Virtual) Turn() bool {
	v.wakeCut()
	if len(v.ready) == 0 && !v.pass() {
		return false
	}
	for f := v.next(); f != nil; f = v.next() {
		v.give(f)
		v.wakeCut()
	}
	return true
}

// next takes out who may go on first; nil: nobody.
func (v *Virtual) next() *fiber {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.ready) == 0 {
		return nil
	}
	f := slices.MinFunc(v.ready, func(a, b *fiber) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.seq, b.seq)) })
	v.ready = slices.DeleteFunc(v.ready, func(other *fiber) bool { return other == f })
	v.current = f
	return f
}

// give lets a fiber go on until it parks or ends.
func (v *Virtual) give(f *fiber) {
	if f.resume == nil {
		f.resume = make(chan struct{})
		go func() {
			<-f.resume
			defer func() {
				f.ended = true
				v.yield <- struct{}{}
			}()
			f.panicked = Caught(f.body)
		}()
	}
	f.resume <- struct{}{}
	<-v.yield
	v.mu.Lock()
	v.current = nil
	v.mu.Unlock()
	if f.panicked != nil {
		panic(f.panicked)
	}
}

func (v *Virtual) park(f *fiber) {
	v.yield <- struct{}{}
	<-f.resume
}

// wakeCut readies those whose context has ended.
func (v *Virtual) wakeCut() {
	v.wake(func(f *fiber) bool {
		select {
		case <-f.done: // nil: never
			f.cut = true
		default:
		}
		return f.cut
	})
}

func (v *Virtual) wake(due func(*fiber) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asleep = slices.DeleteFunc(v.asleep, func(f *fiber) bool {
		if !due(f) {
			return false
		}
		v.ready = append(v.ready, f)
		return true
	})
}

// pass lets time pass to the next instant at which a sleep ends or an alarm goes
// off; false: there is none.
func (v *Virtual) pass() bool {
	v.mu.Lock()
	var next time.Time
	earlier := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, f := range v.asleep {
		earlier(f.at)
	}
	for _, a := range v.alarms {
		earlier(a.at)
	}
	if next.IsZero() {
		v.mu.Unlock()
		return false
	}
	if next.After(v.now) {
		v.now = next
	}
	v.mu.Unlock()
	v.wake(func(f *fiber) bool { return !f.at.After(next) })
	if len(v.ready) > 0 {
		return true // what ends now has ended in time
	}
	for fn := v.alarm(next); fn != nil; fn = v.alarm(next) {
		fn()
	}
	v.wakeCut()
	return true
}

// alarm takes out the first alarm that is due; nil: none is.
func (v *Virtual) alarm(now time.Time) func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	i := slices.IndexFunc(v.alarms, func(a *alarm) bool { return !a.at.After(now) }) // they are in order of seq
	if i < 0 {
		return nil
	}
	fn := v.alarms[i].fn
	v.alarms = slices.Delete(v.alarms, i, i+1)
	return fn
}

// together is Together: whoever calls it waits while its parts take turns.
func (v *Virtual) together(n int, fn func(i int)) {
	if n == 1 {
		fn(0)
	}
	if n < 2 {
		return
	}
	v.mu.Lock()
	f := v.current
	v.mu.Unlock()
	if f == nil {
		panic("clock: Together by a virtual clock outside of Go and Run")
	}
	left := n
	for i := range n {
		v.Go(f.order, func() {
			fn(i)
			if left--; left == 0 {
				v.mu.Lock()
				v.ready = append(v.ready, f)
				v.mu.Unlock()
			}
		})
	}
	v.park(f)
}
