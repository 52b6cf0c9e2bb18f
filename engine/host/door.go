package host

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// withoutUnknown leaves out what is not known yet and names it instead.
func (h *Host) withoutUnknown(op schema.Operation) schema.Operation {
	if op.Arguments == cty.NilVal || op.Arguments.IsNull() || !op.Arguments.Type().IsObjectType() {
		return op
	}
	arguments, marks := op.Arguments.Unmark()
	if !arguments.IsKnown() {
		for name := range arguments.Type().AttributeTypes() {
			op.Unknown = append(op.Unknown, name)
		}
		slices.Sort(op.Unknown)
		op.Arguments = cty.EmptyObjectVal
		return op
	}
	known := map[string]cty.Value{}
	for name, v := range arguments.AsValueMap() {
		if !v.IsWhollyKnown() {
			op.Unknown = append(op.Unknown, name)
			v = cty.NullVal(v.Type())
		}
		known[name] = v
	}
	slices.Sort(op.Unknown)
	op.Unknown = slices.Compact(op.Unknown)
	op.Arguments = cty.ObjectVal(known).WithMarks(marks)
	return op
}

// inward takes the marks off, having made the Redactor know what they hide.
func (h *Host) inward(op schema.Operation) (schema.Operation, error) {
	for _, v := range []*cty.Value{&op.Arguments, &op.Answers} {
		if *v == cty.NilVal {
			continue
		}
		h.redactor.AddSensitive(*v)
		*v, _ = v.UnmarkDeep()
		if !v.IsWhollyKnown() {
			return op, &schema.Failure{
				Code: "not_known", Message: fmt.Sprintf("some arguments of %s are not known yet", op.Name),
			}
		}
	}
	return op, nil
}

// outward checks a result against its schema, marks what must not be shown and
// scrubs the texts.
func (h *Host) outward(ctx context.Context, provider string, op schema.Operation, o schema.Outcome) schema.Outcome {
	o.Failure = h.scrubFailure(o.Failure)
	if o.Question != nil {
		o.Question = &schema.Question{
			Message: h.redactor.Text(o.Question.Message),
			Answers: schema.Object{Attributes: h.scrubAttributes(o.Question.Answers.Attributes)},
		}
	}
	if o.Result == cty.NilVal {
		return o
	}
	s, err := h.Schema(ctx, provider)
	if err != nil {
		return unusable(o, err)
	}
	known := s.Operation(op.Kind, op.Name)
	if known == nil {
		return unusable(o, fmt.Errorf("provider %s has no %s %q", provider, op.Kind, op.Name))
	}
	result, err := schema.Convert(o.Result, known.Result.Type().WithoutOptionalAttributesDeep())
	if err != nil {
		return unusable(o, fmt.Errorf("the result of %s.%s is not what its schema says: %w", provider, op.Name, err))
	}
	if o.State == schema.Done {
		switch ok, _ := result.GetAttr("ok").Unmark(); {
		case ok.IsNull():
			return unusable(o, fmt.Errorf("the result of %s.%s has a null ok: that is neither yes nor no", provider, op.Name))
		case ok.False() && op.Kind == schema.Action:
			o.State = schema.FailedPartial
			o.Failure = &schema.Failure{Code: "not_ok", Message: h.redactor.Text(summary(result))}
		}
	}
	o.Result = h.mark(result, known.Result.Attributes)
	h.redactor.AddSensitive(o.Result) // the same text may come again in a log
	return o
}

// unusable keeps what is certain of an outcome whose result is of no use: that
// the action ended.
func unusable(o schema.Outcome, err error) schema.Outcome {
	o.Result = cty.NilVal
	if o.State == schema.Done {
		o.State = schema.FailedPartial
	}
	if o.Failure == nil {
		o.Failure = &schema.Failure{Code: "bad_result", Message: err.Error()}
	}
	return o
}

// mark makes sensitive what the schema declares so, and every leaf that holds a
// secret. It alters nothing else.
func (h *Host) mark(v cty.Value, attributes []schema.Attribute) cty.Value {
	v, marks := v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return v.WithMarks(marks)
	}
	switch t := v.Type(); {
	case t == cty.String && h.redactor.Contains(v.AsString()),
		t == cty.Number && h.redactor.Contains(v.AsBigFloat().Text('f', -1)):
		v = v.Mark(schema.Sensitive)
	case t.IsObjectType() && v.LengthInt() > 0:
		v = cty.ObjectVal(h.markEntries(v, attributes, true))
	case t.IsMapType() && v.LengthInt() > 0:
		for key := range v.Elements() {
			if h.redactor.Contains(key.AsString()) {
				return v.WithMarks(marks).Mark(schema.Sensitive)
			}
		}
		v = cty.MapVal(h.markEntries(v, attributes, false))
	case v.CanIterateElements() && v.LengthInt() > 0:
		v = h.markElements(v, attributes)
	}
	return v.WithMarks(marks)
}

func (h *Host) markEntries(v cty.Value, attributes []schema.Attribute, object bool) map[string]cty.Value {
	entries := v.AsValueMap()
	for name, entry := range entries {
		if !object {
			entries[name] = h.mark(entry, attributes)
			continue
		}
		declared := schema.Object{Attributes: attributes}.Attribute(name)
		if declared == nil {
			declared = &schema.Attribute{}
		}
		if entry = h.mark(entry, declared.Nested); declared.Sensitive {
			entry = entry.Mark(schema.Sensitive)
		}
		entries[name] = entry
	}
	return entries
}

func (h *Host) markElements(v cty.Value, attributes []schema.Attribute) cty.Value {
	elements := v.AsValueSlice()
	for i := range elements {
		elements[i] = h.mark(elements[i], attributes)
	}
	switch t := v.Type(); {
	case t.IsListType():
		return cty.ListVal(elements)
	case t.IsSetType():
		return cty.SetVal(elements)
	}
	return cty.TupleVal(elements)
}

func (h *Host) scrubFailure(f *schema.Failure) *schema.Failure {
	if f == nil {
		return nil
	}
	clean := *f
	clean.Code = h.redactor.Text(f.Code)
	clean.Message = h.redactor.Text(f.Message)
	clean.Remedy = h.redactor.Text(f.Remedy)
	clean.Argument = h.redactor.Text(f.Argument)
	return &clean
}

// scrubbed scrubs the failure within err.
func (h *Host) scrubbed(err error) error {
	var call *CallError
	var failure *schema.Failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &call):
		return &CallError{h.scrubFailure(call.Failure), call.Cause}
	case errors.As(err, &failure):
		return h.scrubFailure(failure)
	}
	return &schema.Failure{Code: "provider_call", Message: h.redactor.Text(err.Error())}
}

func (h *Host) scrubDescription(d schema.Description) schema.Description {
	d.Summary = h.redactor.Text(d.Summary)
	d.Command = h.scrubAll(d.Command)
	d.Sample = h.scrubAll(d.Sample)
	d.Effects = slices.Clone(d.Effects)
	for i := range d.Effects {
		d.Effects[i].Resource = h.redactor.Text(d.Effects[i].Resource)
	}
	d.Failure = h.scrubFailure(d.Failure)
	return d
}

// scrubAttributes scrubs what a question says of the values that it asks for.
func (h *Host) scrubAttributes(list []schema.Attribute) []schema.Attribute {
	list = slices.Clone(list)
	for i := range list {
		a := &list[i]
		a.Name, a.Doc, a.Default = h.redactor.Text(a.Name), h.redactor.Text(a.Doc), h.redactor.Text(a.Default)
		a.Nested = h.scrubAttributes(a.Nested)
	}
	return list
}

func (h *Host) scrubAll(texts []string) []string {
	texts = slices.Clone(texts)
	for i := range texts {
		texts[i] = h.redactor.Text(texts[i])
	}
	return texts
}

// summary is what a result says of itself.
func summary(result cty.Value) string {
	v, marks := result.GetAttr("summary").Unmark()
	switch {
	case v.IsNull():
		return "it says that it is not ok, and not why"
	case len(marks) > 0:
		return redact.Text
	}
	return v.AsString()
}
