package plan_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// decided is what a plan says: its outcome, then each step.
func decided(p *plan.Plan) []string {
	said := []string{p.Outcome}
	for _, s := range p.Steps {
		word := s.Address + " " + s.Decision
		if s.Tentative {
			word += " tentatively"
		}
		said = append(said, word)
	}
	return said
}

// planOf plans main.hcl among other files.
func planOf(t *testing.T, w *world, files map[string]string) *plan.Plan {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("runbook \"x\" {\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rb, diags := runbook.Load(filepath.Join(dir, "main.hcl"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	w.looks = map[string]int{}
	p, err := plan.Make(t.Context(), frame(t, rb), plan.Options{Run: eval.Run{ID: "p"}, Backend: w, Schemas: w})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const each = `  action "fake.set" { name = each.key }
  goal "g" {
    probe "fake.get" { name = each.key }
  }
`

func TestPlanForEach(t *testing.T) {
	tests := map[string]struct {
		source string
		world  *world
		want   []string
	}{
		"each is decided by itself": {
			step("a", "for_each = [\"one\", \"two\"]\n"+each), &world{on: set("two")},
			[]string{"changes", `step.a["one"] run`, `step.a["two"] satisfied`},
		},
		"none": {step("a", "for_each = []\n"+each), &world{}, []string{"nothing_to_do", "step.a skipped"}},
		"not known yet": {
			step("first", act) + step("a", "for_each = [step.first.result.summary]\n"+each) + step("after", "when = step.a.status == \"done\"\n"+act), &world{},
			[]string{"changes", "step.first run", "step.a[*] deferred", "step.after deferred"},
		},
		"nothing that can be looped over": {step("a", "for_each = 3\n"+each), &world{}, []string{"blocked", "step.a blocked"}},
		"the worst status of them is known where theirs are": {
			step("a", "for_each = [\"one\", \"two\"]\n"+each) + step("after", "when = step.a.status == \"satisfied\"\n"+act), &world{on: set("one", "two")},
			[]string{"changes", `step.a["one"] satisfied`, `step.a["two"] satisfied`, "step.after run"},
		},
		"checks have instances": {
			"check \"c\" {\n for_each = { x = \"one\", y = \"two\" }\n probe \"fake.get\" { name = each.value }\n}\n" +
				step("a", "for_each = [\"x\", \"y\"]\nwhen = check.c[each.key].status == \"fails\"\n"+act) +
				step("b", "precondition \"p\" { check = check.c[\"x\"] }\n"+act) +
				step("c", "depends_on = []\nprecondition \"p\" { checks = [check.c] }\n"+act),
			&world{on: set("one")},
			[]string{"blocked", `step.a["x"] skipped`, `step.a["y"] run`, "step.b run tentatively", "step.c blocked"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, decided(planOf(t, test.world, map[string]string{"main.hcl": "}\n" + test.source}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is not known yet is described as widely as it may be.
func TestPlanForEachNotKnownIsDescribed(t *testing.T) {
	p := planOf(t, &world{}, map[string]string{"main.hcl": "}\n" + step("first", act) + step("a", "for_each = [step.first.result.summary]\n"+each)})
	if diff := cmp.Diff("fake://host", p.Steps[1].Effects[0].Resource); diff != "" {
		t.Error(diff)
	}
}

const inner = `
step "a" {
  action "fake.set" { name = "a" }
  goal "g" {
    probe "fake.get" { name = "a" }
  }
}
output "said" {
  value = step.a.status
}
`

func TestPlanCall(t *testing.T) {
	alone := func(more string) string {
		return "}\nstep \"x\" {\n  call {\n    runbook = \"other.hcl\"\n  }\n" + more + "}\n"
	}
	caller := func(more string) string {
		return alone(more) + step("after", "depends_on = [step.x]\n"+act)
	}
	gate := step("gate", "precondition \"p\" {\n probe \"fake.get\" { name = \"open\" }\n}\n")
	tests := map[string]struct {
		main, other string
		world       *world
		want        []string
	}{
		"satisfied": {caller(""), "}\n" + inner, &world{on: set("a")}, []string{"changes", "step.x satisfied", "step.x.step.a satisfied", "step.after run"}},
		"run":       {caller(""), "}\n" + inner, &world{}, []string{"changes", "step.x run", "step.x.step.a run", "step.after run tentatively"}},
		"skipped":   {caller("when = false\n"), "}\n" + inner, &world{}, []string{"changes", "step.x skipped", "step.x.step.a skipped", "step.after run"}},
		"blocked inside holds back": {caller(""), "}\n" + gate + inner, &world{},
			[]string{"blocked", "step.x blocked", "step.x.step.gate blocked", "step.x.step.a blocked", "step.after blocked"}},
		"blocked inside, but the inside goes on": {alone(""), "on_failure = \"continue\"\n}\n" + gate + inner, &world{},
			[]string{"changes", "step.x blocked", "step.x.step.gate blocked", "step.x.step.a run"}},
		"blocked inside, but the caller goes on": {alone("on_failure = \"continue\"\n") + step("free", act), "}\n" + gate + inner, &world{},
			[]string{"changes", "step.x blocked", "step.x.step.gate blocked", "step.x.step.a blocked", "step.free run"}},
		"deferred": {"}\n" + step("first", act) + "step \"x\" {\n  when = step.first.result.ok\n  call {\n    runbook = \"other.hcl\"\n  }\n}\n", "}\n" + inner, &world{},
			[]string{"changes", "step.first run", "step.x deferred", "step.x.step.a deferred"}},
		"satisfied by its goal": {caller("goal \"g\" {\n probe \"fake.get\" { name = \"done\" }\n}\n"), "}\n" + inner, &world{on: set("done")},
			[]string{"changes", "step.x satisfied", "step.x.step.a skipped", "step.after run"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := planOf(t, test.world, map[string]string{"main.hcl": test.main, "other.hcl": test.other})
			if diff := cmp.Diff(test.want, decided(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
