package apply_test

import (
	"context"
	"fmt"
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

// disturbance is what happens to the first process of a run, after so many
// groups of events; zero: it does not.
type disturbance struct{ crash, interrupt int }

// life is a run from its first process to its end, with a person beside it who
// approves what waits, and knows what came of what nobody knows.
type life struct {
	draft    *draft
	units    []*unit
	truth    *truth
	opts     apply.Options
	statuses map[string]string
	first    int // groups of events of the first process
	over     bool
	asked    map[string]bool // whose action is to be done again, by the person's word
	wrong    []string
}

// mostProcesses bounds a life: one that needs more goes round in circles.
const mostProcesses = 12

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
		Frame: frame, Run: eval.Run{ID: "r", StartedAt: l.truth.clock.Now()}, Backend: l.truth, Schemas: l.truth, Record: l.truth.ledger,
		Screen: nobody{}, Clock: l.truth.clock, Approved: map[string][]apply.Approval{}, Resolve: map[string]string{}, LockTimeout: 30 * time.Second,
	}
	for range mostProcesses {
		if l.process(t.Context(), b) || len(l.wrong) > 0 {
			return l
		}
		b = disturbance{}
	}
	l.wrong = append(l.wrong, "it never comes to an end", l.story())
	return l
}

// process is one process of the run. It tells whether the run has come to its
// end.
func (l *life) process(ctx context.Context, b disturbance) (ended bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ledger, before := l.truth.ledger, len(l.truth.ledger.events)
	ledger.limit, ledger.at, ledger.signal, ledger.signalled, ledger.crash, ledger.crashed = -1, b.interrupt, nil, time.Time{}, cancel, false
	if b.crash > 0 {
		ledger.limit = b.crash
	}
	if b.interrupt > 0 {
		ledger.signal = make(chan struct{})
	}
	l.opts.Interrupt = ledger.signal
	l.opts.History = slices.Clone(ledger.events)
	p := &process{draft: l.draft, units: l.units, kept: l.keeps()}
	p.result = apply.Run(ctx, l.opts)
	p.events, p.whole, p.interrupted = ledger.events[before:], !ledger.crashed, ledger.signalled
	if l.first == 0 {
		l.first = ledger.groups
	}
	l.wrong = append(append(l.wrong, l.truth.wrong...), p.obeys()...)
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
	return p.whole && p.result.Outcome != apply.Interrupted && len(p.result.Waiting)+len(p.result.Unknown) == 0 || p.result.Over && p.whole && len(p.result.Unknown) == 0
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
	for _, u := range l.units {
		status := l.statuses[u.address]
		switch {
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
				l.opts.Approved[address] = []apply.Approval{{Shown: true, Effects: e.Attempt.Effects, Impact: e.Attempt.Impact}}
			}
		}
	}
	l.opts.Resolve = map[string]string{}
	for _, u := range l.units {
		unknown := p.whole && slices.Contains(p.result.Unknown, u.address)
		// Of a killed process what the engine cannot find out by itself is said at
		// once: else what asks for a status would see that nobody knows.
		if unknown || !p.whole && u.class == "manual" && l.open(u) && !(u.goal && l.took(u)) {
			l.opts.Resolve[u.address] = l.word(u)
		}
	}
}

// open tells whether nobody knows what came of a unit's last attempt.
func (l *life) open(u *unit) bool {
	var last *event.Attempt
	for _, e := range l.truth.ledger.events {
		if e.Step == u.address && e.Attempt != nil && e.Type != event.StepWaiting {
			last = e.Attempt
		}
	}
	return last != nil && (last.State == "" || last.State == schema.Unknown)
}

// word is what came of it. What is over is not done again.
func (l *life) word(u *unit) string {
	switch {
	case l.took(u):
		return apply.ResolveDone
	case l.asked[u.address]:
		return apply.ResolveFail
	}
	l.asked[u.address] = true
	return apply.ResolveRetry
}

// took tells whether a unit's action has had its effect, or will have had it once
// nobody works at it any more.
func (l *life) took(u *unit) bool {
	return l.truth.on[u.own] || slices.ContainsFunc(l.truth.flying, func(f *flight) bool {
		return f.unit == u && (l.truth.ending(f) == well || l.truth.ending(f) == tookIt)
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
		if u.kind == "set" && u.class != "idempotent" {
			came[u.address] += fmt.Sprintf(", %d times", l.truth.effects[u.own])
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
		if e.Attempt != nil {
			fmt.Fprintf(&b, " #%d %s %s", e.Attempt.Number, e.Attempt.State, e.Attempt.Settled)
		}
		if e.Observation != nil {
			fmt.Fprintf(&b, " %s %s", e.Observation.Kind, e.Observation.Name)
		}
		fmt.Fprintf(&b, " %s\n", e.Message)
	}
	return b.String()
}

// comparable tells whether what a draft comes to does not depend on what happens
// to end first: where the bad end of a step stops others, they are all in a row.
// What always steps did after an interrupt stands.
func (d *draft) comparable(b disturbance) bool {
	for _, s := range d.steps {
		if s.called != nil && slices.ContainsFunc(s.called.steps, func(s *sketch) bool { return s.always }) && s.mayEndBadly() {
			return false
		}
		if s.called != nil && !s.called.comparable(b) || s.always && b.interrupt > 0 {
			return false
		}
		if s.roll > 1 && (s.mayEndBadly() || s.mayBeUnknown()) { // the bad end of one ends the roll of the others
			return false
		}
		// A step that was skipped stays so, whatever comes later of whom it asks.
		if s.asks != "" && (d.named(s.asks).mayBeUnknown() || d.named(s.asks).mayEndBadly()) {
			return false
		}
		inARow := !slices.ContainsFunc(d.steps, func(s *sketch) bool { return !s.written }) && (s.keys == nil || s.roll == 1)
		if (s.mayEndBadly() && d.stops(s, "failed") || s.mayBeUnknown() && d.stops(s, "unknown")) && !inARow {
			return false
		}
	}
	return true
}

func (s *sketch) mayBeUnknown() bool {
	if s.called != nil {
		return slices.ContainsFunc(s.called.steps, (*sketch).mayBeUnknown)
	}
	return s.ending == lostIt || s.ending == tookIt
}

func (s *sketch) mayEndBadly() bool {
	if s.called != nil && slices.ContainsFunc(s.called.steps, func(s *sketch) bool { return s.mayEndBadly() || s.mayBeUnknown() }) {
		return true
	}
	return s.ending == clean || s.ending == partial || s.when == "err" || s.before == "err" || s.before == "no" || s.proof == "no" || s.proof == "err"
}
