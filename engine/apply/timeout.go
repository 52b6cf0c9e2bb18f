package apply

import (
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
)

// alarm stops a frame once its time has passed; zero: it has no bound. The time
// in which a person was asked something is added to it.
func (r *run) alarm(f *frame, bound time.Duration, of string) {
	if bound > 0 {
		r.sound(f, bound, of+" of "+plan.Seconds(bound)+" has passed")
	}
}

func (r *run) sound(f *frame, left time.Duration, why string) {
	asked := r.asking.read(r.clock.Now())
	f.unalarm = r.clock.AfterFunc(left, func() {
		r.loop.post(r.done, func() {
			if uncounted := r.asking.read(r.clock.Now()) - asked; uncounted > 0 {
				r.sound(f, uncounted, why)
				return
			}
			if r.interrupted {
				return
			}
			f.timedOut = true
			f.stop(why)
			f.cancelLooks()
		})
	})
}

// unalarm stops all alarms, and what escalations are still to come.
func (r *run) unalarm() {
	for _, stop := range r.telling.stops {
		stop()
	}
	for _, f := range r.root.all() {
		f.unalarm()
	}
}

// stopwatch measures the time in which at least one of several things goes on.
type stopwatch struct {
	running int
	since   time.Time
	total   time.Duration
}

func (w *stopwatch) start(now time.Time) {
	if w.running == 0 {
		w.since = now
	}
	w.running++
}

func (w *stopwatch) stop(now time.Time) {
	if w.running--; w.running == 0 {
		w.total += now.Sub(w.since)
	}
}

// read returns the time measured so far.
func (w *stopwatch) read(now time.Time) time.Duration {
	if w.running > 0 {
		return w.total + now.Sub(w.since)
	}
	return w.total
}
