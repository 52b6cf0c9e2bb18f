package rehearse

import (
	"slices"

	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// use is an operation that the runbook uses. A provider may have a probe and an
// action of the same name.
type use struct {
	op    *runbook.Operation
	kinds []schema.Kind // probe first
}

// operations are those that the runbook and what it calls use, by name.
func operations(rb *runbook.Runbook) map[string]*use {
	all := map[string]*use{}
	add := func(op *runbook.Operation, kind schema.Kind) {
		if op == nil {
			return
		}
		if all[op.Type()] == nil {
			all[op.Type()] = &use{op: op}
		}
		if u := all[op.Type()]; !slices.Contains(u.kinds, kind) {
			u.kinds = append(u.kinds, kind)
		}
	}
	for _, rb := range rb.Tree() {
		for _, c := range rb.Checks {
			add(c.Probe, schema.Probe)
		}
		for _, s := range rb.Steps {
			for _, op := range s.Actions() {
				add(op, schema.Action)
			}
			add(s.Probe, schema.Probe)
			for _, a := range s.Assertions() {
				add(a.Probe, schema.Probe)
			}
		}
	}
	for _, n := range rb.Notices {
		add(n.Action, schema.Action)
	}
	for _, u := range all {
		slices.SortFunc(u.kinds, func(a, b schema.Kind) int {
			if a == schema.Probe {
				return -1
			}
			return 1
		})
	}
	return all
}
