package rehearse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Answers is the `answers` argument of a test: what people say to the questions
// of actions, by address.
type Answers struct {
	By    map[string]apply.Answer
	Range hcl.Range
}

// answers reads { "step.a" = { run_id = "x" }, "step.b" = {}, "step.c" = false }.
func (d *decoder) answers(t *Test) {
	attr := t.body.Attributes["answers"]
	if attr == nil {
		return
	}
	t.Answers.Range = attr.Expr.Range()
	v, ok := d.value(attr, attr.Name, cty.DynamicPseudoType)
	if !ok {
		return
	}
	if !v.CanIterateElements() || !v.Type().IsObjectType() {
		d.add(diag.WrongType.At(attr.Expr.Range(), "\"answers\" takes an object by step: { \"step.a\" = { name = value } }; {} confirms, false declines."))
		return
	}
	t.Answers.By = map[string]apply.Answer{}
	said := v.AsValueMap()
	for _, address := range slices.Sorted(maps.Keys(said)) {
		if !d.step(address, attr.Expr.Range()) {
			continue
		}
		answer, ok := answerOf(said[address])
		if !ok {
			d.add(diag.WrongType.At(attr.Expr.Range(), "The answer to %s is an object: { name = value }; {} confirms, false declines.", address))
		}
		t.Answers.By[address] = answer
	}
}

func answerOf(v cty.Value) (apply.Answer, bool) {
	answer := apply.Answer{Yes: true, Values: map[string]string{}}
	switch {
	case v.IsNull():
		return answer, false
	case v.Type() == cty.Bool:
		answer.Yes = v.True()
		return answer, true
	case !v.Type().IsObjectType():
		return answer, false
	}
	for name, value := range v.AsValueMap() {
		if value.IsNull() {
			continue
		}
		text, err := convert.Convert(value, cty.String)
		if err == nil {
			answer.Values[name] = text.AsString()
			continue
		}
		written, err := ctyjson.Marshal(value, value.Type())
		if err != nil {
			return answer, false
		}
		answer.Values[name] = string(written)
	}
	return answer, true
}

// unasked reports answers of a test to steps that ask nothing.
func (t *Test) unasked(ctx context.Context, rb *runbook.Runbook, schemas plan.Schemas) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, at := range slices.Sorted(maps.Keys(t.Answers.By)) {
		step := stepAt(rb, at)
		if step == nil || step.ForEach != nil && step.Action == nil {
			continue
		}
		if step.Action == nil {
			diags = append(diags, diag.InvalidArgument.At(t.Answers.Range, "%s asks nothing: it has no action.", at))
			continue
		}
		p, err := schemas.Schema(ctx, step.Action.Provider)
		if err != nil {
			continue // its mock reports it
		}
		if spec := p.Operation(schema.Action, step.Action.Name); spec != nil && !spec.Asks {
			diags = append(diags, diag.InvalidArgument.At(t.Answers.Range, "%s asks nothing: %s is no action that does. A destructive step is let through by approve = [%s].", at, step.Action.Type(), at))
		}
	}
	return diags
}

// stepAt is the step that an address names, through calls; nil: none.
func stepAt(rb *runbook.Runbook, at string) *runbook.Step {
	parsed, err := address.Parse(at)
	if err != nil {
		return nil
	}
	var step *runbook.Step
	for _, part := range parsed.Parts() {
		if step != nil {
			if step.Call == nil {
				return nil
			}
			rb = step.Call.Runbook
		}
		i := slices.IndexFunc(rb.Steps, func(s *runbook.Step) bool { return s.Name == part.Name })
		if i < 0 {
			return nil
		}
		step = rb.Steps[i]
	}
	return step
}

// attend puts a test's people before the terminal of a process that begins.
func (b *backend) attend(opts *apply.Options, t *Test) {
	there := people{test: t, world: b, asked: map[string]bool{}}
	opts.Ask, opts.Answer, opts.Everybody = there.approve, there.answer, true
}

var errNobody = errors.New("nobody answers")

// people are those that a test puts before a terminal, for one process of a run.
type people struct {
	test  *Test
	world *backend
	asked map[string]bool // steps that have been answered
}

// approve implements apply.Options.Ask.
func (p people) approve(_ context.Context, q apply.Question) (bool, error) {
	if !p.test.Approve[q.Step] && !p.test.Approve[plainly(q.Step)] || p.world.goesWrong(q.Step, Unanswered) {
		return false, errNobody
	}
	p.world.reach(site{step: q.Step, at: q.Step, subject: "person"})
	return !p.world.goesWrong(q.Step, Declined), nil
}

// answer implements apply.Options.Answer.
func (p people) answer(_ context.Context, q apply.Question) (apply.Answer, error) {
	answer, ok := p.test.Answers.By[q.Step]
	if !ok {
		answer, ok = p.test.Answers.By[plainly(q.Step)]
	}
	switch {
	case !ok || p.world.goesWrong(q.Step, Unanswered):
		return apply.Answer{}, errNobody
	case q.Problem != "":
		p.world.fail(fmt.Sprintf("the answer to %s is not taken: %s", q.Step, q.Problem))
		return apply.Answer{}, errNobody
	case p.asked[q.Step]:
		p.world.fail(fmt.Sprintf("the answer to %s is not taken; it asks again: %s", q.Step, q.Reason))
		return apply.Answer{}, errNobody
	}
	p.asked[q.Step] = true
	if answer.Yes {
		p.world.reach(site{step: q.Step, at: q.Step, subject: "person"})
	}
	answer.Yes = answer.Yes && !p.world.goesWrong(q.Step, Declined)
	return answer, nil
}

// talks tells whether an action is one that does no more than ask people, which
// nothing mocks: it is run for real, since it touches nothing and needs no
// process.
func (b *backend) talks(ctx context.Context, ref string, op schema.Operation) bool {
	spec := b.action(ctx, ref, op)
	return spec != nil && spec.Asks && b.find(ctx, operationOf(ref, op), schema.Action) == nil && b.Asks(ref)
}

// action is what the schema says of an action; nil: nothing.
func (b *backend) action(ctx context.Context, ref string, op schema.Operation) *schema.OperationSchema {
	provider, _, _ := strings.Cut(operationOf(ref, op), ".")
	p, err := b.Schema(ctx, provider)
	if err != nil {
		return nil
	}
	return p.Operation(schema.Action, op.Name)
}
