package rehearse_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/rehearse"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// fake is a provider with one probe and some actions, one of which only a person
// can settle.
type fake struct{}

func (fake) Schema(context.Context, string) (*schema.Provider, error) {
	attribute := func(name string, t cty.Type) schema.Attribute { return schema.Attribute{Name: name, Type: t, Doc: "x"} }
	result := schema.Object{Attributes: []schema.Attribute{attribute("ok", cty.Bool), attribute("summary", cty.String), attribute("age", cty.Number)}}
	return &schema.Provider{Name: "fake", Operations: []schema.OperationSchema{
		{Name: "look", Kind: schema.Probe, Result: result},
		{Name: "set", Kind: schema.Action, Result: result, Settling: schema.Idempotent},
		{Name: "shoot", Kind: schema.Action, Result: result, Settling: schema.Manual},
		{Name: "run", Kind: schema.Probe, Result: result},
		{Name: "run", Kind: schema.Action, Result: result, Settling: schema.Idempotent, Counts: []string{"rows"}},
		{Name: "ask", Kind: schema.Action, Result: result, Settling: schema.Idempotent, Asks: true},
		{Name: "start", Kind: schema.Action, Result: result, Settling: schema.Idempotent},
	}}, nil
}

func (fake) Describe(_ context.Context, _ string, op schema.Operation) (schema.Description, error) {
	return schema.Description{Effects: []schema.Effect{{Resource: "fake://host/" + op.Name, Mode: schema.Write}}}, nil
}

// Asks implements rehearse.Providers.
func (fake) Asks(string) bool { return true }

// Ask wants an age, and not one of 13.
func (fake) Ask(_ context.Context, _ string, op schema.Operation) schema.Outcome {
	question := &schema.Question{Message: "how old?", Answers: schema.Object{Attributes: []schema.Attribute{{Name: "age", Type: cty.Number, Required: true}}}}
	switch {
	case op.Answers == cty.NilVal:
		return schema.Outcome{State: schema.Ask, Question: question}
	case op.Answers.GetAttr("age").RawEquals(cty.NumberIntVal(13)):
		question.Message = "not 13; how old?"
		return schema.Outcome{State: schema.Ask, Question: question}
	}
	return schema.Outcome{State: schema.Done, Result: cty.ObjectVal(map[string]cty.Value{"ok": cty.True, "summary": cty.StringVal("told"), "age": op.Answers.GetAttr("age")})}
}

func open(context.Context, *eval.Frame, eval.Run) (rehearse.Providers, hcl.Diagnostics) {
	return fake{}, nil
}

const source = `
runbook "x" {}
check "ready" {
  probe "fake.look" {}
}
step "gate" {
  precondition "ready" { check = check.ready }
}
step "set" {
  action "fake.set" {}
  goal "fresh" {
    probe "fake.look" {}
    assert = result.age < 10
    within = "30m"
    every  = "1m"
  }
}
step "shoot" {
  depends_on = [step.gate]
  action "fake.shoot" {}
}
`

// rehearsed runs the one test of a text.
func rehearsed(t *testing.T, text string) (rehearse.Result, hcl.Diagnostics) {
	t.Helper()
	return rehearsedOf(t, source, text)
}

func rehearsedOf(t *testing.T, source, text string) (rehearse.Result, hcl.Diagnostics) {
	t.Helper()
	f, diags := loadedWith(t, source, text)
	if diags.HasErrors() {
		return rehearse.Result{}, diags
	}
	return f.Run(t.Context(), f.Tests[0], open, rehearse.Options{})
}

// loaded is a file of tests without mistakes.
func loaded(t testing.TB, source, text string) *rehearse.File {
	t.Helper()
	f, diags := loadedWith(t, source, text)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f
}

func loadedWith(t testing.TB, source, text string) (*rehearse.File, hcl.Diagnostics) {
	t.Helper()
	return loadedFiles(t, map[string]string{"x.hcl": source, "x_test.hcl": text})
}

func loadedFiles(t testing.TB, files map[string]string) (*rehearse.File, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "x_test.hcl")
	rb, diags := runbook.Load(rehearse.RunbookOf(path))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return rehearse.Load(path, rb)
}

const mocks = `
  mock "check.ready" { holds = true }
  mock "fake.look" {
    returns = { age = 99 }
    after "fake.set" { returns = { age = 1 } }
  }
`

func TestRehearsals(t *testing.T) {
	tests := map[string]struct {
		body     string
		problems []string
		took     time.Duration
	}{
		"works": {mocks + `
  mock "fake.set" { takes = "20s" }
  mock "fake.shoot" {}
  expect {
    outcome = "succeeded"
    status  = { "step.set" = "done", "step.shoot" = "done" }
    calls   = { "fake.set" = 1 }
  }`, nil, 20 * time.Second},
		"a goal that never holds is waited for": {`
  mock "check.ready" { holds = true }
  mock "fake.look" { returns = { age = 99 } }
  mock "fake.set" {}
  mock "fake.shoot" {}
  expect {
    outcome = "failed"
    status  = { "step.set" = "failed" }
  }`, nil, 30 * time.Minute},
		"crash and find done": {mocks + `
  mock "fake.set" {}
  mock "fake.shoot" {}
  crash_after = step.set
  expect {
    outcome = "succeeded"
    calls   = { "fake.set" = 1, "fake.shoot" = 1 }
  }`, nil, 0},
		"crash, and only a person knows": {mocks + `
  mock "fake.set" {}
  mock "fake.shoot" {}
  crash_after = step.shoot
  expect {
    outcome = "failed"
    status  = { "step.shoot" = "unknown" }
    calls   = { "fake.shoot" = 1 }
  }`, nil, 0},
		"an action fails": {`
  mock "check.ready" { holds = true }
  mock "fake.look" {
    returns = { age = 99 }
    after "fake.shoot" { returns = { age = 1 } }
  }
  mock "fake.set" { fails = "broken" }
  mock "fake.shoot" {}
  expect {
    status = { "step.set" = "failed" }
    message = "broken"
  }`, nil, 0},
		"unknown, found done by its goal": {mocks + `
  mock "fake.set" { unknown = true }
  mock "fake.shoot" { unknown = true }
  expect {
    status = { "step.set" = "done", "step.shoot" = "unknown" }
    calls  = { "fake.set" = 1 }
  }`, nil, 0},
		"a check that cannot be looked at": {mocks + `
  mock "check.ready" {
    at     = step.gate.precondition.ready
    status = "errors"
  }
  expect {
    outcome    = "blocked"
    blocked_by = step.gate.precondition.ready
    status     = { "step.set" = "not_run" }
  }`, nil, 0},
		"a look that takes too long": {mocks + `
  mock "check.ready" {
    at    = step.gate
    takes = "1m"
  }
  expect {
    outcome = "blocked"
    message = "no answer within 10s"
  }`, nil, 10 * time.Second},
		"what is not mocked": {mocks + `
  expect { outcome = "succeeded" }`, []string{
			`step.shoot uses fake.shoot, which is not mocked. Write: mock "fake.shoot" { returns = { … } }`,
			`step.set uses fake.set, which is not mocked. Write: mock "fake.set" { returns = { … } }`,
		}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			r, diags := rehearsed(t, "test \"x\" {\n"+test.body+"\n}\n")
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.problems, r.Problems, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if r.Took != test.took {
				t.Errorf("took %s of virtual time, want %s", r.Took, test.took)
			}
			if took := time.Since(begun); r.Took > 0 && took >= r.Took {
				t.Errorf("took %s: virtual time was waited for", took)
			}
		})
	}
}

// The same test gives the same events, compared whole.
func TestRehearsalsAreEqual(t *testing.T) {
	text := "test \"x\" {\n" + mocks + "\n  mock \"fake.set\" { takes = \"20s\" }\n  mock \"fake.shoot\" { takes = \"20s\" }\n  crash_after = step.set\n  expect { outcome = \"succeeded\" }\n}\n"
	var first []event.Event
	for i := range 20 {
		r, diags := rehearsed(t, text)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if i == 0 {
			first = r.Events
		}
		if diff := cmp.Diff(first, r.Events); diff != "" {
			t.Fatalf("another run, other events:\n%s", diff)
		}
	}
	if len(first) < 10 {
		t.Errorf("too little happened: %d events", len(first))
	}
}

// A failure that changed nothing is tried again; a mock says so.
func TestCleanFailureIsRetried(t *testing.T) {
	const shot = `
test "shoots_again" {
  mock "check.ready" { holds = true }
  mock "fake.look" {
    returns = { age = 1 }
  }
  mock "fake.shoot" {
    fails = "busy"
    clean = true
    after "fake.shoot" {
      returns = { age = 3 }
    }
  }
  expect {
    outcome = "succeeded"
    calls   = { "fake.shoot" = 2 }
  }
}
`
	old := "action \"fake.shoot\" {}\n"
	result, diags := rehearsedOf(t, strings.Replace(source, old, old+"  retry {\n    attempts = 2\n    delay    = \"1m\"\n  }\n", 1), shot)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if !result.OK() || result.Took != time.Minute {
		t.Errorf("took %s: %v", result.Took, result.Problems)
	}
}
