package apply

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// unkept are the parts of a result that are sensitive, and so on no record, by
// their path.
func unkept(v cty.Value) []schema.Attribute {
	if v == cty.NilVal {
		return nil
	}
	return sensitiveParts(nil, "", v, false)
}

func sensitiveParts(parts []schema.Attribute, path string, v cty.Value, marked bool) []schema.Attribute {
	marked = marked || v.IsMarked()
	v, _ = v.Unmark()
	if v.Type().IsObjectType() && !v.IsNull() && v.IsKnown() && !dotted(v.Type()) {
		fields := v.AsValueMap()
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			parts = sensitiveParts(parts, strings.TrimPrefix(path+"."+name, "."), fields[name], marked)
		}
		return parts
	}
	if !marked && !v.ContainsMarked() {
		return parts
	}
	t := v.Type()
	if t.HasDynamicTypes() {
		t = cty.String
	}
	return append(parts, schema.Attribute{Name: path, Type: t, Sensitive: true})
}

// dotted tells whether the attributes of an object cannot be told in a path.
func dotted(t cty.Type) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(t.AttributeTypes())), func(name string) bool { return strings.Contains(name, ".") })
}

// recalled is a result as the record has it. What is not kept is unknown, not
// null: nothing may be done as though it were not there.
func recalled(kept cty.Value, unkept []schema.Attribute) cty.Value {
	for _, part := range unkept {
		kept = withPart(kept, strings.Split(part.Name, "."), redact.Mark(cty.UnknownVal(part.Type)))
	}
	return kept
}

// withPart is v with a part replaced, made on the way where need be.
func withPart(v cty.Value, path []string, part cty.Value) cty.Value {
	if len(path) == 0 {
		return part
	}
	fields := map[string]cty.Value{}
	if v != cty.NilVal && !v.IsNull() && v.Type().IsObjectType() {
		fields = v.AsValueMap()
	}
	if fields == nil { // of an empty object
		fields = map[string]cty.Value{}
	}
	fields[path[0]] = withPart(fields[path[0]], path[1:], part)
	return cty.ObjectVal(fields)
}

// regain has a person tell what is sensitive of the result of a step that an
// earlier process has done, where something still reads it: the action is not done
// again for it. The step waits where nobody tells.
func (r *run) regain(t *task, s *state) next {
	wanted, by := r.wanted(s)
	if len(wanted) == 0 {
		return restart
	}
	s.question = nil
	q := schema.Question{
		Message: fmt.Sprintf("%s was done in an earlier process. What is sensitive of its result is on no record, and it is not done again for that; %s needs it", s.address, strings.Join(by, ", ")),
		Answers: schema.Object{Attributes: wanted},
	}
	r.say(event.Event{
		Type: event.StepWaiting, Step: s.address, WaitsFor: "person", Message: q.Message,
		Question: &event.Question{Message: q.Message, Answers: wanted},
	})
	s.asks = q.Message
	status := s.status
	s.status = "" // what comes after it has to wait too
	if r.opts.Answer == nil {
		s.waits = true
		return leave
	}
	answer, values, next := r.hear(t, s, Question{Step: s.address, Title: s.step.Title, Reason: q.Message, Answers: q.Answers})
	if next == leave || !answer.Yes {
		s.waits = true
		return leave
	}
	r.answered(s, answer, values)
	s.answers = cty.NilVal // no action hears it
	for _, part := range wanted {
		s.result = withPart(s.result, strings.Split(part.Name, "."), values.GetAttr(part.Name))
	}
	s.status = status
	return restart
}

// wanted are the parts of a step's result that are on no record and that a step
// still to come reads, or what calls its runbook may; and who that is.
func (r *run) wanted(s *state) (parts []schema.Attribute, by []string) {
	if len(s.unkept) == 0 || s.frame.kept || s.frame.takenBack() || s.frame.halted() != "" {
		return nil, nil
	}
	use := func(uses []runbook.Use, who string) {
		for _, part := range s.unkept {
			reads := func(u runbook.Use) bool { return u.Step == s.step && overlap(u.Path, strings.Split(part.Name, ".")) }
			if !slices.ContainsFunc(uses, reads) {
				continue
			}
			if !slices.ContainsFunc(parts, func(p schema.Attribute) bool { return p.Name == part.Name }) {
				part.Required = true
				parts = append(parts, part)
			}
			if !slices.Contains(by, who) {
				by = append(by, who)
			}
		}
	}
	for _, y := range s.frame.steps {
		own := y.step == s.step
		if own && s.status == "" || !own && !r.stays(y) {
			use(y.step.Uses, y.address)
		}
	}
	if s.frame.outer != nil {
		for _, o := range s.frame.rb.Outputs {
			use(o.Uses, s.frame.linked.Address)
		}
	}
	return parts, by
}

// stays tells whether nothing of a step is looked at or done any more.
func (r *run) stays(s *state) bool {
	if s.frame == r.root && r.opts.Only != nil && !r.opts.Only[s.address] || ok(s.status) {
		return true
	}
	if s.step.Operation() == nil && s.step.Call == nil {
		return false // a gate is looked at again
	}
	if s.step.ForEach == nil {
		return r.endedWell(s.address)
	}
	keys := r.keys[s.address]
	return len(keys) > 0 && !slices.ContainsFunc(keys, func(key string) bool { return !r.endedWell(s.frame.linked.Under(s.step.Instance(key))) })
}

// endedWell tells whether the record that is not taken up yet says so of a step.
func (r *run) endedWell(address string) bool {
	status := ""
	for _, e := range r.past[address] {
		if e.Type == event.StepFinished {
			status = e.Status
		}
	}
	return ok(status)
}

// overlap tells whether one path leads to the other.
func overlap(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}
