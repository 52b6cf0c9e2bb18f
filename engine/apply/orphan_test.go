package apply_test

import (
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// What an earlier process has left at work keeps others off what it touches, also
// a step whose turn comes before that of the orphan's own.
func TestNothingActsBesideAnOrphan(t *testing.T) {
	touch := strings.ReplaceAll(set, "}", "  touches = \"fake://host/same\"\n}") + goesOn
	for name, test := range map[string]struct {
		works time.Duration
		want  string
	}{
		"that ends":      {10 * time.Second, "succeeded: a=done b=done"},
		"that works on":  {time.Hour, "failed: a=blocked b=unknown"},
		"of another one": {time.Hour, "failed: a=done b=unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			source := step("a", touch+guarded) + step("b", touch)
			if name == "of another one" {
				source = step("a", set+goesOn+guarded) + step("b", touch)
			}
			tr := virtualTrial(t, source)
			tr.expect(tr.run(), "failed: a=blocked b=done")
			tr.crashed(event.ActionStarted, "step.b")
			tr.values["p"] = "on"
			tr.opts.LockTimeout = 30 * time.Second
			tr.record.held["step.b.1"] = true
			tr.clock.(*clock.Virtual).AfterFunc(test.works, func() { delete(tr.record.held, "step.b.1") })
			began := tr.clock.Now()
			tr.settling = schema.Idempotent
			r := tr.again()
			tr.expect(r, test.want)
			for _, e := range tr.record.events {
				if e.Type == event.ActionStarted && e.Step == "step.a" && test.works < time.Hour && e.Time.Sub(began) < test.works {
					t.Errorf("a acts %s after the resume", e.Time.Sub(began))
				}
			}
			if name == "that works on" && !strings.Contains(r.Steps[0].Reason, "attempt 1 of step.b still works") {
				t.Errorf("a says %q", r.Steps[0].Reason)
			}
		})
	}
}
