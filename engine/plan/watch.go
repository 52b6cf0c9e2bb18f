package plan

import (
	"fmt"
	"time"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Watch keeps account of the looks at one assertion: until it holds, and then
// for as long as it has to go on holding. It is told the time and never waits.
type Watch struct {
	patience Patience
	deadline time.Time // until when it may still begin to hold
	since    time.Time // it has held since; zero: it does not
	missed   int       // looks in a row, while it has to hold
}

// Watch begins an account at the given time.
func (o *Observer) Watch(a *runbook.Assertion, now time.Time) *Watch {
	p := o.Patience(a)
	return &Watch{patience: p, deadline: now.Add(p.Within)}
}

// Next takes one look into account. It returns how long to pause before the
// next one, or zero and the answer where no other is needed.
func (w *Watch) Next(s Sighting, now time.Time) (time.Duration, Sighting) {
	p := &w.patience
	if s.Truth == Holds {
		if w.since.IsZero() {
			w.since = now
		}
		w.missed = 0
		left := p.HoldFor - now.Sub(w.since)
		if left <= 0 {
			return 0, s
		}
		return min(p.Every, left), s
	}
	if !w.since.IsZero() {
		w.missed++
		if w.missed <= p.Tolerate {
			return p.Every, s
		}
		s.Reason = fmt.Sprintf("it held for %s of %s, then: %s", Seconds(now.Sub(w.since).Round(time.Second)), Seconds(p.HoldFor), s.Reason)
		w.since, w.missed = time.Time{}, 0
	}
	if left := w.deadline.Sub(now); left > 0 {
		return min(p.Every, left), s
	}
	return 0, s
}
