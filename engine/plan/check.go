package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// LookAt looks at the named checks of a runbook, or at all of them, side by
// side, each until it holds or its own time is up. A check with a for_each is
// all of its instances; x["k"] names one of them.
func LookAt(ctx context.Context, frame *eval.Frame, names []string, opts Options, c clock.Clock) ([]Check, error) {
	o := &Observer{Frame: frame, Schemas: opts.Schemas, Backend: opts.Backend}
	o.Scope = eval.New(frame.Runbook, frame.Variables, opts.Run, nil)
	uses, err := o.uses(names)
	if err != nil {
		return nil, err
	}
	checks := make([]Check, len(uses))
	round := new(Round)
	clock.Together(c, len(uses), func(i int) {
		use := uses[i]
		a := &runbook.Assertion{Kind: "check", Name: use.Name, Checks: []runbook.CheckUse{use}}
		checks[i] = Said(strings.TrimPrefix(o.named(ctx, use, eval.Extra{}), "check."), o.until(ctx, round, a, c))
	})
	return checks, nil
}

// uses are the checks that names mean; none: all that there are.
func (o *Observer) uses(names []string) ([]runbook.CheckUse, error) {
	rb := o.Frame.Runbook
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(rb.Checks))
	}
	var uses []runbook.CheckUse
	for _, said := range names {
		name, key := said, (*string)(nil)
		if a, err := address.Parse("step." + said); err == nil && len(a.Parts()) == 1 && a.Parts()[0].Which == address.One {
			name, key = a.Parts()[0].Name, &a.Parts()[0].Key
		}
		check := rb.Checks[name]
		if check == nil {
			return nil, fmt.Errorf("there is no check %q in %s", said, rb.File)
		}
		if key == nil {
			uses = append(uses, o.every([]runbook.CheckUse{{Name: name}})...)
			continue
		}
		i := slices.IndexFunc(o.Frame.Checks[name], func(i eval.Instance) bool { return i.Key == *key })
		if i < 0 {
			return nil, fmt.Errorf("there is no check %s in %s", said, rb.File)
		}
		uses = append(uses, instanceOf(name, o.Frame.Checks[name][i]))
	}
	return uses, nil
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
