package apply_test

import (
	"context"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// mayBegin holds an attempt against the rules at the moment at which it begins.
func (w *truth) mayBegin(ctx context.Context, f *flight) {
	if place(ctx) != f.address {
		w.blame("%s acts in the name of %s", f.address, place(ctx))
	}
	if w.ledger.crashed {
		w.blame("%s acts though the record has failed", f.address)
	}
	busy := 1
	for _, other := range w.flying {
		if !other.orphan {
			busy++
		}
		_, conflict := plan.Conflict(f.effects, other.effects)
		if other.unit == f.unit || conflict || f.alone || other.alone {
			w.blame("%s acts (attempt %d) while %s does (attempt %d)", f.address, f.number, other.address, other.number)
		}
	}
	if busy > w.slots {
		w.blame("%s acts as number %d, the limit is %d", f.address, busy, w.slots)
	}
	w.mayRepeat(f)
}

// mayRepeat looks at the record of the attempts at the same deed before this one: what is neither
// idempotent nor keyed is not done again unless it is certain that it was not
// done, or a person says so, and a key does not change before that.
func (w *truth) mayRepeat(f *flight) {
	var last *event.Attempt
	open := false // nobody knows what came of an attempt with this key
	for _, e := range w.ledger.events {
		if e.Step != f.address || e.Type != event.ActionStarted && e.Type != event.ActionFinished || f.unit.doing(e.Attempt).name != f.name {
			continue
		}
		switch e.Type {
		case event.ActionStarted:
			if e.Attempt.Number == f.number {
				if e.Attempt.Key != f.key {
					w.blame("%s acts with another key than its intent has", f.address)
				}
				w.begins(f, last, open)
				return
			}
			open = open || last != nil && last.State == ""
		case event.ActionFinished:
			if e.Attempt.State == schema.Unknown {
				open = true
			} else if e.Attempt.Settled != "" || e.Attempt.State == schema.Done {
				open = false
			}
		}
		attempt := *e.Attempt
		last = &attempt
	}
	w.blame("%s acts without an intent on record (attempt %d)", f.address, f.number)
}

func (w *truth) begins(f *flight, last *event.Attempt, open bool) {
	if last == nil || last.Settled == "person" && last.Failure.Code == "wanted_again" {
		return
	}
	certain := !open && (last.State == schema.FailedClean || last.State == schema.FailedPartial)
	repeatable := f.class == "idempotent" || f.class == "keyed"
	switch {
	case last.State == schema.Done:
		w.blame("%s acts again (attempt %d) though it was done", f.name, f.number)
	case !repeatable && !(certain && last.State == schema.FailedClean):
		w.blame("%s, which is %s, acts again (attempt %d) after it ended %q", f.name, f.class, f.number, last.State)
	case !certain && last.Key != f.key:
		w.blame("%s acts again (attempt %d) with another key though nobody knows what came of the attempt before", f.address, f.number)
	}
}
