package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Diagnosis is what the checks of a frame said that expressions read. They are
// looked at together, before the first action.
type Diagnosis struct {
	frame     *eval.Frame
	names     []string // in order of name; an instance of a check is x["k"]
	sightings map[string]Sighting
}

// NewDiagnosis is one that has not looked yet, or not at all of its checks:
// sightings holds what is on record.
func NewDiagnosis(frame *eval.Frame, sightings map[string]Sighting) *Diagnosis {
	d := &Diagnosis{frame: frame, sightings: sightings}
	for _, name := range frame.Runbook.Diagnosis {
		if frame.Runbook.Checks[name].ForEach == nil {
			d.names = append(d.names, name)
			continue
		}
		for _, i := range frame.Checks[name] {
			d.names = append(d.names, instanceName(name, i.Key))
		}
	}
	return d
}

// Diagnose looks at every check that the runbook's expressions read.
func Diagnose(ctx context.Context, o *Observer, round *Round) *Diagnosis {
	d := NewDiagnosis(o.Frame, make(map[string]Sighting))
	var assertions []*runbook.Assertion
	for _, name := range o.Frame.Runbook.Diagnosis {
		check := o.Frame.Runbook.Checks[name]
		if check.ForEach == nil {
			assertions = append(assertions, &check.Assertion)
			continue
		}
		for _, i := range o.Frame.Checks[name] {
			assertions = append(assertions, &runbook.Assertion{Kind: check.Kind, Name: name, Checks: []runbook.CheckUse{instanceOf(name, i)}})
		}
	}
	for i, s := range o.LookAll(ctx, round, assertions, eval.Extra{}) {
		d.sightings[d.names[i]] = s
	}
	return d
}

// Each calls f for every check in order of name.
func (d *Diagnosis) Each(f func(name string, s Sighting)) {
	for _, name := range d.names {
		f(name, d.sightings[name])
	}
}

// Complete tells whether there is an answer for each of its checks.
func (d *Diagnosis) Complete() bool {
	for _, name := range d.names {
		if _, ok := d.sightings[name]; !ok {
			return false
		}
	}
	return true
}

// Value is check.NAME for expressions: of a check that erred only the status is
// there, and one that could not be looked at yet is not known. Of a check with a
// for_each it is an object of its instances.
func (d *Diagnosis) Value(name string) cty.Value {
	if check := d.frame.Runbook.Checks[name]; check == nil || check.ForEach == nil {
		return d.value(name)
	}
	object := make(map[string]cty.Value)
	for _, i := range d.frame.Checks[name] {
		object[i.Key] = d.value(instanceName(name, i.Key))
	}
	return cty.ObjectVal(object)
}

func (d *Diagnosis) value(name string) cty.Value {
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
	d.Each(func(name string, s Sighting) {
		said := Said(name, s)
		said.Step = d.frame.Address
		checks = append(checks, said)
	})
	return checks
}

// warnings tells which checks could not be looked at: a step that is skipped
// because of one rests on nothing.
func (d *Diagnosis) warnings() []string {
	var said []string
	d.Each(func(name string, s Sighting) {
		if s.Truth == Errs {
			said = append(said, fmt.Sprintf("%s could not be looked at, so it rules nothing out: %s", d.frame.Under("check."+name), s.Reason))
		}
	})
	return slices.Clip(said)
}

// asked visits the answers of checks by name, those of each instance where there
// are some; a check that was not looked at is left out.
func (d *Diagnosis) asked(checks []string, visit func(address string, s Sighting)) {
	one := func(name string) {
		if s, ok := d.sightings[name]; ok && s.Truth != NotKnown {
			visit("check."+name, s)
		}
	}
	for _, name := range checks {
		if d.frame.Runbook.Checks[name].ForEach == nil {
			one(name)
			continue
		}
		for _, i := range d.frame.Checks[name] {
			one(instanceName(name, i.Key))
		}
	}
}

// erred says which of the checks could not be looked at, and why: what is wrong
// with an expression that asks one is that there is no answer.
func (d *Diagnosis) erred(checks []string) string {
	said := ""
	d.asked(checks, func(address string, s Sighting) {
		if s.Truth == Errs {
			said += fmt.Sprintf("%s could not be looked at (%s); ", address, s.Reason)
		}
	})
	return said
}
