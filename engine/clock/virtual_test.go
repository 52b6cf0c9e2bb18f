package clock_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/clock"
)

var epoch = time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)

// diary notes what was done and when.
type diary struct {
	clock *clock.Virtual
	lines []string
}

func newDiary() *diary { return &diary{clock: clock.NewVirtual(epoch)} }

func (d *diary) note(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf("%s %s", d.clock.Now().Sub(epoch), fmt.Sprintf(format, args...)))
}

func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTurnsAreTakenInOrderOfTimeThenSource(t *testing.T) {
	d := newDiary()
	ctx := t.Context()
	for order, pauses := range [][]time.Duration{{3, 1}, {2, 2}, {4}} {
		d.clock.Go(order, func() {
			d.note("%d begins", order)
			for _, p := range pauses {
				if err := d.clock.Sleep(ctx, p*time.Minute); err != nil {
					t.Error(err)
				}
				d.note("%d", order)
			}
		})
	}
	for d.clock.Turn() {
	}
	d.expect(t, "0s 0 begins", "0s 1 begins", "0s 2 begins", "2m0s 1", "3m0s 0", "4m0s 0", "4m0s 1", "4m0s 2")
}

func TestTogetherTakesAsLongAsTheLongest(t *testing.T) {
	d := newDiary()
	d.clock.Run(func() {
		clock.Together(d.clock, 3, func(i int) {
			_ = d.clock.Sleep(t.Context(), time.Duration(i)*time.Second) // never cut
			d.note("%d", i)
		})
		d.note("all")
	})
	d.expect(t, "0s 0", "1s 1", "2s 2", "2s all")
}

func TestVirtualTimeouts(t *testing.T) {
	d := newDiary()
	cause := errors.New("too long")
	d.clock.Run(func() {
		outer, cancelOuter := clock.WithTimeout(t.Context(), d.clock, time.Minute, cause)
		defer cancelOuter()
		inner, cancelInner := context.WithCancel(outer)
		defer cancelInner()
		d.note("in time: %v", d.clock.Sleep(inner, 59*time.Second))
		at, ok := inner.Deadline()
		d.note("deadline %s %v", at.Sub(epoch), ok)
		d.note("late: %v, %v", d.clock.Sleep(inner, 2*time.Second) != nil, outer.Err())
		d.note("cause: %v", context.Cause(inner))
		d.note("after the end: %v", d.clock.Sleep(inner, time.Second) != nil)
		past, cancel := clock.WithDeadline(t.Context(), d.clock, epoch, nil)
		defer cancel()
		d.note("past: %v", past.Err())
		cancelled, cancel := clock.WithTimeout(t.Context(), d.clock, time.Hour, nil)
		cancel()
		d.note("cancelled: %v", cancelled.Err())
	})
	d.expect(t, "59s in time: <nil>", "59s deadline 1m0s true", "1m0s late: true, context deadline exceeded",
		"1m0s cause: too long", "1m0s after the end: true", "1m0s past: context deadline exceeded", "1m0s cancelled: context canceled")
}

// What ends at the very instant of its timeout has ended in time.
func TestSleepBeforeAlarm(t *testing.T) {
	d := newDiary()
	d.clock.Run(func() {
		ctx, cancel := clock.WithTimeout(t.Context(), d.clock, time.Minute, nil)
		defer cancel()
		d.note("%v", d.clock.Sleep(ctx, time.Minute))
	})
	d.expect(t, "1m0s <nil>")
}

func TestAlarmsAreStopped(t *testing.T) {
	d := newDiary()
	stop := d.clock.AfterFunc(time.Second, func() { d.note("stopped one") })
	d.clock.AfterFunc(2*time.Second, func() { d.note("other") })
	stop()
	for d.clock.Turn() {
	}
	d.expect(t, "2s other")
}

// The real clock keeps the same promises.
func TestRealTimeout(t *testing.T) {
	ctx, cancel := clock.WithTimeout(t.Context(), clock.Real{}, time.Nanosecond, nil)
	defer cancel()
	if err := (clock.Real{}).Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slept: %v", err)
	}
	sum := make([]int, 4)
	clock.Together(clock.Real{}, 4, func(i int) { sum[i] = i })
	if diff := cmp.Diff([]int{0, 1, 2, 3}, sum); diff != "" {
		t.Error(diff)
	}
}
