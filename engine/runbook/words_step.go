package runbook

import "strconv"

// What a step holds, and what its probe or action takes beside the provider's
// own arguments.

var stepBlock = &Block{
	Name:  "step",
	Label: "name",
	Doc: "One thing to do. With an `action` it does something; with a `probe` it captures a value for later steps; with a `call` it runs another runbook; with none of them it is a gate, whose preconditions must hold. " +
		"Without `depends_on` it comes after every step written above it.",
	Example: `step "backup" {
  title = "Keep a copy of the model"

  action "exec.run" {
    argv    = ["cp", "-p", "model.bin", "model.bak"]
    effects = [{ resource = "file:///srv/model.bak" }]
  }
  goal "copied" {
    probe "exec.run" {
      argv = ["cmp", "-s", "model.bin", "model.bak"]
    }
  }
}`,
	Arguments: []Argument{
		{Name: "title", Type: "string", Doc: "One line for people.", Example: `title = "Keep a copy of the model"`},
		{Name: "description", Type: "string", Doc: "More of it.", Example: `description = "Takes a minute."`},
		{Name: "when", Type: "bool expression", Default: "true", Doc: "False: the step is skipped. Not known yet at plan: it is deferred.", Example: `when = check.redis.status != "fails"`},
		{Name: "for_each", Type: "map, set or list of strings", Doc: "Makes one instance of the step for each key, `step.NAME[KEY]`, in which `each.key` and `each.value` are known; a list keeps its order, and its strings are the keys. " +
			"`when` and all else is decided for each instance. With an empty one the step is skipped; not known yet at plan: it is deferred.", Example: `for_each = ["api", "worker"]`},
		{Name: "max_parallel", Type: "number", Default: "all of them", Doc: "How many instances are at work at once, proofs included; 1 is a rolling change. An instance that ends badly ends the roll: the rest is not run.",
			Example: `max_parallel = 1`},
		{Name: "depends_on", Type: "list of steps", Default: "every step above", Doc: "The steps that must have ended well; `[]`: none, it begins at once.", Example: `depends_on = [step.measure]`},
		{Name: "always", Type: "bool", Default: "false", Doc: "Runs once everything before it has ended, also after a failure or an interrupt.", Example: `always = true`},
		{Name: "point_of_no_return", Type: "bool", Default: "false", Doc: "Once its action has begun, a rollback takes back nothing that had ended before. Plan and screen say so.", Example: `point_of_no_return = true`},
		{Name: "limit", Type: "object expression", Doc: "The most that the action may hit. A preview that counts more blocks the step, as does one that cannot count, unless the action keeps the bound itself. The provider's reference has the names, and which of them its actions keep.", Example: `limit = { keys = 50000 }`},
		{Name: "timeout", Type: "duration", Default: "none", Doc: "Of the action; not of waiting for people, locks or assertions.", Example: `timeout = "15m"`},
		{Name: "on_failure", Type: "string", Choices: []string{"stop", "continue", "rollback", "ignore"}, Default: "the runbook's",
			Doc: "What it means for the rest where this step ends badly; `ignore`: nothing.", Example: `on_failure = "ignore"`},
	},
	Blocks: []*Block{preconditionBlock, actionBlock, probeBlock, callBlock, goalBlock, verifyBlock, retryBlock, approvalBlock, fallbackBlock, rollbackBlock},
}

var callBlock = &Block{
	Name: "call",
	Doc: "Runs another runbook as part of this one. Its steps have addresses such as `step.NAME.step.OTHER`, its outputs are `step.NAME.result`, and its `on_failure` and `timeout` hold for its steps. " +
		"To the rest of this runbook it is one step: satisfied where all of its steps are satisfied or skipped, failed where one ended badly, else done. A variable of a file that both include has one value in a run.",
	Example: `call {
  runbook   = "./backup.hcl"
  variables = { keep = 7 }
}`,
	Arguments: []Argument{
		{Name: "runbook", Type: "string", Required: true, Doc: "Its file, relative to this one and within the repository.", Example: `runbook = "./backup.hcl"`},
		{Name: "variables", Type: "object", Doc: "Values for its own variables. They are known before the run: variables, locals and, in a step with `for_each`, `each`.", Example: `variables = { keep = 7 }`},
	},
}

var retryBlock = &Block{
	Name: "retry",
	Doc:  "Tries the action again after a failure that is known to have changed nothing, or where doing it again is harmless. At most one in a step.",
	Example: `retry {
  attempts = 3
  delay    = "10s"
  when     = error.code == "unavailable"
}`,
	Arguments: []Argument{
		{Name: "attempts", Type: "number", Required: true, Doc: "Tries in all, the first one too; 2 to " + strconv.Itoa(maxAttempts) + ".", Example: `attempts = 3`},
		{Name: "delay", Type: "duration", Default: written(DefaultRetryDelay), Doc: "Pause before the second try.", Example: `delay = "10s"`},
		{Name: "factor", Type: "number", Default: strconv.Itoa(DefaultRetryFactor), Doc: "By which the pause grows from try to try, 1 to 100.", Example: `factor = 1.5`},
		{Name: "max_delay", Type: "duration", Default: written(DefaultRetryMaxDelay), Doc: "The longest pause.", Example: `max_delay = "5m"`},
		{Name: "jitter", Type: "number", Default: "0", Doc: "Share of the pause that is added at random at most, 0 to 1.", Example: `jitter = 0.2`},
		{Name: "when", Type: "bool expression", Default: "true", Doc: "Whether such a failure is worth another try.", Example: `when = error.code == "unavailable"`},
	},
}

var approvalBlock = &Block{
	Name: "approval",
	Doc: "Has people say yes before the step acts, after its preconditions: at the terminal, or by `runbook approve` while the run waits. They see what would be hit. " +
		"An approval covers the resources that were shown, and counts up to the step's limit or a tenth more than shown; beyond that they are asked again. A step that captures takes none.",
	Example: `approval {
  message   = "Ask the desk before the models change."
  approvers = ["ana", "ben"]
}`,
	Arguments: []Argument{
		{Name: "message", Type: "string expression", Doc: "What they should know.", Example: `message = "Ask the desk first."`},
		{Name: "when", Type: "bool expression", Default: "true", Doc: "Whether anybody is asked.", Example: `when = check.redis.status == "fails"`},
		{Name: "approvers", Type: "list of strings", Default: "anybody at all", Doc: "Who may give it: identities that the store of runs vouches for, which are user names of the machine where it is a folder.", Example: `approvers = ["ana", "ben"]`},
		{Name: "count", Type: "number", Default: "1", Doc: "How many different people, 1 to " + strconv.Itoa(maxApprovals) + ".", Example: `count = 2`},
		{Name: "timeout", Type: "duration", Default: "none", Doc: "How long they have, from when they were first asked; then the step has failed.", Example: `timeout = "2h"`},
	},
}

var fallbackBlock = &Block{
	Name:  "fallback",
	Label: "label",
	Doc: "What the step does instead where its action failed, or its goals and verifications did not come to hold; of several, one after another in the order they are written. Never after an outcome that nobody knows. " +
		"The step's limit, approval and timeout hold for it too.",
	Example: `fallback "backup" {
  action "exec.run" {
    argv    = ["cp", "-p", "backup.bin", "model.bin"]
    effects = [{ resource = "file:///srv/model.bin" }]
  }
}`,
	Blocks: []*Block{actionBlock},
}

var rollbackBlock = &Block{
	Name: "rollback",
	Doc: "How what the step did is taken back, where a step with `on_failure = \"rollback\"` ends badly, or by `runbook rollback`. All steps whose action had begun are taken back one at a time, the failed ones first, then in reverse order of ending; " +
		"not one whose action is known to have changed nothing, and nothing that had ended before a `point_of_no_return`. It may read `self.result`, which is null where the action failed half-way. Who approves a step approves its rollback.",
	Example: `rollback {
  action "exec.run" {
    argv    = ["cp", "-p", "model.bak", "model.bin"]
    effects = [{ resource = "file:///srv/model.bin" }]
  }
  verify "is_back" {
    probe "exec.run" {
      argv = ["cmp", "-s", "model.bak", "model.bin"]
    }
  }
}`,
	Arguments: []Argument{
		{Name: "depends_on", Type: "list of steps", Doc: "Their rollbacks come before this one.", Example: `depends_on = [step.copy]`},
	},
	Blocks: []*Block{actionBlock, verifyBlock},
}

// operationArguments are the engine's own words inside a probe or action.
var operationArguments = []Argument{
	{Name: "provider", Type: "provider configuration", Default: "the one without an alias", Doc: "Which configuration of the provider to use.", Example: `provider = http.partner`},
	{Name: "sensitive", Type: "bool", Default: "false", Doc: "Keeps the whole result off screens and records.", Example: `sensitive = true`},
}

const operationOpen = "It takes the provider's own arguments for it as well: see [providers](../providers/)."

var actionBlock = &Block{
	Name:  "action",
	Label: "PROVIDER.NAME",
	Doc:   "What the step does; at most one in a step, a fallback, a rollback, a notify or an escalation. What it, or a fallback's, returns is `step.NAME.result`.",
	Example: `action "core.log" {
  message = "begun by ${run.operator}"
}`,
	Arguments: operationArguments,
	Open:      operationOpen,
}

var probeBlock = &Block{
	Name:  "probe",
	Label: "PROVIDER.NAME",
	Doc:   "Looks, and changes nothing. In an assertion it is what `result` comes from; in a step it captures `step.NAME.result` for later steps.",
	Example: `probe "http.get" {
  url = "http://127.0.0.1:8080/health"
}`,
	Arguments: operationArguments,
	Open:      operationOpen,
}
