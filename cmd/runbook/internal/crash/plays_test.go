package crash

import (
	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
)

// play is a runbook, and what comes of it, however often the engine is killed.
type play struct {
	file     string
	outcome  string            // that its run ends with
	hand     bool              // once it has succeeded a person has it taken back
	always   bool              // it has an always step
	statuses map[string]string // of its steps in the end
	deeds    map[string]deed   // that are done, by the name of who does them

	boundaries int // groups that an undisturbed run writes
}

// deed is something that is done: by a step's action, a fallback or a rollback.
type deed struct {
	name  string // of its effect
	again bool   // it may be done more than once
	fails bool   // it is done, and fails half-way
}

// doer names what an attempt is of: step.x, step.x.fallback.f or step.x.rollback.
func doer(e *event.Event) string {
	switch {
	case e.Attempt.TakesBack:
		return plan.RollbackAddress(e.Step)
	case e.Attempt.Fallback != "":
		return plan.FallbackAddress(e.Step, e.Attempt.Fallback)
	}
	return e.Step
}

const preface = `
variable "root" {}
provider "witness" {
  root = var.root
}
`

// source has, in crash.hcl, a step of each class, with and without a goal, a
// fallback, instances and a called runbook; back.hcl is taken back as its last step
// fails half-way; undone.hcl succeeds.
var source = map[string]string{
	"crash.hcl": `
runbook "crash" {
  title = "Killed at any instant"
}
` + preface + `
step "idempotent" {
  action "witness.idempotent" { name = "a" }
}
step "keyed" {
  action "witness.keyed" { name = "b" }
}
step "observed" {
  for_each = ["c1", "c2"]
  action "witness.observed" { name = each.key }
}
step "called" {
  call {
    runbook   = "./inner.hcl"
    variables = { root = var.root }
  }
}
step "manual" {
  depends_on = [step.called]
  action "witness.manual" { name = "f" }
}
step "goal" {
  depends_on = [step.called]
  action "witness.manual" { name = "g" }
  goal "there" {
    probe "witness.seen" { name = "g" }
  }
}
step "falls_back" {
  action "witness.broken" { name = "h" }
  fallback "first" {
    action "witness.broken" { name = "h1" }
  }
  fallback "second" {
    action "witness.manual" { name = "h2" }
  }
}
`,
	"inner.hcl": `
runbook "inner" {}
` + preface + `
step "keyed" {
  action "witness.keyed" { name = "d" }
}
step "manual" {
  action "witness.manual" { name = "e" }
}
`,
	"back.hcl": `
runbook "back" {
  on_failure = "rollback"
}
` + preface + `
step "keyed" {
  action "witness.keyed" { name = "a" }
  rollback {
    action "witness.manual" { name = "a_back" }
  }
}
step "observed" {
  for_each = ["b1", "b2"]
  action "witness.observed" { name = each.key }
  rollback {
    action "witness.observed" { name = "${each.key}_back" }
  }
}
step "called" {
  call {
    runbook   = "./undone.hcl"
    variables = { root = var.root }
  }
}
step "broken" {
  action "witness.broken" { name = "f" }
  fallback "other" {
    action "witness.broken" { name = "f1" }
  }
  rollback {
    depends_on = [step.keyed]
    action "witness.manual" { name = "f_back" }
    verify "there" {
      probe "witness.seen" { name = "f_back" }
    }
  }
}
step "last" {
  always = true
  action "witness.manual" { name = "g" }
}
`,
	"undone.hcl": `
runbook "undone" {}
` + preface + `
step "manual" {
  action "witness.manual" { name = "x" }
  rollback {
    action "witness.keyed" { name = "x_back" }
  }
}
step "keyed" {
  action "witness.keyed" { name = "y" }
  rollback {
    depends_on = [step.manual]
    action "witness.manual" { name = "y_back" }
  }
}
step "idempotent" {
  action "witness.idempotent" { name = "z" }
  rollback {
    action "witness.idempotent" { name = "z_back" }
  }
}
`,
}

// plays makes the three, with nothing measured yet.
func plays() []*play {
	undone := map[string]deed{
		"step.manual": {name: "x"}, "step.manual.rollback": {name: "x_back"},
		"step.keyed": {name: "y"}, "step.keyed.rollback": {name: "y_back"},
		"step.idempotent": {name: "z", again: true}, "step.idempotent.rollback": {name: "z_back", again: true},
	}
	crash := &play{file: "crash.hcl", outcome: "succeeded", statuses: map[string]string{}, deeds: map[string]deed{
		"step.idempotent": {name: "a", again: true}, "step.keyed": {name: "b"},
		`step.observed["c1"]`: {name: "c1"}, `step.observed["c2"]`: {name: "c2"},
		"step.called.step.keyed": {name: "d"}, "step.called.step.manual": {name: "e"},
		"step.manual": {name: "f"}, "step.goal": {name: "g"},
		"step.falls_back": {name: "h", fails: true}, "step.falls_back.fallback.first": {name: "h1", fails: true},
		"step.falls_back.fallback.second": {name: "h2"},
	}}
	for _, step := range []string{
		"step.idempotent", "step.keyed", `step.observed["c1"]`, `step.observed["c2"]`, "step.called.step.keyed", "step.called.step.manual",
		"step.called", "step.manual", "step.goal", "step.falls_back",
	} {
		crash.statuses[step] = "done"
	}
	back := &play{file: "back.hcl", outcome: "rolled_back", always: true, statuses: map[string]string{"step.last": "done", "step.called": "rolled_back"}, deeds: map[string]deed{
		"step.keyed": {name: "a"}, "step.keyed.rollback": {name: "a_back"},
		`step.observed["b1"]`: {name: "b1"}, `step.observed["b1"].rollback`: {name: "b1_back"},
		`step.observed["b2"]`: {name: "b2"}, `step.observed["b2"].rollback`: {name: "b2_back"},
		"step.broken": {name: "f", fails: true}, "step.broken.fallback.other": {name: "f1", fails: true}, "step.broken.rollback": {name: "f_back"},
		"step.last": {name: "g"},
	}}
	hand := &play{file: "undone.hcl", outcome: "rolled_back", hand: true, statuses: map[string]string{}, deeds: undone}
	for _, step := range []string{"step.manual", "step.keyed", "step.idempotent"} {
		hand.statuses[step], back.statuses["step.called."+step] = "rolled_back", "rolled_back"
	}
	for by, d := range undone {
		back.deeds["step.called."+by] = d
	}
	for _, step := range []string{"step.keyed", `step.observed["b1"]`, `step.observed["b2"]`, "step.broken"} {
		back.statuses[step] = "rolled_back"
	}
	return []*play{crash, back, hand}
}
