package plan_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// world is a fake backend that counts who asks: on holds the switches that are
// on, down those that cannot be looked at.
type world struct {
	on, down map[string]bool
	rows     int64

	mu    sync.Mutex
	looks map[string]int
}

func attribute(name string, t cty.Type, required bool) schema.Attribute {
	return schema.Attribute{Name: name, Type: t, Doc: "x", Required: required}
}

func (w *world) Schema(context.Context, string) (*schema.Provider, error) {
	return theSchema, nil
}

var theSchema = fakeSchema() // read only

// fakeSchema is made once: a host does not make it anew for each call either.
func fakeSchema() *schema.Provider {
	result := schema.Object{Attributes: []schema.Attribute{attribute("ok", cty.Bool, true), attribute("summary", cty.String, true)}}
	return &schema.Provider{Name: "fake", Operations: []schema.OperationSchema{
		{Name: "get", Kind: schema.Probe, Result: result, Arguments: schema.Object{Attributes: []schema.Attribute{attribute("name", cty.String, true)}}},
		{Name: "set", Kind: schema.Action, Result: result, Settling: schema.Idempotent, Previews: true, Counts: []string{"rows"}, Arguments: schema.Object{Attributes: []schema.Attribute{
			attribute("name", cty.String, true), attribute("destroys", cty.Bool, false),
		}}},
	}}
}

func (w *world) Describe(_ context.Context, _ string, op schema.Operation) (schema.Description, error) {
	d := schema.Description{Effects: []schema.Effect{{Resource: "fake://host", Mode: schema.Write}}}
	if name := op.Arguments.GetAttr("name"); name.IsKnown() && len(op.Unknown) == 0 {
		d.Effects[0].Resource += "/" + name.AsString()
		d.Command = []string{"set", name.AsString()}
	}
	destroys := op.Arguments.GetAttr("destroys")
	d.Destructive = !destroys.IsNull() && destroys.True()
	return d, nil
}

func (w *world) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	d, err := w.Describe(ctx, ref, op)
	d.Impact = schema.Impact{"rows": w.rows}
	if w.down["preview"] {
		d.Failure = &schema.Failure{Message: "refused"}
	}
	return d, err
}

func (w *world) Observe(_ context.Context, _ string, op schema.Operation) (schema.Outcome, error) {
	name := op.Arguments.GetAttr("name").AsString()
	w.mu.Lock()
	w.looks[name]++
	w.mu.Unlock()
	if w.down[name] {
		return schema.Outcome{State: schema.FailedClean, Failure: &schema.Failure{Code: "refused", Message: name + " refused"}}, nil
	}
	return schema.Outcome{State: schema.Done, Result: cty.ObjectVal(map[string]cty.Value{
		"ok": cty.BoolVal(w.on[name]), "summary": cty.StringVal(name + " was asked"),
	})}, nil
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool)
	for _, n := range names {
		m[n] = true
	}
	return m
}

// frame links a runbook to what it calls.
func frame(t testing.TB, rb *runbook.Runbook) *eval.Frame {
	t.Helper()
	f, diags := eval.Link(context.Background(), rb, eval.Sources{}, eval.Run{ID: "p"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f
}

func load(t testing.TB, source string) *runbook.Runbook {
	t.Helper()
	file := filepath.Join(t.TempDir(), "test.hcl")
	if err := os.WriteFile(file, []byte("runbook \"test\" {\n}\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	rb, diags := runbook.Load(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return rb
}

func makePlan(t testing.TB, w *world, source string) *plan.Plan {
	t.Helper()
	w.looks = map[string]int{}
	p, err := plan.Make(t.Context(), frame(t, load(t, source)), plan.Options{
		Run: eval.Run{ID: "p", StartedAt: time.Date(2026, 1, 17, 3, 0, 0, 0, time.UTC), Operator: "tester"}, Backend: w, Schemas: w,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines is a plan as one line a step.
func lines(p *plan.Plan) string {
	said := []string{p.Outcome}
	for _, s := range p.Steps {
		line := strings.TrimPrefix(s.Address, "step.") + " " + s.Decision
		if s.Tentative {
			line += " tentative"
		}
		if s.Approval {
			line += " asks"
		}
		said = append(said, line)
	}
	return strings.Join(said, "\n")
}

const (
	act  = "action \"fake.set\" {\n name = \"NAME\"\n}\n"
	goal = "goal \"on\" {\n probe \"fake.get\" { name = \"NAME\" }\n}\n"
	pre  = "precondition \"p\" {\n probe \"fake.get\" { name = \"p\" }\n}\n"
)

func step(name, body string) string {
	return "step \"" + name + "\" {\n" + strings.ReplaceAll(body, "NAME", name) + "}\n"
}

func TestMake(t *testing.T) {
	tests := map[string]struct {
		world  *world
		source string
		want   string
	}{
		"all is well": {&world{on: set("a", "b", "p")}, step("gate", pre) + step("a", act+goal) + step("b", act+goal),
			"nothing_to_do\ngate satisfied\na satisfied\nb satisfied"},
		"one is broken": {&world{on: set("a")}, step("a", act+goal) + step("b", act+goal),
			"changes\na satisfied\nb run"},
		"what comes after is tentative": {&world{on: set("b")}, step("a", act+goal) + step("b", act+goal) + step("c", act) + step("gate", ""),
			"changes\na run\nb satisfied tentative\nc run tentative\ngate satisfied tentative"},
		"a gate that fails blocks all after it": {&world{}, step("gate", pre) + step("a", act) + step("b", act),
			"blocked\ngate blocked\na blocked\nb blocked"},
		"while something runs first it is put off": {&world{}, step("a", act) + step("gate", pre) + step("b", act),
			"changes\na run\ngate deferred\nb run tentative"},
		"continue lets what merely follows run": {&world{}, step("gate", pre+"on_failure = \"continue\"\n") + step("a", act) + step("b", act+"depends_on = [step.gate]\n"),
			"blocked\ngate blocked\na run\nb blocked"},
		"a probe that cannot look blocks": {&world{down: set("p")}, step("gate", pre) + step("a", act),
			"blocked\ngate blocked\na blocked"},
		"a goal that cannot be looked at does not": {&world{down: set("a")}, step("a", act+goal),
			"changes\na run"},
		"destructive asks": {&world{rows: 3}, step("a", strings.Replace(act, "}", "destroys = true\n}", 1)),
			"changes\na run asks"},
		"over its limit": {&world{rows: 3}, step("a", act+"limit = { rows = 2 }\n"),
			"blocked\na blocked"},
		"limited and not measured": {&world{down: set("preview")}, step("a", act+"limit = { rows = 2 }\n"),
			"blocked\na blocked"},
		"a value that a later step makes": {&world{}, step("a", act) + step("b", strings.Replace(act, "\"NAME\"", "step.a.result.summary", 1)),
			"changes\na run\nb run tentative"},
		"when a status is not known yet": {&world{}, step("a", act) + step("b", act+"when = step.a.status == \"failed\"\n"),
			"changes\na run\nb deferred"},
		"a capture is shown and known": {&world{on: set("x")}, "step \"look\" {\n probe \"fake.get\" { name = \"x\" }\n}\n" + step("b", act+"when = step.look.result.ok\n"),
			"changes\nlook run\nb run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := makePlan(t, test.world, test.source)
			if diff := cmp.Diff(test.want, lines(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
				for _, s := range p.Steps {
					t.Logf("%s row %d: %s %v", s.Address, s.Row, s.Reason, s.Warnings)
				}
			}
		})
	}
}

func TestMakeSharesEqualLooks(t *testing.T) {
	w := &world{on: set("p", "a", "b")}
	makePlan(t, w, step("gate", pre)+step("a", act+goal+pre)+step("b", act+goal+pre))
	if w.looks["p"] != 1 {
		t.Errorf("p was looked at %d times in one plan", w.looks["p"])
	}
}

func TestDiagnosisIsSaid(t *testing.T) {
	source := "check \"up\" {\n probe \"fake.get\" { name = \"up\" }\n}\ncheck \"dead\" {\n probe \"fake.get\" { name = \"dead\" }\n}\n" +
		step("a", act+"when = check.up.status == \"fails\"\n") + step("b", act+"when = check.dead.holds\n") + step("c", act+"depends_on = []\nwhen = check.dead.status == \"errors\"\n")
	p := makePlan(t, &world{on: set("up"), down: set("dead")}, source)
	if diff := cmp.Diff("blocked\na skipped\nb blocked\nc run", lines(p)); diff != "" {
		t.Error(diff)
	}
	var said []string
	for _, c := range p.Diagnosis {
		said = append(said, c.Name+" "+c.Status)
	}
	if diff := cmp.Diff([]string{"dead errors", "up holds"}, said); diff != "" {
		t.Error(diff)
	}
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "check.dead could not be looked at") {
		t.Errorf("warnings: %v", p.Warnings)
	}
}

// A check may stand for another, which stands for several: what is set on the
// way overrides what is asked.
func TestChecksOfChecks(t *testing.T) {
	source := "check \"a\" {\n probe \"fake.get\" { name = \"a\" }\n}\ncheck \"b\" {\n probe \"fake.get\" { name = \"b\" }\n}\n" +
		"check \"again\" {\n check = check.a\n message = \"again: ${result.summary}\"\n}\n" +
		"check \"all\" {\n checks = [check.again, check.b]\n}\n" +
		"step \"gate\" {\n precondition \"all\" {\n  check = check.all\n }\n}\n"
	p := makePlan(t, &world{on: set("b")}, source)
	want := "check.again: again: a was asked"
	if p.Steps[0].Decision != "blocked" || p.Steps[0].Reason != want {
		t.Errorf("got %s: %s, want blocked: %s", p.Steps[0].Decision, p.Steps[0].Reason, want)
	}
	if p := makePlan(t, &world{on: set("a", "b")}, source); p.Steps[0].Decision != "satisfied" {
		t.Errorf("got %s: %s", p.Steps[0].Decision, p.Steps[0].Reason)
	}
}

func TestDigestIgnoresTheTimeOnly(t *testing.T) {
	source := step("a", act+goal)
	first, second := makePlan(t, &world{}, source), makePlan(t, &world{}, source)
	second.CreatedAt = second.CreatedAt.Add(time.Hour)
	second.File = first.File
	if plan.Digest(first) != plan.Digest(second) {
		t.Error("two equal looks have different digests")
	}
	other := makePlan(t, &world{on: set("a")}, source)
	other.File = first.File
	if plan.Digest(first) == plan.Digest(other) {
		t.Error("what is different has the same digest")
	}
}

// A `when` that needs an answer which could not be had says why it could not.
func TestWhenNamesTheCheckThatErred(t *testing.T) {
	source := "check \"dead\" {\n probe \"fake.get\" { name = \"dead\" }\n}\n" + step("a", act+"when = check.dead.holds\n")
	p := makePlan(t, &world{down: set("dead")}, source)
	want := "`when` cannot be evaluated: check.dead could not be looked at (fake.get could not look: dead refused); "
	if s := p.Steps[0]; s.Row != 3 || !strings.HasPrefix(s.Reason, want) {
		t.Errorf("row %d: %s", s.Row, s.Reason)
	}
}

// What is counted before an earlier step has acted is of the world before: that
// there is nothing to hit yet is no count of what there will be.
func TestNothingYetIsNoCount(t *testing.T) {
	source := step("first", act+goal) + step("second", act+goal)
	for rows, want := range map[int64][]schema.Impact{
		0: {{"rows": 0}, {}},
		3: {{"rows": 3}, {"rows": 3}},
	} {
		p := makePlan(t, &world{rows: rows}, source)
		if diff := cmp.Diff(want, []schema.Impact{p.Steps[0].Impact, p.Steps[1].Impact}); diff != "" {
			t.Errorf("%d rows (-want +got):\n%s", rows, diff)
		}
		if !p.Steps[1].Tentative {
			t.Error("the second step is not tentative")
		}
	}
}
