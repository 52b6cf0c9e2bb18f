package rehearse

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Expect is an `expect` block. What is nil or empty is not looked at.
type Expect struct {
	Outcome   string
	Status    map[string]string // by address
	Calls     map[string]int    // by operation
	Order     []string          // addresses, as they acted
	BlockedBy string            // a step, or one of its preconditions
	Message   string            // is part of what some step, or the run, says
}

func (d *decoder) expect(body *hclsyntax.Body) Expect {
	var e Expect
	d.words("expect", body, []string{"outcome", "status", "calls", "order", "blocked_by", "message"}, nil)
	for _, attr := range runbook.SortedAttributes(body) {
		at := attr.Expr.Range()
		switch attr.Name {
		case "outcome":
			e.Outcome = d.word(attr, []string{"succeeded", "failed", "blocked", "waiting", "interrupted", "rolled_back"})
		case "message":
			if v, ok := d.value(attr, attr.Name, cty.String); ok {
				e.Message = v.AsString()
			}
		case "blocked_by":
			if e.BlockedBy = d.reference(attr.Expr); e.BlockedBy != "" {
				d.place(e.BlockedBy, at)
			}
		case "order":
			e.Order = d.references(attr.Expr)
			for _, address := range e.Order {
				d.step(address, at)
			}
		case "status":
			if v, ok := d.value(attr, attr.Name, cty.Map(cty.String)); ok {
				e.Status = map[string]string{}
				for address, status := range v.AsValueMap() {
					d.step(address, at)
					e.Status[address] = text(status)
					if words := runbook.Statuses(); !slices.Contains(words, text(status)) {
						p := diag.InvalidArgument.At(at, "%q is no status of a step; there are %s.", text(status), strings.Join(words, ", "))
						d.add(diag.Suggest(p, diag.Nearest(text(status), words)))
					}
				}
			}
		case "calls":
			if v, ok := d.value(attr, attr.Name, cty.Map(cty.Number)); ok {
				e.Calls = map[string]int{}
				for operation, n := range v.AsValueMap() {
					d.operation(operation, at)
					if n.IsNull() {
						continue
					}
					count, _ := n.AsBigFloat().Int64()
					e.Calls[operation] = int(count)
				}
			}
		}
	}
	return e
}

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
	for _, e := range b.record.events {
		if e.Type == event.RunFinished {
			said += strings.Join(append([]string{e.Message}, e.Warnings...), "\n") + "\n"
		}
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
		if ev.Type != event.ActionStarted {
			continue
		}
		for _, named := range e.Order { // an instance, or a step of what it calls, is of it too
			if under(ev.Step, named) && !slices.Contains(acted, named) {
				acted = append(acted, named)
			}
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
