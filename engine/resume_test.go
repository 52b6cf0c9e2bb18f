package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

func minute(m int) time.Time { return time.Date(2026, 1, 17, 3, m, 0, 0, time.UTC) }

// A yes is to what was shown when it was said. A larger question that came after
// it is not answered by it.
func TestAnswerCoversWhatWasShownBefore(t *testing.T) {
	asks := func(at int, rows int64) event.Event {
		return event.Event{Type: event.StepWaiting, Seq: int64(at), Step: "step.a", WaitsFor: "person", Time: minute(at), Attempt: &event.Attempt{Impact: schema.Impact{"rows": rows}}}
	}
	opts := apply.Options{Approved: map[string][]apply.Approval{}}
	answered(&opts, saidTo([]event.Event{asks(1, 100), asks(3, 5000)}, []store.Answer{
		{Step: "step.a", Question: 1, By: "ana", Time: minute(2)},
		{Step: "step.other", Question: 1, By: "ana", Time: minute(2)},
	}))
	want := map[string][]apply.Approval{"step.a": {{By: "ana", At: minute(2), Shown: true, Impact: schema.Impact{"rows": 100}}}}
	if diff := cmp.Diff(want, opts.Approved); diff != "" {
		t.Error(diff)
	}
}

// An answer is to the question that stood when it was given, and only as long as
// nobody has answered it: a later one is not answered by it.
func TestAnswersAreToTheQuestionThatStands(t *testing.T) {
	asks := func(at int) event.Event {
		return event.Event{Type: event.StepWaiting, Seq: int64(at), Step: "step.a", WaitsFor: "person", Time: minute(at), Attempt: &event.Attempt{}, Question: &event.Question{Message: "which?"}}
	}
	answer := func(at int) event.Event {
		return event.Event{Type: event.Observed, Seq: int64(at), Step: "step.a", Time: minute(at), Observation: &event.Observation{Kind: "answer"}}
	}
	left := func(question int64, value string) store.Answer {
		return store.Answer{Step: "step.a", Question: question, By: "ana", Note: "so", Values: map[string]string{"value": value}}
	}
	early := asks(4)
	early.Time = minute(-600) // the clock was set back before it
	tests := map[string]struct {
		history []event.Event
		inbox   []store.Answer
		want    string // empty: none
	}{
		"it stands":               {[]event.Event{asks(1)}, []store.Answer{left(1, "x")}, "x"},
		"the last counts":         {[]event.Event{asks(1)}, []store.Answer{left(1, "x"), left(1, "y")}, "y"},
		"it is answered":          {[]event.Event{asks(1), answer(3)}, []store.Answer{left(1, "x")}, ""},
		"it is asked anew":        {[]event.Event{asks(1), answer(3), asks(4)}, []store.Answer{left(1, "x")}, ""},
		"and answered again":      {[]event.Event{asks(1), answer(3), asks(4)}, []store.Answer{left(1, "x"), left(4, "y")}, "y"},
		"to another question":     {[]event.Event{asks(3)}, []store.Answer{left(2, "x")}, ""},
		"whatever the clock says": {[]event.Event{asks(1), answer(3), early}, []store.Answer{left(4, "x")}, "x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			opts := apply.Options{Approved: map[string][]apply.Approval{}}
			answered(&opts, saidTo(test.history, test.inbox))
			want := map[string]apply.Answer{}
			if test.want != "" {
				want["step.a"] = apply.Answer{Yes: true, By: "ana", Note: "so", Values: map[string]string{"value": test.want}}
			}
			if diff := cmp.Diff(want, opts.Answers); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if len(opts.Approved) > 0 {
				t.Errorf("it also approves %v", opts.Approved)
			}
		})
	}
}

// What does not answer a question is refused where it is given, and what is
// sensitive is left in no file.
func TestAnswersThatFit(t *testing.T) {
	asked := func(attributes ...schema.Attribute) *event.Question {
		return &event.Question{Message: "which?", Answers: attributes}
	}
	days := schema.Attribute{Name: "days", Type: cty.Number, Required: true}
	token := schema.Attribute{Name: "token", Type: cty.String, Required: true, Sensitive: true}
	tests := map[string]struct {
		question *event.Question
		values   map[string]string
		want     string // in the error; empty: it fits
	}{
		"a yes":                   {nil, nil, ""},
		"a yes and more":          {nil, map[string]string{"days": "3"}, "days is not asked for"},
		"a confirmation":          {asked(), nil, ""},
		"a confirmation and more": {asked(), map[string]string{"days": "3"}, "asked was: which?"},
		"a number":                {asked(days), map[string]string{"days": "3"}, ""},
		"no number":               {asked(days), map[string]string{"days": "few"}, `days has to be a number, not "few"`},
		"nothing":                 {asked(days), nil, "days is missing"},
		"a secret":                {asked(token), map[string]string{"token": "hunter2"}, "token is sensitive"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := fits(test.question, test.values)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("said %v, want %q in it", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}
