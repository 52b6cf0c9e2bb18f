package rehearse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Injection is one run of a test in which one thing went wrong.
type Injection struct {
	Fault
	Outcome  string        // of the run
	Took     time.Duration // virtual
	Problems []string      // empty: it ended as it has to, and every invariant holds
	Trail    []string      // what became of the steps, in the order in which they ended
}

// OK tells whether nothing is wrong with how the run ended.
func (i Injection) OK() bool { return len(i.Problems) == 0 }

// exhaust repeats a run once for each single thing that can go wrong in it. The
// plan is as it was: a fault begins when the run does.
func (r *rehearsal) exhaust(ctx context.Context, undisturbed *backend) []Injection {
	var all []Injection
	for _, fault := range undisturbed.faults() {
		if ctx.Err() != nil {
			break
		}
		b := r.backend(undisturbed.begun)
		b.fault = &fault
		if b.crashAfter = r.test.CrashAfter; fault.Kind == Crash {
			b.crashAfter = fault.At
		}
		r.apply(ctx, b)
		injection := Injection{Fault: fault, Outcome: b.result.Outcome, Took: b.clock.Now().Sub(epoch), Trail: trail(b.record.events)}
		injection.Problems = append(injection.Problems, b.unmocked...)
		if len(b.unmocked) == 0 {
			injection.Problems = append(b.improper(), r.broken(ctx, b)...)
		}
		all = append(all, injection)
	}
	return all
}

// improper says what is wrong with how a run ended, whatever came of it: each
// step has one status or waits, and the record says so.
func (b *backend) improper() []string {
	if b.panicked != "" {
		return []string{"the engine panicked: " + b.panicked}
	}
	var problems []string
	finished := map[string]int{}
	outcome := ""
	for _, e := range b.record.events {
		switch e.Type {
		case event.RunStarted:
			clear(finished)
			outcome = ""
		case event.StepStarted:
			if e.Rollback != "" { // how it was taken back is told instead
				finished[e.Step] = 0
			}
		case event.StepFinished:
			if finished[e.Step]++; e.Status == "rolled_back" || e.Status == "rollback_failed" {
				finished[e.Step] = 1 // of a call too
			}
		case event.RunFinished:
			outcome = e.Outcome
		}
	}
	if outcome != b.result.Outcome {
		problems = append(problems, fmt.Sprintf("the record says that the run ended %q, and it ended %q", outcome, b.result.Outcome))
	}
	for _, s := range b.result.Steps {
		switch {
		case finished[s.Address] > 1:
			problems = append(problems, fmt.Sprintf("%s ended %d times", s.Address, finished[s.Address]))
		case s.Status == "" && len(b.result.Waiting) == 0:
			problems = append(problems, s.Address+" has no status, and nothing waits for a person")
		case s.Status != "" && !slices.Contains(runbook.Statuses(), s.Status):
			problems = append(problems, fmt.Sprintf("%s ended %q, which is no status", s.Address, s.Status))
		}
	}
	return problems
}

// trail tells a run by how its steps ended: "step.a, step.b satisfied".
func trail(events []event.Event) []string {
	var told []string
	var names []string
	status := ""
	flush := func() {
		const most = 3
		if len(names) > most {
			names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
		}
		if len(names) > 0 {
			told = append(told, strings.Join(names, ", ")+" "+status)
		}
		names = nil
	}
	for i, e := range events {
		switch e.Type {
		case event.StepFinished:
			if word := strings.ReplaceAll(e.Status, "_", " "); word != status {
				flush()
				status = word
			}
			names = append(names, e.Step)
		case event.RunStarted:
			if i > 0 {
				flush()
				told = append(told, "crashed and resumed")
			}
		case event.RunFinished:
			flush()
			told = append(told, "run "+strings.ReplaceAll(e.Outcome, "_", " "))
		}
	}
	return told
}
