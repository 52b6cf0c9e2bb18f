package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// said is what people left in the inbox for the questions on record: an approval
// covers what was shown when it was given, and not what is asked later; an answer
// is to the question that stood when it was given, and stands still. Which that was
// is told by its number: the clock may have been set since.
func said(kept *store.Run) (apply.Said, error) {
	inbox, err := kept.Answers()
	if err != nil || len(inbox) == 0 { // the record is not read for nothing
		return apply.Said{}, err
	}
	history, err := events(kept)
	if err != nil {
		return apply.Said{}, err
	}
	return saidTo(history, inbox), nil
}

func saidTo(history []event.Event, inbox []store.Answer) apply.Said {
	said := apply.Said{Approved: map[string][]apply.Approval{}, Answers: map[string]apply.Answer{}}
	open := waiting(slices.Values(history))
	for _, a := range inbox {
		var shown *event.Event
		for i := range history {
			if e := &history[i]; e.Type == event.StepWaiting && e.WaitsFor == "person" && e.Step == a.Step && e.Seq == a.Question {
				shown = e
			}
		}
		switch {
		case shown == nil:
		case shown.Question == nil && shown.Attempt != nil:
			said.Approved[a.Step] = append(said.Approved[a.Step], apply.Approval{
				By: a.By, Note: a.Note, At: a.Time, Shown: true, Effects: shown.Attempt.Effects, Impact: shown.Attempt.Impact,
				Fallback: shown.Attempt.Fallback, WayBack: shown.Attempt.WayBack,
			})
		case shown.Question != nil && open[a.Step] != nil && open[a.Step].Seq == shown.Seq:
			said.Answers[a.Step] = apply.Answer{Yes: true, By: a.By, Note: a.Note, Values: a.Values}
		}
	}
	return said
}

// answered adds what was said to what a run is told.
func answered(opts *apply.Options, said apply.Said) {
	opts.Answers = said.Answers
	for step, approvals := range said.Approved {
		opts.Approved[step] = append(opts.Approved[step], approvals...)
	}
}

// waiting are the events by which steps last began to wait for a person, of
// those that still do, by step.
func waiting(history func(func(event.Event) bool)) map[string]*event.Event {
	waits := map[string]*event.Event{}
	for e := range history {
		if e.Cancelled {
			clear(waits)
		}
		if delete(waits, e.Step); e.Type == event.StepWaiting && e.WaitsFor == "person" {
			waits[e.Step] = &e
		}
	}
	return waits
}

// Approved is what came of a person's yes.
type Approved struct {
	Missing  int  // how many more have to say yes
	Attended bool // a process attends the run, which may take it up
}

// Approve leaves a person's yes for a step that waits, and what it asks for by
// name; the run goes on with `resume`. What does not answer the question is
// refused.
func (e *Engine) Approve(ctx context.Context, ref, step, note string, values map[string]string) (Approved, error) {
	st, err := e.Store()
	if err != nil {
		return Approved{}, err
	}
	id, err := st.Resolve(ref)
	if err != nil {
		return Approved{}, err
	}
	asked, err := askedBy(st, id, step)
	if err != nil {
		return Approved{}, err
	}
	if err := fits(asked.Question, values); err != nil {
		return Approved{}, fmt.Errorf("%s: %w", step, err)
	}
	given, err := given(st, id, asked)
	if err != nil {
		return Approved{}, err
	}
	if err := mayApprove(asked, given, operator(), e.clock.Now()); err != nil {
		return Approved{}, fmt.Errorf("%s: %w", step, err)
	}
	if err := st.Answer(id, store.Answer{Step: step, Question: asked.Seq, By: operator(), Note: note, Values: values, Time: e.clock.Now()}); err != nil {
		return Approved{}, err
	}
	said := Approved{}
	if asked.Approval != nil {
		said.Missing = max(0, asked.Approval.Count-len(given)-1)
	}
	summary, err := st.Summary(id)
	said.Attended = err == nil && summary.Outcome == store.Running
	return said, nil // the yes is kept, whoever takes it up
}

// askedBy is the event by which a step last began to wait for a person.
func askedBy(st *store.Store, id, step string) (*event.Event, error) {
	recorded, err := st.Events(id)
	if err != nil {
		return nil, err
	}
	var history []event.Event
	for e, err := range recorded {
		if err != nil {
			return nil, err
		}
		history = append(history, e)
	}
	waits := waiting(slices.Values(history))
	if asked := waits[step]; asked != nil {
		return asked, nil
	}
	who := "no step does"
	if len(waits) > 0 {
		who = "what waits is " + strings.Join(slices.Sorted(maps.Keys(waits)), ", ")
	}
	return nil, fmt.Errorf("%s of run %s does not wait for a person; %s", step, id, who)
}

// given are those whose yes to what is asked is on record, or in the inbox.
func given(st *store.Store, id string, asked *event.Event) ([]string, error) {
	if asked.Approval == nil {
		return nil, nil
	}
	inbox, err := st.Answers(id)
	if err != nil {
		return nil, err
	}
	by := slices.Clone(asked.Approval.Given)
	for _, a := range inbox {
		if a.Step == asked.Step && a.Question == asked.Seq {
			by = append(by, a.By)
		}
	}
	slices.Sort(by)
	return slices.Compact(by), nil
}

// mayApprove refuses a yes that would not count.
func mayApprove(asked *event.Event, given []string, by string, now time.Time) error {
	wanted := asked.Approval
	switch {
	case wanted == nil:
		return nil
	case len(wanted.Approvers) > 0 && !slices.Contains(wanted.Approvers, by):
		return fmt.Errorf("it may be approved by %s, and you are %s", strings.Join(wanted.Approvers, ", "), by)
	case slices.Contains(given, by) && wanted.Count > 1:
		return fmt.Errorf("you have approved it already, and %d different people have to", wanted.Count)
	case asked.Until != nil && !now.Before(*asked.Until):
		return fmt.Errorf("the time for it was up at %s: `runbook resume` ends it", asked.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

// fits tells whether an answer can be left for a question; nil is one that only
// wants a yes.
func fits(asked *event.Question, values map[string]string) error {
	if asked == nil {
		asked = &event.Question{}
	}
	var secret []string
	for _, a := range asked.Answers {
		if a.Sensitive {
			secret = append(secret, a.Name)
		}
	}
	if len(secret) > 0 {
		return fmt.Errorf("%s is sensitive and would be kept in a file: answer at a terminal, by `runbook resume`", strings.Join(secret, ", "))
	}
	q := schema.Question{Message: asked.Message, Answers: schema.Object{Attributes: asked.Answers}}
	if _, err := apply.Fill(q, values); err != nil {
		if asked.Message != "" {
			return fmt.Errorf("%w (asked was: %s)", err, asked.Message)
		}
		return err
	}
	return nil
}
