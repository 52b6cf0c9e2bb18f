package apply

import (
	"slices"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// exclusion keeps actions whose effects conflict from overlapping and bounds
// how many act at once. It belongs to the loop: no locks.
type exclusion struct {
	loop    *loop
	slots   int // free
	held    []*claim
	waiting []*claim // in the order of their steps
}

// claim is what one action may touch, from its INTENT to its last verify.
type claim struct {
	task    *task
	effects []schema.Effect
	alone   bool // effects are not declared: nothing else may act
	slot    bool // holds one of the slots
	granted bool
	parked  bool
}

// is tells whether a claim is for just what an action would touch.
func (c *claim) is(d schema.Description) bool {
	return c != nil && c.alone == d.Undeclared && slices.Equal(c.effects, d.Effects)
}

// acquire waits until nothing conflicts and a slot is free. It tells whether it
// had to wait: what was looked at before is old then.
func (x *exclusion) acquire(t *task, d schema.Description) (c *claim, waited bool) {
	c = &claim{task: t, effects: d.Effects, alone: d.Undeclared}
	at, _ := slices.BinarySearchFunc(x.waiting, t.order+1, func(w *claim, order int) int { return w.task.order - order })
	x.waiting = slices.Insert(x.waiting, at, c)
	x.grant()
	for !c.granted {
		waited, c.parked = true, true
		t.park()
	}
	return c, waited
}

// finishActing frees the slot; the effects stay claimed until release.
func (x *exclusion) finishActing(c *claim) {
	if c.slot {
		c.slot = false
		x.slots++
		x.grant()
	}
}

// release gives everything back. It may be called more than once.
func (x *exclusion) release(c *claim) {
	if i := slices.Index(x.held, c); i >= 0 {
		x.held = slices.Delete(x.held, i, i+1)
	}
	x.finishActing(c)
	x.grant()
}

// grant lets in whoever conflicts neither with a holder nor with somebody who
// has waited before: nobody starves.
func (x *exclusion) grant() {
	for i := 0; i < len(x.waiting) && x.slots > 0; {
		c := x.waiting[i]
		if conflicts(c, x.held) || conflicts(c, x.waiting[:i]) {
			i++
			continue
		}
		x.waiting = slices.Delete(x.waiting, i, i+1)
		x.held = append(x.held, c)
		x.slots--
		c.slot, c.granted = true, true
		if c.parked {
			x.loop.wake(c.task)
		}
	}
}

func conflicts(c *claim, others []*claim) bool {
	for _, o := range others {
		if c.alone || o.alone {
			return true
		}
		if _, conflict := plan.Conflict(c.effects, o.effects); conflict {
			return true
		}
	}
	return false
}
