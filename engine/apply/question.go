package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Answer is what a person says to the question of an action. What is to be
// filled in comes as it was written; Fill gives it its types.
type Answer struct {
	Yes    bool   // false: the person declines
	By     string // empty: the operator
	Note   string
	Values map[string]string
}

// put puts the question that an attempt ended with to the person at the
// terminal, again until the answer can be taken; elsewhere the step waits and
// the run ends without it. Once answered the step starts again at row 1.
func (r *run) put(t *task, s *state) next {
	q := s.question
	s.asks = q.Message
	r.say(event.Event{
		Type: event.StepWaiting, Step: s.address, WaitsFor: "person", Message: q.Message,
		Question: &event.Question{Message: q.Message, Answers: q.Answers.Attributes},
		Attempt:  &event.Attempt{Number: s.attempts + 1, Action: s.action().Type(), Fallback: s.label(), TakesBack: s.rolling, Command: s.last.Command},
	})
	if r.opts.Answer == nil {
		return r.attend(t, s, time.Time{}, func() next {
			if r.takeAnswer(s); s.question == nil {
				return restart
			}
			return goOn
		})
	}
	asked := Question{Step: s.address, Title: s.step.Title, Action: s.action().Type(), Fallback: s.label(), TakesBack: s.rolling, Reason: q.Message, Answers: q.Answers, Command: s.last.Command}
	answer, values, next := r.hear(t, s, asked)
	switch {
	case next == leave:
		return leave
	case !answer.Yes:
		r.end(s, blocked, 17, noted("declined at the terminal", answer.Note))
		return leave
	}
	r.answered(s, answer, values)
	return restart
}

// hear has the person at the terminal answer, again until the answer can be taken
// or is no. Where nobody does, the step waits or was cut short.
func (r *run) hear(t *task, s *state, asked Question) (Answer, cty.Value, next) {
	for {
		var answer Answer
		var err error
		r.asking.start(r.clock.Now())
		failed := t.call(func() { answer, err = r.opts.Answer(r.context(s), asked) })
		r.asking.stop(r.clock.Now())
		switch err = errors.Join(failed, err); {
		case r.cutShort(s):
			return answer, cty.NilVal, leave
		case err != nil: // the terminal is gone: somebody answers elsewhere
			s.waits = true
			return answer, cty.NilVal, leave
		case !answer.Yes:
			return answer, cty.NilVal, restart
		}
		values, err := Fill(schema.Question{Answers: asked.Answers}, answer.Values)
		if err == nil {
			return answer, values, restart
		}
		asked.Problem = err.Error()
	}
}

// takeAnswer takes up what somebody answered elsewhere to the question on
// record.
func (r *run) takeAnswer(s *state) {
	answer, ok := r.opts.Answers[s.address]
	if !ok || s.question == nil {
		return
	}
	delete(r.opts.Answers, s.address) // it is to this question only
	values, err := Fill(*s.question, answer.Values)
	if err != nil {
		r.warn("the answer to " + s.address + " is not taken: " + err.Error())
		return
	}
	r.answered(s, answer, values)
}

// answered says an answer: it is durable before anything acts on it, and nobody
// is asked again for what is on record. Sensitive values are not.
func (r *run) answered(s *state, answer Answer, values cty.Value) {
	yes := true
	if answer.By == "" {
		answer.By = r.opts.Run.Operator
	}
	r.say(event.Event{Type: event.Observed, Step: s.address, Observation: &event.Observation{
		Kind: "answer", Name: s.action().Type(), Holds: &yes, Message: filled(values), By: answer.By, Note: answer.Note,
		Result: encode(withoutSecrets(values)), Final: true,
	}})
	s.question, s.answers = nil, values
}

// filled says what was filled in, in one line.
func filled(values cty.Value) string {
	var said []string
	for it := values.ElementIterator(); it.Next(); {
		name, v := it.Element()
		if text, err := convert.Convert(v, cty.String); err == nil && !v.IsMarked() && !v.IsNull() {
			said = append(said, name.AsString()+" = "+text.AsString())
			continue
		}
		said = append(said, name.AsString()+" = "+redact.Display(v))
	}
	if len(said) == 0 {
		return "confirmed"
	}
	return strings.Join(said, ", ")
}

func noted(text, note string) string {
	if note == "" {
		return text
	}
	return text + ": " + note
}

// recallAnswer takes an answer off the record. One with sensitive values is not
// whole there: it is asked for again.
func (s *state) recallAnswer(o *event.Observation) {
	if s.question == nil {
		return
	}
	secret := slices.ContainsFunc(s.question.Answers.Attributes, func(a schema.Attribute) bool { return a.Sensitive })
	if s.question = nil; !secret {
		s.answers = decode(o.Result)
	}
}

// questionOf is a question on record.
func questionOf(q *event.Question) *schema.Question {
	return &schema.Question{Message: q.Message, Answers: schema.Object{Attributes: q.Answers}}
}

// Fill gives what a person wrote, by name, the types that a question asks for;
// sensitive values are marked. What is neither text, number nor bool is written
// as JSON. The error says all that is wrong, and quotes nothing that is
// sensitive.
func Fill(q schema.Question, written map[string]string) (cty.Value, error) {
	var problems []string
	values := make(map[string]cty.Value, len(q.Answers.Attributes))
	names := make([]string, len(q.Answers.Attributes))
	for i, a := range q.Answers.Attributes {
		names[i] = a.Name
		text, given := written[a.Name]
		if !given || text == "" {
			values[a.Name] = cty.NullVal(a.Type)
			if a.Required {
				problems = append(problems, fmt.Sprintf("%s is missing", a.Name))
			}
			continue
		}
		v, err := parse(text, a.Type)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s has to be a %s%s", a.Name, a.Type.FriendlyName(), quoted(text, a.Sensitive)))
			continue
		}
		if a.Sensitive {
			v = redact.Mark(v)
		}
		values[a.Name] = v
	}
	for name := range written {
		if !slices.Contains(names, name) {
			problems = append(problems, unasked(name, names))
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return cty.NilVal, errors.New(strings.Join(problems, "; "))
	}
	return cty.ObjectVal(values), nil
}

func unasked(name string, names []string) string {
	if len(names) == 0 {
		return name + " is not asked for: it only wants a confirmation"
	}
	if near := diag.Nearest(name, names); near != "" {
		return fmt.Sprintf("%s is not asked for; did you mean %s?", name, near)
	}
	return fmt.Sprintf("%s is not asked for; what is: %s", name, strings.Join(names, ", "))
}

func quoted(text string, sensitive bool) string {
	if sensitive {
		return ""
	}
	return fmt.Sprintf(", not %q", text)
}

func parse(text string, want cty.Type) (cty.Value, error) {
	if want.IsPrimitiveType() {
		return convert.Convert(cty.StringVal(text), want)
	}
	return ctyjson.Unmarshal([]byte(text), want)
}
