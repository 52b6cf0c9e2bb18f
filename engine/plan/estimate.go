package plan

import (
	"slices"
	"time"

	"github.com/runbook-engine/runbook/engine/address"
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
	f := forecast{earlier: earlier, steps: make(map[place][]*Step, len(p.Steps))}
	for i := range p.Steps {
		s := &p.Steps[i]
		if at, err := address.Parse(s.Address); err == nil {
			parts := at.Parts()
			of := place{s.Caller, parts[len(parts)-1].Name}
			f.steps[of] = append(f.steps[of], s)
		}
	}
	whole := f.runbook(rb, "")
	if f.Runs == 0 {
		return nil
	}
	f.P50Seconds, f.P90Seconds = whole.p50, whole.p90
	return &f.Estimate
}

// forecast is an estimate while it is made.
type forecast struct {
	Estimate
	earlier map[string][]time.Duration
	steps   map[place][]*Step // of a plan: the instances of a step, or itself
}

// place is a step's name in the runbook that a step calls.
type place struct{ caller, name string }

type cost struct{ p50, p90 float64 }

func (c cost) most(d cost) cost { return cost{max(c.p50, d.p50), max(c.p90, d.p90)} }
func (c cost) plus(d cost) cost { return cost{c.p50 + d.p50, c.p90 + d.p90} }

// runbook is the cost along the critical path of a runbook's steps.
func (f *forecast) runbook(rb *runbook.Runbook, caller string) (whole cost) {
	until := make([]cost, len(rb.Steps)) // from the start to the end of each step
	for _, step := range Ordered(rb) {
		var before cost
		for _, edge := range step.Edges {
			before = before.most(until[edge.To.Index])
		}
		until[step.Index] = before.plus(f.step(step, caller))
		whole = whole.most(until[step.Index])
	}
	return whole
}

// step is the cost of all instances of a step: side by side, or as many at once
// as it allows.
func (f *forecast) step(step *runbook.Step, caller string) cost {
	var longest, sum cost
	for _, said := range f.steps[place{caller, step.Name}] {
		var c cost
		switch {
		case step.Call != nil && step.Call.Runbook != nil:
			c = f.runbook(step.Call.Runbook, said.Address)
		case said.Action != "" && said.Decision == string(Run):
			c = f.action(said.Address)
		}
		longest, sum = longest.most(c), sum.plus(c)
	}
	if width := float64(step.MaxParallel); width > 0 {
		return longest.most(cost{sum.p50 / width, sum.p90 / width})
	}
	return longest
}

func (f *forecast) action(address string) cost {
	seen := slices.Sorted(slices.Values(f.earlier[address]))
	if len(seen) == 0 {
		f.Unseen = append(f.Unseen, address)
		return cost{}
	}
	f.Runs = max(f.Runs, len(seen))
	return cost{percentile(seen, 50), percentile(seen, 90)}
}

// percentile is the nearest-rank percentile of sorted durations, in seconds.
func percentile(sorted []time.Duration, p int) float64 {
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1].Seconds()
}
