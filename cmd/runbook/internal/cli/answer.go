package cli

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/providers/schema"
)

// answerStep has a person answer what an action asks: a confirmation, or values
// one after another, each asked again until it fits; and a note.
func (a *app) answerStep(ctx context.Context, q apply.Question) (apply.Answer, error) {
	release, err := a.answers().hold(ctx)
	if err != nil {
		return apply.Answer{}, err
	}
	defer release()
	_ = ui.WriteQuestion(a.errOut, a.style(a.errOut), ui.Question(q)) // a lost stderr shows as no answer
	answer := apply.Answer{Yes: true, Values: map[string]string{}}
	if len(q.Answers.Attributes) == 0 {
		said, err := a.prompt(ctx, "Is that so? Only yes is taken for it:", false)
		if err != nil || said != "yes" {
			if err == nil {
				fmt.Fprintf(a.errOut, "%q is not yes: the step is left as it is.\n", said)
			}
			return apply.Answer{}, err
		}
	}
	for _, wanted := range q.Answers.Attributes {
		if answer.Values[wanted.Name], err = a.value(ctx, wanted); err != nil {
			return apply.Answer{}, err
		}
	}
	answer.Note, err = a.prompt(ctx, "Note, if any:", false)
	return answer, err
}

// value asks for one value until it fits.
func (a *app) value(ctx context.Context, wanted schema.Attribute) (string, error) {
	alone := schema.Question{Answers: schema.Object{Attributes: []schema.Attribute{wanted}}}
	for {
		said, err := a.prompt(ctx, ui.Prompt(wanted), wanted.Sensitive)
		if err != nil {
			return "", err
		}
		_, problem := apply.Fill(alone, map[string]string{wanted.Name: said})
		if problem == nil {
			return said, nil
		}
		fmt.Fprintln(a.errOut, problem)
	}
}

// prompt asks for a line; a secret is not shown as it is typed.
func (a *app) prompt(ctx context.Context, question string, secret bool) (string, error) {
	show := func() {}
	line, err := a.answers().line(ctx, func() {
		if secret {
			show = hideTyping(a.in)
		}
		fmt.Fprint(a.errOut, question+" ")
	})
	show()
	if err != nil || secret {
		fmt.Fprintln(a.errOut)
	}
	return line, err
}
