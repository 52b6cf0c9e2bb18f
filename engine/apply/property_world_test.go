package apply_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// truth is the world of a draft: what the engine believes is held against it. It
// outlives the processes of a run, and what they leave behind.
type truth struct {
	doings  map[string]doing // by switch
	seed    uint64
	slots   int
	clock   *clock.Virtual
	ledger  *ledger
	schema  *schema.Provider
	on      map[string]bool
	effects map[string]int  // by switch, how often it had its effect
	keyed   map[string]bool // switch and key: the backend refuses the second
	looks   map[string]int
	flying  []*flight
	wrong   []string // what the engine should not have done
}

// flight is an attempt that is under way.
type flight struct {
	doing
	number  int
	nth     int // of those at the same deed
	effects []schema.Effect
	alone   bool
	key     string
	until   time.Time
	orphan  bool // its process is gone, and it works on
}

func newTruth(d *draft, units []*unit) *truth {
	w := &truth{
		doings: map[string]doing{}, seed: d.seed, slots: d.maxParallel, on: map[string]bool{"yes": true}, effects: map[string]int{},
		keyed: map[string]bool{}, looks: map[string]int{}, schema: truthSchema(),
		clock: clock.NewVirtual(time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC)),
	}
	w.ledger = &ledger{truth: w, limit: -1, held: map[string]bool{}}
	for _, u := range units {
		for _, d := range u.doings() {
			w.doings[d.name] = d
		}
	}
	return w
}

func truthSchema() *schema.Provider {
	result := schema.Object{Attributes: []schema.Attribute{
		attribute("ok", cty.Bool, true), attribute("summary", cty.String, true), attribute("value", cty.String, true),
	}}
	p := &schema.Provider{Name: "fake", Operations: []schema.OperationSchema{
		{Name: "get", Kind: schema.Probe, Result: result, Arguments: schema.Object{Attributes: []schema.Attribute{attribute("name", cty.String, true), attribute("text", cty.String, false)}}},
	}}
	for _, class := range []schema.Settling{schema.Manual, schema.Observed, schema.Idempotent, schema.Keyed} {
		p.Operations = append(p.Operations, schema.OperationSchema{
			Name: string(class), Kind: schema.Action, Result: result, Settling: class, Settles: class == schema.Observed, Previews: true,
			Arguments: schema.Object{Attributes: []schema.Attribute{
				attribute("name", cty.String, true), attribute("touches", cty.String, false), attribute("mode", cty.String, true),
				attribute("undeclared", cty.Bool, true), attribute("destroys", cty.Bool, true), attribute("text", cty.String, true),
			}},
		})
	}
	return p
}

func (w *truth) Schema(context.Context, string) (*schema.Provider, error) { return w.schema, nil }

func (w *truth) blame(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// dice are what happens by chance: the same for the same seed and name.
func (w *truth) dice(of ...any) *rand.Rand {
	sum := fnv.New64a()
	_, _ = fmt.Fprintln(sum, of...) // never fails
	return rand.New(rand.NewPCG(w.seed, sum.Sum64()))
}

func (w *truth) Describe(_ context.Context, _ string, op schema.Operation) (schema.Description, error) {
	resource := text(op.Arguments, "touches")
	if resource == "" {
		resource = "fake://own/" + text(op.Arguments, "name")
	}
	return schema.Description{
		Effects:    []schema.Effect{{Resource: resource, Mode: schema.Mode(text(op.Arguments, "mode"))}},
		Undeclared: op.Arguments.GetAttr("undeclared").True(), Destructive: op.Arguments.GetAttr("destroys").True(),
	}, nil
}

func (w *truth) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	return w.Describe(ctx, ref, op)
}

func (w *truth) Observe(_ context.Context, _ string, op schema.Operation) (schema.Outcome, error) {
	name := text(op.Arguments, "name")
	w.looks[name]++
	is := w.on[name]
	switch name {
	case "err":
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "refused", Message: "refused"}}, nil
	case "maybe":
		dice := w.dice("look", w.looks[name])
		if one(dice, 4) {
			return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "refused", Message: "refused"}}, nil
		}
		is = one(dice, 2)
	}
	return answer(is, name, strconv.FormatBool(is)), nil
}

func (w *truth) Act(ctx context.Context, _ string, op schema.Operation, _ func(schema.Progress)) schema.Outcome {
	doing := w.doings[text(op.Arguments, "name")]
	number, err := strconv.Atoi(op.Handle[strings.LastIndex(op.Handle, "/")+1:])
	if err != nil {
		panic(err)
	}
	d, _ := w.Describe(ctx, "", op)
	f := &flight{doing: doing, number: number, effects: d.Effects, alone: d.Undeclared, key: op.Key, until: w.clock.Now().Add(time.Duration(doing.takes) * time.Second)}
	f.nth = w.ledger.attempts(f)
	w.mayBegin(ctx, f)
	w.flying = append(w.flying, f)
	w.ledger.held[op.AttemptLock] = true
	cut := w.clock.Sleep(ctx, f.until.Sub(w.clock.Now())) != nil
	if f.orphan || w.ledger.crashed {
		return schema.Outcome{State: schema.Unknown} // nobody hears it
	}
	w.land(f)
	if cut {
		if one(w.dice("cut", f.name), 2) {
			return failing2(schema.FailedClean, "cancelled")
		}
		return failing2(schema.FailedPartial, "cancelled")
	}
	return w.end(f)
}

// land takes an attempt out of the air.
func (w *truth) land(f *flight) {
	w.flying = slices.DeleteFunc(w.flying, func(other *flight) bool { return other == f })
	delete(w.ledger.held, w.ledger.AttemptLock(f.address, f.number))
}

// ending is how an attempt ends.
func (w *truth) ending(f *flight) string {
	switch {
	case f.deed.ending == wild:
		return pick(w.dice("ending", f.name, f.number), well, well, clean, partial, lostIt, tookIt)
	case f.nth > 1 && (f.deed.ending == lostIt || f.deed.ending == tookIt):
		return well
	}
	return f.deed.ending
}

// end is the end of an attempt, with its effect.
func (w *truth) end(f *flight) schema.Outcome {
	ending := w.ending(f)
	if ending == well || ending == tookIt {
		w.take(f)
	}
	switch ending {
	case clean:
		return failing2(schema.FailedClean, "refused")
	case partial:
		return failing2(schema.FailedPartial, "half done")
	case lostIt, tookIt:
		return failing2(schema.Unknown, "the provider died")
	}
	return answer(true, f.name, f.name)
}

func failing2(state schema.State, why string) schema.Outcome {
	return schema.Outcome{State: state, Failure: &schema.Failure{Code: "broken", Message: why}}
}

// take is an action's effect. A backend that knows keys refuses the second. A
// step's own switch says whether what it is for is so.
func (w *truth) take(f *flight) {
	w.on[f.own] = f.back == nil || f.deed != &f.back.deed
	w.on[f.name] = true
	if f.class == "keyed" {
		if w.keyed[f.name+f.key] {
			return
		}
		w.keyed[f.name+f.key] = true
	}
	w.effects[f.name]++
}

func (w *truth) Settle(_ context.Context, _ string, op schema.Operation) schema.Outcome {
	d := w.doings[text(op.Arguments, "name")]
	switch {
	case d.deed.ending == wild && one(w.dice("settle", d.name), 3):
		return schema.Outcome{State: schema.Unknown}
	case w.on[d.name]:
		return answer(true, d.name, d.name)
	}
	return failing2(schema.FailedClean, "never begun")
}

// die is the death of the process: of what it had begun some dies with it, with
// or without its effect, and some works on.
func (w *truth) die() {
	for _, f := range slices.Clone(w.flying) {
		dice := w.dice("die", f.name, f.number)
		takes := w.ending(f) == well || w.ending(f) == tookIt
		if one(dice, 3) {
			f.orphan = true
			w.clock.AfterFunc(f.until.Sub(w.clock.Now()), func() {
				w.land(f)
				if takes {
					w.take(f)
				}
			})
			continue
		}
		if w.land(f); takes && one(dice, 2) {
			w.take(f)
		}
	}
}

// ledger is the record of a run, which may break off in the middle.
type ledger struct {
	truth     *truth
	events    []event.Event
	groups    int // appended: each is durable as a whole, or not at all
	limit     int // groups until the process dies; -1: never
	at        int // the group at which signal is closed
	signal    chan struct{}
	signalled time.Time
	since     int // events on record as it was
	crash     context.CancelFunc
	crashed   bool
	held      map[string]bool // attempt locks
}

func (l *ledger) Append(events ...event.Event) error {
	if l.groups == l.limit && !l.crashed {
		l.crashed = true
		l.truth.die()
		l.crash()
	}
	if l.crashed {
		return errCrashed
	}
	l.events = append(l.events, events...)
	if l.groups++; l.signal != nil && l.groups == l.at {
		l.signalled, l.since = l.truth.clock.Now(), len(l.events)
		close(l.signal)
	}
	return nil
}

// attempts counts those at a deed, up to one that is under way.
func (l *ledger) attempts(f *flight) int {
	n := 0
	for _, e := range l.events {
		if e.Step == f.address && e.Type == event.ActionStarted && f.unit.doing(e.Attempt).name == f.name {
			n++
		}
	}
	return n
}

var errCrashed = fmt.Errorf("the process is gone")

func (l *ledger) Log(string, string) error              { return nil }
func (l *ledger) Pin(string) (*event.File, error)       { return nil, nil }
func (l *ledger) AttemptLock(step string, n int) string { return fmt.Sprintf("%s.%d", step, n) }
func (l *ledger) AttemptFree(path string) (bool, error) { return !l.held[path], nil }

// place is the step that a backend is called for.
func place(ctx context.Context) string { return plan.Places(ctx)[0] }
