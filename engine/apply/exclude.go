package apply

import (
	"container/heap"
	"slices"

	"github.com/runbook-engine/runbook/providers/schema"
)

// exclusion keeps actions whose effects conflict from overlapping and bounds
// how many act at once. It belongs to the loop: no locks.
//
// A claim that waits is in one of two places: in ready, or with the one claim
// that it was last found to be blocked by, until that is released. So a release
// looks again at those alone that it may have let go, and not at all that wait.
type exclusion struct {
	loop    *loop
	slots   int // free
	tickets int // given out
	ready   ready
	claims  contention // held and waiting
}

// claim is what one action may touch, from its INTENT to its last verify.
type claim struct {
	task    *task
	effects []schema.Effect
	alone   bool // effects are not declared: nothing else may act
	ticket  int  // by arrival
	slot    bool // holds one of the slots
	granted bool
	gone    bool // released
	parked  bool
	blocks  []*claim // those that wait for this one to be released
}

// is tells whether a claim is for just what an action would touch.
func (c *claim) is(d schema.Description) bool {
	return c != nil && c.alone == d.Undeclared && slices.Equal(c.effects, d.Effects)
}

// before tells whether c has its turn before another claim: in the order of
// their steps, and of those of one step by arrival.
func (c *claim) before(other *claim) bool {
	if c.task.order != other.task.order {
		return c.task.order < other.task.order
	}
	return c.ticket < other.ticket
}

// acquire waits until nothing conflicts and a slot is free. It tells whether it
// had to wait: what was looked at before is old then.
func (x *exclusion) acquire(t *task, d schema.Description) (c *claim, waited bool) {
	c = x.request(t, d)
	for !c.granted {
		waited, c.parked = true, true
		t.park()
	}
	return c, waited
}

// request puts a claim among those that wait, and grants it where it can.
func (x *exclusion) request(t *task, d schema.Description) *claim {
	x.tickets++
	c := &claim{task: t, effects: d.Effects, alone: d.Undeclared, ticket: x.tickets}
	x.claims.add(c)
	heap.Push(&x.ready, c)
	x.grant()
	return c
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
	if !c.gone {
		c.gone = true
		x.claims.remove(c)
		for _, blocked := range c.blocks {
			heap.Push(&x.ready, blocked)
		}
		c.blocks = nil
	}
	x.finishActing(c)
	x.grant()
}

// grant lets in whoever conflicts neither with a holder nor with somebody whose
// turn is before: nobody starves.
func (x *exclusion) grant() {
	for x.slots > 0 && len(x.ready) > 0 {
		c := heap.Pop(&x.ready).(*claim)
		if blocker := x.claims.blocker(c); blocker != nil {
			blocker.blocks = append(blocker.blocks, c)
			continue
		}
		x.claims.hold(c)
		x.slots--
		c.slot, c.granted = true, true
		if c.parked {
			x.loop.wake(c.task)
		}
	}
}

// ready is a heap of waiting claims, whoever's turn is first at its top.
type ready []*claim

// Len implements heap.Interface.
func (r ready) Len() int { return len(r) }

// Less implements heap.Interface.
func (r ready) Less(i, j int) bool { return r[i].before(r[j]) }

// Swap implements heap.Interface.
func (r ready) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

// Push implements heap.Interface.
func (r *ready) Push(c any) { *r = append(*r, c.(*claim)) }

// Pop implements heap.Interface.
func (r *ready) Pop() any {
	last := len(*r) - 1
	c := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	return c
}
