package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// LookAt looks at the named checks of a runbook, or at all of them, side by
// side, each until it holds or its own time is up.
func LookAt(ctx context.Context, rb *runbook.Runbook, names []string, opts Options, c clock.Clock) ([]Check, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(rb.Checks))
	}
	for _, name := range names {
		if rb.Checks[name] == nil {
			return nil, fmt.Errorf("there is no check %q in %s", name, rb.File)
		}
	}
	o := &Observer{Runbook: rb, Schemas: opts.Schemas, Backend: opts.Backend}
	o.Scope = eval.New(rb, opts.Variables, opts.Run, nil)
	checks := make([]Check, len(names))
	var wg sync.WaitGroup
	round := new(Round)
	for i, name := range names {
		check := rb.Checks[name]
		wg.Go(func() { checks[i] = Said(name, o.until(ctx, round, &check.Assertion, c)) })
	}
	wg.Wait()
	return checks, nil
}

func (o *Observer) until(ctx context.Context, round *Round, a *runbook.Assertion, c clock.Clock) Sighting {
	watch := o.Watch(a, c.Now())
	for {
		s := o.Look(ctx, round, a, eval.Extra{})
		pause, s := watch.Next(s, c.Now())
		if pause == 0 || c.Sleep(ctx, pause) != nil {
			return s
		}
		round = new(Round)
	}
}

// Said is a sighting as people and machines read it.
func Said(name string, s Sighting) Check {
	c := Check{Name: name, Probe: s.Probe, Status: Status(s.Truth), Message: s.Reason}
	if s.Truth == Holds || s.Truth == Fails {
		holds := s.Truth == Holds
		c.Holds = &holds
	}
	return c
}
