package apply_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/apply"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// asker is a world whose actions ask before they set what they were told.
type asker struct {
	*world
	question schema.Question
	refuses  string   // an answer that it asks about again
	asked    []string // what was asked, by whom
	heard    []cty.Value
}

func (w *asker) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d, err := w.world.Describe(ctx, ref, op)
	d.Effects = nil
	return d, err
}

func (w *asker) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	return w.Describe(ctx, ref, op)
}

func (w *asker) Act(ctx context.Context, ref string, op schema.Operation, progress func(schema.Progress)) schema.Outcome {
	name := text(op.Arguments, "name")
	if text(op.Arguments, "value") != "ask" {
		return w.world.Act(ctx, ref, op, progress)
	}
	again := w.question
	if op.Answers != cty.NilVal {
		w.heard = append(w.heard, op.Answers)
		said := ""
		if op.Answers.Type().HasAttribute("value") {
			said = text(op.Answers, "value")
		}
		if w.refuses == "" || said != w.refuses {
			w.values[name] = said
			o := answer(true, "told", said)
			if op.Answers.Type().HasAttribute("value") && op.Answers.GetAttr("value").IsMarked() {
				fields := o.Result.AsValueMap()
				fields["value"] = redact.Mark(fields["value"])
				o.Result = cty.ObjectVal(fields)
			}
			return o
		}
		again.Message = said + " is not taken. " + again.Message
	}
	w.asked = append(w.asked, name)
	return schema.Outcome{State: schema.Ask, Question: &again}
}

const (
	asks = `
  action "fake.set" {
    name  = "NAME"
    value = "ask"
  }
`
	uses = `
  action "fake.set" {
    name  = "NAME"
    value = step.q.result.value
  }
`
)

func asking(t *testing.T, source string, attributes ...schema.Attribute) (*trial, *asker) {
	t.Helper()
	tr := newTrial(t, source)
	w := &asker{world: tr.world, question: schema.Question{Message: "which?", Answers: schema.Object{Attributes: attributes}}}
	tr.opts.Backend = w
	return tr, w
}

func which(sensitive bool) schema.Attribute {
	return schema.Attribute{Name: "value", Type: cty.String, Doc: "x", Required: true, Sensitive: sensitive}
}

// Away from a terminal a question waits; nothing was done by asking. What
// somebody answers is journalled, and acted on from row 1.
func TestQuestionsWait(t *testing.T) {
	ready := "precondition \"ready\" {\n probe \"fake.get\" { name = \"ready\" }\n}\n"
	tr, w := asking(t, step("q", ready+asks)+step("z", uses), which(false))
	w.values["ready"] = "on"
	r := tr.run()
	tr.expect(r, "waiting: q= z=")
	if diff := cmp.Diff([]string{"step.q"}, r.Waiting); diff != "" || r.Acted {
		t.Errorf("acted %v, waiting (-want +got):\n%s", r.Acted, diff)
	}
	asked := tr.record.events[len(tr.record.events)-2]
	if want := (&event.Question{Message: "which?", Answers: []schema.Attribute{which(false)}}); asked.WaitsFor != "person" || asked.Question == nil || asked.Question.Message != want.Message || asked.Question.Answers[0].Name != "value" {
		t.Errorf("it waits for %q with %+v", asked.WaitsFor, asked.Question)
	}

	tr.expect(tr.again(), "waiting: q= z=") // nobody has answered

	w.values["ready"] = "off" // nobody acts on what was so before
	tr.opts.Answers = map[string]apply.Answer{"step.q": {Yes: true, By: "ana", Note: "as agreed", Values: map[string]string{"value": "seven"}}}
	tr.expect(tr.again(), "blocked: q=blocked z=not_run")
	if len(w.heard) > 0 {
		t.Error("it acted although its precondition does not hold")
	}

	w.values["ready"], tr.opts.Answers = "on", nil // it is on record
	tr.expect(tr.again(), "succeeded: q=done z=done")
	if w.values["z"] != "seven" || len(w.asked) != 2 || len(w.heard) != 1 {
		t.Errorf("z is %q; asked %v, heard %v", w.values["z"], w.asked, w.heard)
	}
	for _, e := range tr.record.events {
		if o := e.Observation; o != nil && o.Kind == "answer" && (o.By != "ana" || o.Note != "as agreed" || o.Message != "value = seven") {
			t.Errorf("on record: %+v", o)
		}
	}
}

// At a terminal a question is put until its answer fits, and what is journalled
// is not asked again after a crash.
func TestQuestionsAtATerminal(t *testing.T) {
	number := schema.Attribute{Name: "count", Type: cty.Number, Doc: "x", Required: true}
	tr, w := asking(t, step("q", asks)+step("z", uses), which(false), number)
	w.refuses = "no"
	said := []map[string]string{
		{"value": "x", "count": "many"},
		{"vlaue": "x", "count": "3"},
		{"value": "no", "count": "3"},
		{"value": "yes", "count": "3"},
	}
	var problems []string
	tr.opts.Answer = func(_ context.Context, q apply.Question) (apply.Answer, error) {
		problems = append(problems, q.Problem+"|"+q.Reason)
		values := said[0]
		said = said[1:]
		return apply.Answer{Yes: true, Values: values}, nil
	}
	tr.expect(tr.run(), "succeeded: q=done z=done")
	want := []string{
		"|which?",
		`count has to be a number, not "many"|which?`,
		"value is missing; vlaue is not asked for; did you mean value?|which?",
		"|no is not taken. which?",
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	three := cty.ObjectVal(map[string]cty.Value{"value": cty.StringVal("yes"), "count": cty.NumberIntVal(3)})
	if len(w.heard) != 2 || !w.heard[1].RawEquals(three) {
		t.Errorf("heard %#v", w.heard)
	}

	// The engine dies right after the second answer was kept.
	answers := 0
	for i, e := range tr.record.events {
		if o := e.Observation; o != nil && o.Kind == "answer" {
			if answers++; answers == 2 {
				tr.record.events = tr.record.events[:i+1]
				break
			}
		}
	}
	tr.opts.Answer = nil
	tr.expect(tr.again(), "succeeded: q=done z=done")
	if len(w.heard) != 3 || !w.heard[2].RawEquals(three) {
		t.Errorf("heard %#v", w.heard)
	}
}

// A confirmation wants a yes. Who declines leaves the step blocked, and nothing
// changed; where the terminal goes, somebody answers elsewhere.
func TestConfirmations(t *testing.T) {
	tests := map[string]struct {
		answer apply.Answer
		err    error
		want   string
	}{
		"yes":      {apply.Answer{Yes: true, Note: "seen"}, nil, "succeeded: q=done z=done"},
		"no":       {apply.Answer{Note: "not yet"}, nil, "blocked: q=blocked z=not_run"},
		"nobody":   {apply.Answer{}, errors.New("the terminal is gone"), "waiting: q= z="},
		"too much": {apply.Answer{Yes: true, Values: map[string]string{"x": "1"}}, nil, "blocked: q=blocked z=not_run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tr, _ := asking(t, step("q", asks)+step("z", set))
			tr.opts.Answer = func(_ context.Context, q apply.Question) (apply.Answer, error) {
				if q.Problem != "" {
					return apply.Answer{Note: q.Problem}, nil
				}
				return test.answer, test.err
			}
			r := tr.run()
			tr.expect(r, test.want)
			if r.Outcome == apply.Blocked && !strings.Contains(r.Steps[0].Reason, test.answer.Note) {
				t.Errorf("said: %s", r.Steps[0].Reason)
			}
		})
	}
}

// A sensitive answer is in no event; a resume has to ask for it again, and does
// so by asking, not by acting on nothing.
func TestSensitiveAnswersAreNotKept(t *testing.T) {
	tr, w := asking(t, step("q", asks)+step("z", uses), which(true))
	tr.opts.Answer = func(context.Context, apply.Question) (apply.Answer, error) {
		return apply.Answer{Yes: true, Values: map[string]string{"value": "hunter2"}}, nil
	}
	tr.act = func(_ context.Context, name, _ string, attempt int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Message: "refused"}}, name == "z" && attempt == 1
	}
	tr.expect(tr.run(), "failed: q=done z=failed")
	for _, e := range tr.record.events {
		if o := e.Observation; strings.Contains(e.Message, "hunter2") || o != nil && (strings.Contains(string(o.Result), "hunter2") || strings.Contains(o.Message, "hunter2")) ||
			e.Attempt != nil && strings.Contains(string(e.Attempt.Result), "hunter2") {
			t.Errorf("%s has it: %+v", e.Type, e)
		}
	}
	tr.opts.Answer, tr.opts.History = nil, nil
	tr.expect(tr.again(), "waiting: q= z=")
	tr.opts.Answer = func(context.Context, apply.Question) (apply.Answer, error) {
		return apply.Answer{Yes: true, Values: map[string]string{"value": "hunter3"}}, nil
	}
	tr.expect(tr.again(), "succeeded: q=done z=done")
	if w.values["z"] != "hunter3" {
		t.Errorf("z is %q", w.values["z"])
	}
}

// An answer that does not fit, left in the inbox, is told and asked for again.
func TestAnswersThatDoNotFit(t *testing.T) {
	tr, _ := asking(t, step("q", asks), which(false))
	tr.expect(tr.run(), "waiting: q=")
	tr.opts.Answers = map[string]apply.Answer{"step.q": {Yes: true, Values: map[string]string{"vale": "x"}}}
	r := tr.again()
	tr.expect(r, "waiting: q=")
	want := []string{"the answer to step.q is not taken: vale is not asked for; did you mean value?; value is missing"}
	if diff := cmp.Diff(want, r.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Instances of a step, and the steps of a called runbook, are asked and answered
// one by one.
func TestQuestionsOfInstancesAndCalls(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"x.hcl":      "runbook \"x\" {\n}\nstep \"q\" {\n for_each = [\"a\", \"b\"]\n max_parallel = 1\n" + strings.Replace(asks, `"NAME"`, "each.key", 1) + "}\nstep \"c\" {\n call {\n  runbook = \"./called.hcl\"\n }\n}\n",
		"called.hcl": "runbook \"called\" {\n}\n" + step("inner", asks),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr, w := asking(t, "", which(false))
	rb, diags := runbook.Load(filepath.Join(dir, "x.hcl"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tr.opts.Frame = link(t, rb)
	answer := func(step, value string) {
		tr.opts.Answers = map[string]apply.Answer{step: {Yes: true, Values: map[string]string{"value": value}}}
	}
	r := tr.run()
	tr.expect(r, `waiting: q["a"]= q["b"]= c=`)
	if diff := cmp.Diff([]string{`step.q["a"]`}, r.Waiting); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	answer(`step.q["a"]`, "1")
	tr.expect(tr.again(), `waiting: q["a"]=done q["b"]= c=`)
	answer(`step.q["b"]`, "2")
	tr.expect(tr.again(), `waiting: q["a"]=done q["b"]=done c= c.step.inner=`)
	answer("step.c.step.inner", "3")
	tr.expect(tr.again(), `succeeded: q["a"]=done q["b"]=done c=done c.step.inner=done`)
	if w.values["a"] != "1" || w.values["b"] != "2" || w.values["inner"] != "3" {
		t.Errorf("told: %v", w.values)
	}
}

// The step's timeout does not run while a person is asked, and asking is no try.
func TestQuestionsTakeNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, w := asking(t, step("q", asks+"timeout = \"1m\"\nretry {\n attempts = 2\n delay = \"1s\"\n}\n"), which(false))
		tr.rb.Timeout = time.Minute
		w.refuses = "no"
		answers := []string{"no", "no", "no", "yes"}
		tr.opts.Answer = func(context.Context, apply.Question) (apply.Answer, error) {
			<-time.After(time.Hour) // virtual: the person thinks
			said := answers[0]
			answers = answers[1:]
			return apply.Answer{Yes: true, Values: map[string]string{"value": said}}, nil
		}
		tr.expect(tr.run(), "succeeded: q=done")
	})
}

// A provider that asks and does not say what has failed: it is not asked for
// ever.
func TestAQuestionWithoutWords(t *testing.T) {
	tr := newTrial(t, step("a", set))
	tr.act = func(context.Context, string, string, int) (schema.Outcome, bool) {
		return schema.Outcome{State: schema.Ask}, true
	}
	tr.expect(tr.run(), "failed: a=failed")
	if len(tr.calls) != 1 {
		t.Errorf("%d attempts", len(tr.calls))
	}
}

func TestFill(t *testing.T) {
	question := schema.Question{Answers: schema.Object{Attributes: []schema.Attribute{
		{Name: "text", Type: cty.String, Required: true},
		{Name: "many", Type: cty.Number},
		{Name: "sure", Type: cty.Bool},
		{Name: "list", Type: cty.List(cty.Number)},
		{Name: "secret", Type: cty.Number, Sensitive: true},
	}}}
	tests := map[string]struct {
		written map[string]string
		want    map[string]cty.Value
		err     string
	}{
		"all": {map[string]string{"text": "a=b c", "many": "1.5", "sure": "true", "list": "[1, 2]", "secret": "4"}, map[string]cty.Value{
			"text": cty.StringVal("a=b c"), "many": cty.NumberFloatVal(1.5), "sure": cty.True,
			"list": cty.ListVal([]cty.Value{cty.NumberIntVal(1), cty.NumberIntVal(2)}), "secret": redact.Mark(cty.NumberIntVal(4)),
		}, ""},
		"what has to be": {map[string]string{"text": "x", "many": ""}, map[string]cty.Value{
			"text": cty.StringVal("x"), "many": cty.NullVal(cty.Number), "sure": cty.NullVal(cty.Bool),
			"list": cty.NullVal(cty.List(cty.Number)), "secret": cty.NullVal(cty.Number),
		}, ""},
		"nothing": {nil, nil, "text is missing"},
		"all wrong": {map[string]string{"many": "x", "sure": "perhaps", "list": "1", "secret": "hunter2", "txet": "y", "unlike": "z"}, nil,
			`list has to be a list of number, not "1"; many has to be a number, not "x"; secret has to be a number; sure has to be a bool, not "perhaps"; text is missing; txet is not asked for; did you mean text?; unlike is not asked for; what is: text, many, sure, list, secret`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := apply.Fill(question, test.written)
			switch {
			case test.err != "":
				if err == nil || err.Error() != test.err {
					t.Errorf("got  %v\nwant %s", err, test.err)
				}
			case err != nil:
				t.Error(err)
			case !got.RawEquals(cty.ObjectVal(test.want)):
				t.Errorf("got %#v", got)
			}
		})
	}
}
