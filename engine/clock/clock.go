// Package clock is where the engine takes the time from: the machine's, or a
// virtual one that passes only when everybody waits for it, so that a rehearsal
// of half an hour takes milliseconds and always goes the same way.
package clock

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	// Now is the current time.
	Now() time.Time
	// Sleep waits for d, or until ctx is done, whichever comes first; it
	// returns ctx's error in the second case.
	Sleep(ctx context.Context, d time.Duration) error
	// AfterFunc calls fn once d has passed, unless stop is called before. fn
	// must not wait.
	AfterFunc(d time.Duration, fn func()) (stop func())
}

// Real is the machine's clock. Its times are UTC and keep the monotonic
// reading, so that differences survive a step of the wall clock.
type Real struct{}

// Now implements Clock.
func (Real) Now() time.Time { return time.Now().UTC() }

// Sleep implements Clock.
func (Real) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AfterFunc implements Clock.
func (Real) AfterFunc(d time.Duration, fn func()) (stop func()) {
	timer := time.AfterFunc(d, fn)
	return func() { timer.Stop() }
}

// WithTimeout is context.WithTimeoutCause by a clock; a nil cause is the usual
// one.
func WithTimeout(ctx context.Context, c Clock, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	return WithDeadline(ctx, c, c.Now().Add(d), cause)
}

// WithDeadline is context.WithDeadlineCause by a clock; a nil cause is the usual
// one.
func WithDeadline(ctx context.Context, c Clock, at time.Time, cause error) (context.Context, context.CancelFunc) {
	if _, ok := c.(Real); ok {
		return context.WithDeadlineCause(ctx, at, cause)
	}
	inner, cancel := context.WithCancelCause(ctx)
	bounded := &deadlined{Context: inner, at: at}
	expire := func() {
		bounded.expired.Store(inner.Err() == nil)
		cancel(cmp.Or(cause, context.DeadlineExceeded))
	}
	left := at.Sub(c.Now())
	if left <= 0 {
		expire()
		return bounded, func() { cancel(context.Canceled) }
	}
	stop := c.AfterFunc(left, expire)
	return bounded, func() {
		stop()
		cancel(context.Canceled)
	}
}

// deadlined is a context whose deadline is another clock's.
type deadlined struct {
	context.Context
	at      time.Time
	expired atomic.Bool
}

// Deadline implements context.Context.
func (d *deadlined) Deadline() (time.Time, bool) {
	if outer, ok := d.Context.Deadline(); ok && outer.Before(d.at) {
		return outer, true
	}
	return d.at, true
}

// Err implements context.Context.
func (d *deadlined) Err() error {
	err := d.Context.Err()
	if err != nil && d.expired.Load() {
		return context.DeadlineExceeded
	}
	return err
}
