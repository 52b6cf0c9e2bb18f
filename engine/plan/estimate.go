package plan

import (
	"slices"
	"time"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// Estimate is how long a plan should take, learned from earlier runs along the
// critical path of its steps.
type Estimate struct {
	P50Seconds float64  `json:"p50_seconds"`
	P90Seconds float64  `json:"p90_seconds"`
	Runs       int      `json:"runs"`             // of the step that has been seen most
	Unseen     []string `json:"unseen,omitempty"` // steps that would act and have never been seen to: not counted
}

// Foresee estimates how long the steps that would act should take; nil where
// none would, or none has been seen before. earlier holds durations by address.
// Waiting for people is not part of it.
func Foresee(rb *runbook.Runbook, p *Plan, earlier map[string][]time.Duration) *Estimate {
	acts := make(map[string]bool, len(p.Steps))
	for i := range p.Steps {
		s := &p.Steps[i]
		acts[s.Address] = s.Action != "" && s.Decision == string(Run)
	}
	e := &Estimate{}
	type cost struct{ p50, p90 float64 }
	until := make([]cost, len(rb.Steps)) // from the start to the end of each step
	for _, step := range Ordered(rb) {
		var before cost
		for _, edge := range step.Edges {
			before.p50 = max(before.p50, until[edge.To.Index].p50)
			before.p90 = max(before.p90, until[edge.To.Index].p90)
		}
		if acts[step.Address()] {
			seen := slices.Sorted(slices.Values(earlier[step.Address()]))
			if len(seen) == 0 {
				e.Unseen = append(e.Unseen, step.Address())
			} else {
				e.Runs = max(e.Runs, len(seen))
				before.p50 += percentile(seen, 50)
				before.p90 += percentile(seen, 90)
			}
		}
		until[step.Index] = before
		e.P50Seconds, e.P90Seconds = max(e.P50Seconds, before.p50), max(e.P90Seconds, before.p90)
	}
	if e.Runs == 0 {
		return nil
	}
	return e
}

// percentile is the nearest-rank percentile of sorted durations, in seconds.
func percentile(sorted []time.Duration, p int) float64 {
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1].Seconds()
}
