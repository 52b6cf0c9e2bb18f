package apply_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// disturbance is what happens to a process of a run, after so many groups of
// events; zero: it does not.
type disturbance struct{ process, crash, interrupt int }

// life is a run from its first process to its end, with a person beside it who
// approves what waits, and knows what came of what nobody knows.
type life struct {
	draft    *draft
	units    []*unit
	truth    *truth
	opts     apply.Options
	statuses map[string]string
	groups   []int             // of events, by process
	said     map[string]string // what the person says in the next process, by switch
	asked    map[string]bool   // what was said of a deed, and heard: by switch
	over     bool
	back     bool // somebody has had it taken back
	wrong    []string
}

// mostProcesses bounds a life: one that needs more goes round in circles.
const mostProcesses = 20

func (d *draft) load(t *testing.T) (*eval.Frame, error) {
	dir, err := os.MkdirTemp(t.TempDir(), "draft")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range d.files() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rb, diags := runbook.Load(filepath.Join(dir, "draft.hcl"))
	if diags.HasErrors() {
		return nil, diags
	}
	frame, diags := eval.Link(t.Context(), rb, eval.Sources{}, eval.Run{ID: "r"})
	if diags.HasErrors() {
		return nil, diags
	}
	return frame, nil
}

func (d *draft) live(t *testing.T, frame *eval.Frame, b disturbance) *life {
	units := d.units()
	l := &life{draft: d, units: units, truth: newTruth(d, units), statuses: map[string]string{}, asked: map[string]bool{}}
	l.opts = apply.Options{
		Frame: frame, Run: eval.Run{ID: "r", Operator: "ana", StartedAt: l.truth.clock.Now()}, Backend: l.truth, Schemas: l.truth, Record: l.truth.ledger,
		Screen: nobody{}, Clock: l.truth.clock, Approved: map[string][]apply.Approval{}, Resolve: map[string]string{}, LockTimeout: 30 * time.Second,
	}
	for n := range mostProcesses {
		now := disturbance{}
		if n == b.process {
			now = b
		}
		l.opts.TakeBack, l.opts.Start.TakeBack = l.back && !l.recordedBack(), l.back
		ended := l.process(t.Context(), now)
		switch {
		case len(l.wrong) > 0, ended && (l.back || !d.byHand):
			return l
		case ended:
			l.back = true
		}
	}
	l.wrong = append(l.wrong, "it never comes to an end", l.story())
	return l
}

// recordedBack tells whether it is on record that the run is taken back by hand.
func (l *life) recordedBack() bool {
	return slices.ContainsFunc(l.truth.ledger.events, func(e event.Event) bool { return e.Type == event.RunStarted && e.Start.TakeBack })
}

// process is one process of the run. It tells whether the run has come to its
// end.
func (l *life) process(ctx context.Context, b disturbance) (ended bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ledger, before, groups := l.truth.ledger, len(l.truth.ledger.events), l.truth.ledger.groups
	ledger.limit, ledger.at, ledger.signal, ledger.signalled, ledger.crash, ledger.crashed = -1, groups+b.interrupt, nil, time.Time{}, cancel, false
	if b.crash > 0 {
		ledger.limit = groups + b.crash
	}
	if b.interrupt > 0 {
		ledger.signal = make(chan struct{})
	}
	l.opts.Interrupt = ledger.signal
	l.opts.History = slices.Clone(ledger.events)
	p := &process{draft: l.draft, units: l.units, kept: l.keeps(), was: maps.Clone(l.statuses), history: l.opts.History}
	p.result = apply.Run(ctx, l.opts)
	p.events, p.whole, p.interrupted = ledger.events[before:], !ledger.crashed, ledger.signalled
	if p.since = len(p.events); ledger.signal != nil && !p.interrupted.IsZero() {
		p.since = ledger.since - before
	}
	l.groups = append(l.groups, ledger.groups-groups)
	l.wrong = slices.Concat(l.wrong, l.truth.wrong, p.obeys(), p.takesBack())
	for _, e := range p.events {
		if e.Type == event.StepFinished {
			l.end(e.Step, e.Status)
		}
	}
	if len(l.wrong) > 0 {
		l.wrong = append(l.wrong, l.story())
		return true
	}
	l.over = l.over || p.result.Over
	l.answer(p)
	over := p.result.Over && !l.back // a resume only settles
	return p.whole && (over || p.result.Outcome != apply.Interrupted && len(p.result.Waiting) == 0) && len(p.result.Unknown) == 0
}

// end notes how a step has ended: a for_each that did not come to its instances
// ends for all of them.
func (l *life) end(address, status string) {
	for _, u := range l.units {
		if u.address == address || u.whole == address {
			l.statuses[u.address] = status
		}
	}
}

// keeps is what a resume keeps of how steps have ended.
func (l *life) keeps() map[string]string {
	kept := map[string]string{}
	a := accountOf(l.units, l.truth.ledger.events)
	if l.opts.TakeBack {
		a.back[nil] = event.RollbackByHand
	}
	for _, u := range l.units {
		status := l.statuses[u.address]
		switch {
		case a.takenBack(u):
			if status != "unknown" {
				kept[u.address] = status
			}
		case u.inside != nil && kept[u.inside.address] != "":
			kept[u.address] = status
		case status == "skipped", u.kind != "gate" && (status == "done" || status == "satisfied"):
			kept[u.address] = status
		}
	}
	return kept
}

// answer is what the person does before the next process.
func (l *life) answer(p *process) {
	events := l.truth.ledger.events
	for _, address := range p.result.Waiting { // a killed process too has asked
		for _, e := range events {
			if e.Step == address && e.Type == event.StepWaiting && e.WaitsFor == "person" {
				l.opts.Approved[address] = []apply.Approval{{Shown: true, Effects: e.Attempt.Effects, Impact: e.Attempt.Impact, Fallback: e.Attempt.Fallback, WayBack: e.Attempt.WayBack}}
			}
		}
	}
	for name := range l.said {
		l.asked[name] = l.asked[name] || p.whole
	}
	l.opts.Resolve, l.said = map[string]string{}, map[string]string{}
	for _, u := range l.units {
		open := l.open(u)
		unknown := p.whole && slices.Contains(p.result.Unknown, u.address)
		// Of a killed process what the engine cannot find out by itself is said at
		// once: else what asks for a status would see that nobody knows.
		if unknown || !p.whole && open != nil && u.doing(open).class == "manual" && !(u.goal && !open.TakesBack && (l.truth.on[u.own] || l.took(u.doing(open)))) {
			l.opts.Resolve[u.address] = l.word(u)
			l.said[u.doing(l.last(u)).name] = l.opts.Resolve[u.address]
		}
	}
}

// open is a unit's last attempt where nobody knows what came of it.
func (l *life) open(u *unit) *event.Attempt {
	if last := l.last(u); last != nil && (last.State == "" || last.State == schema.Unknown) {
		return last
	}
	return nil
}

// last is a unit's last attempt.
func (l *life) last(u *unit) *event.Attempt {
	var last *event.Attempt
	for _, e := range l.truth.ledger.events {
		if e.Step == u.address && (e.Type == event.ActionStarted || e.Type == event.ActionFinished) {
			last = e.Attempt
		}
	}
	return last
}

// word is what came of a unit's last attempt. What is over is not done again.
func (l *life) word(u *unit) string {
	d := u.doing(l.last(u))
	switch {
	case l.took(d):
		return apply.ResolveDone
	case l.asked[d.name] || l.wanted(d):
		return apply.ResolveFail
	}
	return apply.ResolveRetry
}

// wanted tells whether a person has had a deed done again before.
func (l *life) wanted(d doing) bool {
	return slices.ContainsFunc(l.truth.ledger.events, func(e event.Event) bool {
		return e.Step == d.address && e.Type == event.ActionFinished && e.Attempt.Settled == "person" &&
			e.Attempt.Failure != nil && e.Attempt.Failure.Code == "wanted_again" && d.unit.doing(e.Attempt).name == d.name
	})
}

// took tells whether a deed has had its effect, or will have had it once nobody
// works at it any more.
func (l *life) took(d doing) bool {
	return l.truth.on[d.name] || slices.ContainsFunc(l.truth.flying, func(f *flight) bool {
		return f.name == d.name && (l.truth.ending(f) == well || l.truth.ending(f) == tookIt)
	})
}

// came is what a life has come to: how each step ended, and how often what must
// not be done twice was done.
func (l *life) came() map[string]string {
	came := map[string]string{}
	for address, status := range l.statuses {
		came[address] = status
	}
	for _, u := range l.units {
		for _, d := range u.doings() {
			// Where the goal says that it is done, a fallback's part in it does not count.
			if d.class != "idempotent" && (!u.goal || len(u.fallbacks) == 0 || d.name == u.own) {
				came[u.address] += fmt.Sprintf(", %s %d times", d.name, l.truth.effects[d.name])
			}
		}
	}
	return came
}

// story tells a life in one line an event.
func (l *life) story() string {
	var b strings.Builder
	start := l.truth.ledger.events[0].Time
	for _, e := range l.truth.ledger.events {
		fmt.Fprintf(&b, "%3d %6s %-15s %-12s %s", e.Seq, e.Time.Sub(start).Truncate(time.Second), e.Type, e.Step, e.Status+e.Outcome)
		if e.Rollback != "" {
			fmt.Fprintf(&b, " because of %s", e.Rollback)
		}
		if e.Attempt != nil {
			fmt.Fprintf(&b, " #%d%s %s %s", e.Attempt.Number, e.Attempt.Fallback, e.Attempt.State, e.Attempt.Settled)
		}
		if e.Observation != nil {
			fmt.Fprintf(&b, " %s %s", e.Observation.Kind, e.Observation.Name)
		}
		fmt.Fprintf(&b, " %s\n", e.Message)
	}
	return b.String()
}
