package plan

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Diagnosis is what the checks said that expressions read. They are looked at
// together, before the first action.
type Diagnosis struct {
	names     []string // in order of name
	sightings map[string]Sighting
}

// Diagnose looks at every check that the runbook's expressions read. A name
// already in known keeps its answer.
func Diagnose(ctx context.Context, o *Observer, round *Round) *Diagnosis {
	d := &Diagnosis{names: o.Runbook.Diagnosis, sightings: make(map[string]Sighting)}
	assertions := make([]*runbook.Assertion, len(d.names))
	for i, name := range d.names {
		assertions[i] = &o.Runbook.Checks[name].Assertion
	}
	for i, s := range o.LookAll(ctx, round, assertions, eval.Extra{}) {
		d.sightings[d.names[i]] = s
	}
	return d
}

// Restore makes a diagnosis of answers from the record.
func Restore(sightings map[string]Sighting) *Diagnosis {
	d := &Diagnosis{sightings: sightings}
	for name := range sightings {
		d.names = append(d.names, name)
	}
	sort.Strings(d.names)
	return d
}

// Each calls f for every check in order of name.
func (d *Diagnosis) Each(f func(name string, s Sighting)) {
	for _, name := range d.names {
		f(name, d.sightings[name])
	}
}

// Has tells whether the diagnosis holds an answer for each of the names.
func (d *Diagnosis) Has(names []string) bool {
	for _, name := range names {
		if _, ok := d.sightings[name]; !ok {
			return false
		}
	}
	return true
}

// Value is check.NAME for expressions: of a check that erred only the status is
// there, and one that could not be looked at yet is not known.
func (d *Diagnosis) Value(name string) cty.Value {
	s, ok := d.sightings[name]
	if !ok || s.Truth == NotKnown {
		return cty.DynamicVal
	}
	attributes := map[string]cty.Value{"status": cty.StringVal(Status(s.Truth))}
	if s.Truth != Errs {
		attributes["holds"] = cty.BoolVal(s.Truth == Holds)
		attributes["result"] = cty.NullVal(cty.DynamicPseudoType)
		if s.Result != cty.NilVal {
			attributes["result"] = s.Result
		}
	}
	return cty.ObjectVal(attributes)
}

// Status is a check's status as expressions and people read it.
func Status(t Truth) string {
	switch t {
	case Holds:
		return "holds"
	case Fails:
		return "fails"
	case Errs:
		return "errors"
	}
	return "unknown"
}

// Said lists the diagnosis for people and machines.
func (d *Diagnosis) Said() []Check {
	checks := make([]Check, 0, len(d.names))
	d.Each(func(name string, s Sighting) { checks = append(checks, Said(name, s)) })
	return checks
}

// warnings tells which checks could not be looked at: a step that is skipped
// because of one rests on nothing.
func (d *Diagnosis) warnings() []string {
	var said []string
	d.Each(func(name string, s Sighting) {
		if s.Truth == Errs {
			said = append(said, fmt.Sprintf("check.%s could not be looked at, so it rules nothing out: %s", name, s.Reason))
		}
	})
	return slices.Clip(said)
}
