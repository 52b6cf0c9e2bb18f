package apply

import (
	"time"

	"github.com/runbook-engine/runbook/engine/plan"
)

// alarm stops the run once the time left of the runbook's timeout has passed.
// The time in which a person was asked something is added to it.
func (r *run) alarm(left time.Duration) {
	r.unalarm = r.clock.AfterFunc(left, func() {
		r.loop.post(r.done, func() {
			if uncounted := r.asking.lap(r.clock.Now()); uncounted > 0 {
				r.alarm(uncounted)
				return
			}
			if r.interrupted {
				return
			}
			r.timedOut = true
			r.stop("the runbook's timeout of " + plan.Seconds(r.rb.Timeout) + " has passed")
			r.cancelLooks()
		})
	})
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

// lap returns the time measured since the last lap.
func (w *stopwatch) lap(now time.Time) time.Duration {
	if w.running > 0 {
		w.total += now.Sub(w.since)
		w.since = now
	}
	lap := w.total
	w.total = 0
	return lap
}
