package rehearse

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
)

// compare says where what was expected and what came differ.
func (e *Expect) compare(b *backend, r *Result) []string {
	var problems []string
	differ := func(what, want, got, why string) {
		said := fmt.Sprintf("%s: expected %s, got %s", what, want, got)
		if why != "" {
			said += " (" + why + ")"
		}
		problems = append(problems, said)
	}
	statuses, reasons := map[string]string{}, map[string]string{}
	said := ""
	for _, s := range b.result.Steps {
		statuses[s.Address], reasons[s.Address] = s.Status, s.Reason
		said += s.Reason + "\n"
	}
	if e.Outcome != "" && e.Outcome != r.Outcome {
		differ("outcome", e.Outcome, r.Outcome, "")
	}
	for _, address := range slices.Sorted(maps.Keys(e.Status)) {
		if got := statuses[address]; got != e.Status[address] {
			if got == "" {
				got = "no status: it waits for a person"
			}
			differ("status of "+address, e.Status[address], got, reasons[address])
		}
	}
	for _, operation := range slices.Sorted(maps.Keys(e.Calls)) {
		if got := b.calls[operation]; got != e.Calls[operation] {
			differ("calls of "+operation, fmt.Sprint(e.Calls[operation]), fmt.Sprint(got), "")
		}
	}
	var acted []string
	for _, ev := range b.record.events {
		if ev.Type == event.ActionStarted && slices.Contains(e.Order, ev.Step) && !slices.Contains(acted, ev.Step) {
			acted = append(acted, ev.Step)
		}
	}
	if !slices.Equal(acted, e.Order) {
		differ("order", strings.Join(e.Order, ", "), strings.Join(acted, ", "), "")
	}
	if by := blockers(b, statuses); e.BlockedBy != "" && !slices.Contains(by, e.BlockedBy) {
		differ("blocked_by", e.BlockedBy, strings.Join(by, ", "), "")
	}
	if e.Message != "" && !strings.Contains(said, e.Message) {
		differ("message", fmt.Sprintf("%q", e.Message), "\n"+strings.TrimSpace(said), "")
	}
	return problems
}

// blockers are the blocked steps and their preconditions that do not hold.
func blockers(b *backend, statuses map[string]string) []string {
	var by []string
	for _, s := range b.result.Steps {
		if s.Status == "blocked" {
			by = append(by, s.Address)
		}
	}
	for _, e := range b.record.events {
		o := e.Observation
		if e.Type != event.Observed || o.Kind != "precondition" || statuses[e.Step] != "blocked" || o.Holds != nil && *o.Holds {
			continue
		}
		if name := e.Step + ".precondition." + o.Name; !slices.Contains(by, name) {
			by = append(by, name)
		}
	}
	return by
}
