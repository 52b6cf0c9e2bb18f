package apply_test

import (
	"flag"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	rounds = flag.Int("rounds", 40, "how many random runbooks TestProperties draws")
	seed   = flag.Uint64("seed", 1, "the first seed of TestProperties")
)

// Random runbooks in random worlds, killed, interrupted and resumed. A seed that
// fails is printed with the smallest runbook that still does; `-seed N -rounds 1`
// draws it again.
func TestProperties(t *testing.T) {
	for n := range uint64(*rounds) {
		for _, steady := range []bool{true, false} {
			d := sketched(*seed+n, steady)
			if wrong := d.try(t); wrong != "" {
				d, wrong = d.smallest(t, wrong)
				t.Fatalf("seed %d, steady %t:\n%s\n%s\n%s", d.seed, steady, wrong, d.hcl("draft", false), d.told())
			}
		}
	}
}

// try holds a draft against all properties; it returns what is wrong.
func (d *draft) try(t *testing.T) (wrong string) {
	defer func() {
		if panicked := recover(); panicked != nil {
			wrong = fmt.Sprintf("panic: %v\n%s", panicked, debug.Stack())
		}
	}()
	frame, err := d.load(t)
	if err != nil {
		return err.Error()
	}
	undisturbed := d.live(t, frame, disturbance{})
	if len(undisturbed.wrong) > 0 {
		return strings.Join(undisturbed.wrong, "\n")
	}
	again := d.live(t, frame, disturbance{})
	if diff := cmp.Diff(undisturbed.truth.ledger.events, again.truth.ledger.events); diff != "" {
		return "the same inputs, other events:\n" + diff
	}
	dice := undisturbed.truth.dice("disturb")
	all := 0
	for _, groups := range undisturbed.groups {
		all += groups
	}
	for process, groups := range undisturbed.groups {
		for k := 1; k < groups; k++ {
			for _, b := range []disturbance{{process: process, crash: k}, {process: process, interrupt: k}} {
				if !one(dice, 1+all/12) {
					continue
				}
				disturbed := d.live(t, frame, b)
				if len(disturbed.wrong) > 0 {
					return fmt.Sprintf("%+v: %s", b, strings.Join(disturbed.wrong, "\n"))
				}
				if diff := cmp.Diff(undisturbed.came(), disturbed.came()); diff != "" && d.steady && d.comparable(b) && !undisturbed.over && !disturbed.over {
					return fmt.Sprintf("%+v ends otherwise (-undisturbed +disturbed):\n%s%s", b, diff, disturbed.story())
				}
			}
		}
	}
	return ""
}

// smallest takes steps out of a draft that fails for as long as it still does.
func (d *draft) smallest(t *testing.T, wrong string) (*draft, string) {
	for i := 0; i < len(d.steps); {
		smaller := d.without(d.steps[i].name)
		if still := smaller.try(t); still != "" {
			d, wrong, i = smaller, still, 0
			continue
		}
		i++
	}
	return d, wrong
}

// told is what a draft's text does not say: how its world behaves.
func (d *draft) told() string {
	var b strings.Builder
	for _, u := range d.units() {
		if u.kind == "set" {
			for _, d := range u.doings() {
				fmt.Fprintf(&b, "# %s takes %ds and ends %s\n", d.name, d.takes, d.deed.ending)
			}
		}
		if u.called != nil {
			b.WriteString(u.called.hcl(u.name, true))
		}
	}
	return b.String()
}
