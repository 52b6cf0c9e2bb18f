package apply

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// plainly is what exclusion promises, found by comparing each with each.
type plainly struct {
	slots         int
	held, waiting []*claim
}

func (x *plainly) request(c *claim) {
	x.waiting = append(x.waiting, c)
	slices.SortFunc(x.waiting, func(a, b *claim) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	x.grant()
}

func (x *plainly) finishActing(c *claim) {
	if c.slot {
		c.slot = false
		x.slots++
		x.grant()
	}
}

func (x *plainly) release(c *claim) {
	x.held = slices.DeleteFunc(x.held, func(h *claim) bool { return h == c })
	x.finishActing(c)
	x.grant()
}

func (x *plainly) grant() {
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

// Whoever may act, and in what order, is what comparing each with each says:
// whatever is asked for, given back and asked for again.
func TestExclusionGrantsAsIfEachWereComparedWithEach(t *testing.T) {
	resources := []string{"redis://h/0", "redis://h/0/a", "redis://h/0/b", "redis://h/0/a/x", "redis://h", "redis://other/0", "file:///a"}
	modes := []schema.Mode{schema.Read, schema.Write, schema.Delete}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		slots := 1 + random.IntN(4)
		x, plain := &exclusion{slots: slots}, &plainly{slots: slots}
		var live, same []*claim // the same requests, of either
		for turn := range 80 {
			if len(live) == 0 || random.IntN(3) > 0 {
				d := schema.Description{Undeclared: random.IntN(12) == 0}
				for range random.IntN(3) {
					d.Effects = append(d.Effects, schema.Effect{Resource: resources[random.IntN(len(resources))], Mode: modes[random.IntN(len(modes))]})
				}
				c := x.request(&task{order: random.IntN(20)}, d)
				p := &claim{task: c.task, effects: d.Effects, alone: d.Undeclared, ticket: c.ticket}
				plain.request(p)
				live, same = append(live, c), append(same, p)
			} else if i := random.IntN(len(live)); live[i].granted {
				if random.IntN(2) == 0 {
					x.finishActing(live[i])
					plain.finishActing(same[i])
				} else {
					x.release(live[i])
					plain.release(same[i])
					live, same = slices.Delete(live, i, i+1), slices.Delete(same, i, i+1)
				}
			}
			if diff := cmp.Diff(granted(same), granted(live)); diff != "" {
				t.Fatalf("seed %d, turn %d: %s", seed, turn, diff)
			}
		}
	}
}

func granted(claims []*claim) []string {
	var said []string
	for _, c := range claims {
		if c.granted {
			said = append(said, fmt.Sprint(c.ticket))
		}
	}
	return said
}
