package core_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/core"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

func TestManual(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	args := map[string]any{"message": "is the desk closed?"}
	o := h.Act("manual", args)
	if o.State != schema.Ask || o.Question == nil || o.Question.Message != "is the desk closed?" || len(o.Question.Answers.Attributes) > 0 {
		t.Errorf("it ended %s and asks %+v", o.State, o.Question)
	}
	if o := h.Act("manual", args, sdktest.Answers(cty.EmptyObjectVal)); o.State != schema.Done {
		t.Errorf("confirmed, it ended %s: %v", o.State, o.Failure)
	}
}

func asked(fields ...any) cty.Value {
	values := map[string]cty.Value{}
	for i := 0; i < len(fields); i += 2 {
		values[fields[i].(string)] = fields[i+1].(cty.Value)
	}
	return cty.ObjectVal(values)
}

// question is what an input asks in these tests.
func question() map[string]any {
	return map[string]any{"message": "Which run?", "values": cty.MapVal(map[string]cty.Value{
		"run_id": full("", "its ID", nil, "manual__.+", false),
		"days":   full("number", "", []string{"1", "7"}, "", false),
		"token":  full("string", "", nil, "", true),
	})}
}

// full is one value asked for, with all that can be said of it.
func full(kind, description string, choices []string, pattern string, sensitive bool) cty.Value {
	text := func(s string) cty.Value {
		if s == "" {
			return cty.NullVal(cty.String)
		}
		return cty.StringVal(s)
	}
	all := cty.NullVal(cty.List(cty.String))
	if choices != nil {
		var list []cty.Value
		for _, c := range choices {
			list = append(list, cty.StringVal(c))
		}
		all = cty.ListVal(list)
	}
	return asked("type", text(kind), "description", text(description), "choices", all, "pattern", text(pattern), "sensitive", cty.BoolVal(sensitive))
}

func TestInputAsks(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	o := h.Act("input", question())
	if o.State != schema.Ask || o.Question == nil {
		t.Fatalf("it ended %s: %v", o.State, o.Failure)
	}
	want := &schema.Question{Message: "Which run?", Answers: schema.Object{Attributes: []schema.Attribute{
		{Name: "days", Type: cty.Number, Doc: "one of 1, 7", Required: true},
		{Name: "run_id", Type: cty.String, Doc: "its ID; matches manual__.+", Required: true},
		{Name: "token", Type: cty.String, Required: true, Sensitive: true},
	}}}
	if diff := cmp.Diff(want, o.Question, cmp.Comparer(func(a, b cty.Type) bool { return a.Equals(b) })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInputTakes(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	tests := map[string]struct {
		answers cty.Value
		problem string // empty: they are taken
	}{
		"what fits":        {asked("run_id", cty.StringVal("manual__1"), "days", cty.NumberIntVal(7), "token", cty.StringVal("hunter2")), ""},
		"no such choice":   {asked("run_id", cty.StringVal("manual__1"), "days", cty.NumberIntVal(3), "token", cty.StringVal("hunter2")), "days has to be one of 1, 7"},
		"no match":         {asked("run_id", cty.StringVal("xmanual__1"), "days", cty.NumberIntVal(1), "token", cty.StringVal("hunter2")), "run_id does not match manual__.+"},
		"part of a match":  {asked("run_id", cty.StringVal("manual__"), "days", cty.NumberIntVal(1), "token", cty.StringVal("hunter2")), "run_id does not match manual__.+"},
		"missing and null": {asked("run_id", cty.StringVal("manual__1"), "days", cty.NullVal(cty.Number)), "days has to be a number; token is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := h.Act("input", question(), sdktest.Answers(test.answers))
			if test.problem != "" {
				if want := test.problem + ". Which run?"; o.State != schema.Ask || o.Question.Message != want {
					t.Errorf("it ended %s: %+v", o.State, o.Question)
				}
				return
			}
			if o.State != schema.Done {
				t.Fatalf("it ended %s: %v", o.State, o.Failure)
			}
			values := o.Result.GetAttr("values")
			if token := values.GetAttr("token"); !token.HasMark(schema.Sensitive) {
				t.Error("the token is not sensitive")
			}
			unmarked, _ := o.Result.UnmarkDeep()
			got, _ := sdktest.Go(t, unmarked).(map[string]any)
			want := map[string]any{"ok": true, "summary": "days = 7, run_id = manual__1, token = (sensitive)", "values": map[string]any{"run_id": "manual__1", "days": 7, "token": "hunter2"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A question that can never be answered is an author's mistake, told by a plan.
func TestInputRefuses(t *testing.T) {
	h := sdktest.New(t, core.Provider(), nil)
	tests := map[string]struct {
		values map[string]cty.Value
		want   string
	}{
		"nothing":       {nil, "nothing is asked for"},
		"a type":        {map[string]cty.Value{"n": full("integer", "", nil, "", false)}, `the type of n is "integer"`},
		"a name":        {map[string]cty.Value{"Run ID": full("", "", nil, "", false)}, "not lower_snake_case"},
		"a pattern":     {map[string]cty.Value{"n": full("", "", nil, "(", false)}, "the pattern of n is not an RE2"},
		"its type":      {map[string]cty.Value{"n": full("number", "", nil, ".", false)}, "only a string can have a pattern"},
		"a choice":      {map[string]cty.Value{"n": full("number", "", []string{"one"}, "", false)}, `the choice "one" of n is no number`},
		"what is right": {map[string]cty.Value{"n": full("bool", "", []string{"true"}, "", false)}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			values := cty.MapValEmpty(full("", "", nil, "", false).Type())
			if test.values != nil {
				values = cty.MapVal(test.values)
			}
			d := h.Describe("input", map[string]any{"message": "x", "values": values})
			switch {
			case test.want == "" && d.Failure != nil:
				t.Error(d.Failure)
			case test.want != "" && (d.Failure == nil || d.Failure.Argument != "values" || !strings.Contains(d.Failure.Message, test.want)):
				t.Errorf("said %v, want %q in it", d.Failure, test.want)
			}
		})
	}
}
