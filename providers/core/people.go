package core

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// ManualArgs is what manual takes.
type ManualArgs struct {
	Message string `runbook:"message" doc:"What a person is to do or to look at, and then to confirm."`
}

// InputArgs is what input takes.
type InputArgs struct {
	Message string           `runbook:"message" doc:"What is asked."`
	Values  map[string]Asked `runbook:"values" doc:"What is to be filled in, by name, such as { run_id = { description = \"Run to go back to\" } }. type is string (where not said), number or bool; choices are all that is taken; pattern is an RE2 that a whole string must match; sensitive keeps it off screens and records."`
}

// Asked is one value that input asks for.
type Asked struct {
	Type        string   `runbook:"type" default:"string" doc:"string, number or bool."`
	Description string   `runbook:"description,optional" doc:"What it is, for people."`
	Choices     []string `runbook:"choices,optional" doc:"All that is taken; none given: anything."`
	Pattern     string   `runbook:"pattern,optional" doc:"RE2 that a whole string must match."`
	Sensitive   bool     `runbook:"sensitive" default:"false" doc:"Keeps it off screens and records. A resume asks for it again."`
}

// Filled is the answer of input.
type Filled struct {
	sdk.Result
	Values cty.Value `runbook:"values" doc:"What was filled in, by name."`
}

func manual(_ context.Context, args ManualArgs, call *sdk.Call) (Said, error) {
	if _, answered := call.Answers(); !answered {
		return Said{}, sdk.Ask(schema.Question{Message: args.Message})
	}
	return Said{sdk.OK("confirmed by a person")}, nil
}

func describeManual(args ManualArgs, call *sdk.Call) sdk.Description {
	if call.Unknown("message") {
		return sdk.Description{Summary: "asks a person to confirm something"}
	}
	return sdk.Description{Summary: "asks a person to confirm: " + args.Message, Command: []string{"read", "-p", args.Message}}
}

func input(_ context.Context, args InputArgs, call *sdk.Call) (Filled, error) {
	if failure := args.check(); failure != nil {
		return Filled{}, sdk.Clean(failure)
	}
	answers, answered := call.Answers()
	if !answered {
		return Filled{}, sdk.Ask(args.question(nil))
	}
	values := map[string]cty.Value{}
	var said, problems []string
	for _, name := range args.names() {
		v, problem := args.Values[name].take(answers, name)
		if problem != "" {
			problems = append(problems, problem)
			continue
		}
		shown := "(sensitive)"
		if text, err := convert.Convert(v, cty.String); err == nil && !args.Values[name].Sensitive {
			shown = text.AsString()
		}
		if args.Values[name].Sensitive {
			v = v.Mark(schema.Sensitive)
		}
		values[name] = v
		said = append(said, name+" = "+shown)
	}
	if len(problems) > 0 {
		return Filled{}, sdk.Ask(args.question(problems))
	}
	return Filled{sdk.OK("%s", strings.Join(said, ", ")), cty.ObjectVal(values)}, nil
}

func describeInput(args InputArgs, call *sdk.Call) sdk.Description {
	if call.Unknown("message") || call.Unknown("values") {
		return sdk.Description{Summary: "asks a person to fill something in"}
	}
	if failure := args.check(); failure != nil {
		return sdk.Description{Failure: failure}
	}
	return sdk.Description{
		Summary: fmt.Sprintf("asks a person for %s: %s", strings.Join(args.names(), ", "), args.Message),
		Command: append([]string{"read", "-p", args.Message}, args.names()...),
	}
}

func (args InputArgs) names() []string { return slices.Sorted(maps.Keys(args.Values)) }

// question is what a person is asked; problems say why the last answer is not
// taken.
func (args InputArgs) question(problems []string) schema.Question {
	q := schema.Question{Message: args.Message}
	if len(problems) > 0 {
		q.Message = strings.Join(problems, "; ") + ". " + args.Message
	}
	for _, name := range args.names() {
		a := args.Values[name]
		q.Answers.Attributes = append(q.Answers.Attributes, schema.Attribute{
			Name: name, Type: kinds()[a.Type], Doc: a.doc(), Required: true, Sensitive: a.Sensitive,
		})
	}
	return q
}

var inputName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// kinds are the types that can be asked for.
func kinds() map[string]cty.Type {
	return map[string]cty.Type{"string": cty.String, "number": cty.Number, "bool": cty.Bool}
}

// check says what is wrong with the question itself.
func (args InputArgs) check() *schema.Failure {
	wrong := func(format string, said ...any) *schema.Failure {
		return sdk.InvalidArgument("values", format, said...)
	}
	if len(args.Values) == 0 {
		return wrong("nothing is asked for; core.manual only wants a confirmation")
	}
	for _, name := range args.names() {
		a := args.Values[name]
		want, known := kinds()[a.Type]
		_, err := regexp.Compile(a.Pattern)
		switch {
		case !inputName.MatchString(name):
			return wrong("the name %q is not lower_snake_case", name)
		case !known:
			return wrong("the type of %s is %q; there are string, number and bool", name, a.Type)
		case err != nil:
			return wrong("the pattern of %s is not an RE2: %v", name, err)
		case a.Pattern != "" && want != cty.String:
			return wrong("%s is a %s; only a string can have a pattern", name, a.Type)
		}
		for _, choice := range a.Choices {
			if _, err := convert.Convert(cty.StringVal(choice), want); err != nil {
				return wrong("the choice %q of %s is no %s", choice, name, a.Type)
			}
		}
	}
	return nil
}

// doc is what a person reads beside the value's name.
func (a Asked) doc() string {
	said := a.Description
	add := func(more string) {
		if said != "" {
			said += "; "
		}
		said += more
	}
	if len(a.Choices) > 0 {
		add("one of " + strings.Join(a.Choices, ", "))
	}
	if a.Pattern != "" {
		add("matches " + a.Pattern)
	}
	return said
}

// take is the answer to one value, or why it is not taken.
func (a Asked) take(answers cty.Value, name string) (cty.Value, string) {
	if answers.IsNull() || !answers.Type().IsObjectType() || !answers.Type().HasAttribute(name) {
		return cty.NilVal, name + " is missing"
	}
	v, err := convert.Convert(answers.GetAttr(name), kinds()[a.Type])
	if err != nil || v.IsNull() || !v.IsKnown() {
		return cty.NilVal, fmt.Sprintf("%s has to be a %s", name, a.Type)
	}
	fits := len(a.Choices) == 0
	for _, choice := range a.Choices {
		want, err := convert.Convert(cty.StringVal(choice), v.Type())
		fits = fits || err == nil && v.RawEquals(want)
	}
	if !fits {
		return cty.NilVal, fmt.Sprintf("%s has to be one of %s", name, strings.Join(a.Choices, ", "))
	}
	if a.Pattern != "" && !regexp.MustCompile(`^(?:`+a.Pattern+`)$`).MatchString(v.AsString()) {
		return cty.NilVal, fmt.Sprintf("%s does not match %s", name, a.Pattern)
	}
	return v, ""
}
