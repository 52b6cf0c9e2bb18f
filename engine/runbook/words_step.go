package runbook

import "strconv"

// What a step holds, and what its probe or action takes beside the provider's
// own arguments.

var stepBlock = &Block{
	Name:  "step",
	Label: "name",
	Doc: "One thing to do. With an `action` it does something; with a `probe` it captures a value for later steps; with neither it is a gate, whose preconditions must hold. " +
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
		{Name: "depends_on", Type: "list of steps", Default: "every step above", Doc: "The steps that must have ended well; `[]`: none, it begins at once.", Example: `depends_on = [step.measure]`},
		{Name: "always", Type: "bool", Default: "false", Doc: "Runs once everything before it has ended, also after a failure or an interrupt.", Example: `always = true`},
		{Name: "limit", Type: "object expression", Doc: "The most that the action may hit, by what its preview counts; more than that blocks the step. The names are in the provider's reference.", Example: `limit = { keys = 50000 }`},
		{Name: "timeout", Type: "duration", Default: "none", Doc: "Of the action; not of waiting for people, locks or assertions.", Example: `timeout = "15m"`},
		{Name: "on_failure", Type: "string", Choices: []string{"stop", "continue", "ignore"}, Default: "the runbook's", later: []string{"rollback"},
			Doc: "What it means for the rest where this step ends badly; `ignore`: nothing.", Example: `on_failure = "ignore"`},
	},
	Blocks: []*Block{preconditionBlock, actionBlock, probeBlock, goalBlock, verifyBlock, retryBlock},
	later:  []string{"for_each", "max_parallel", "call", "fallback", "rollback", "approval", "point_of_no_return"},
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

// operationArguments are the engine's own words inside a probe or action.
var operationArguments = []Argument{
	{Name: "provider", Type: "provider configuration", Default: "the one without an alias", Doc: "Which configuration of the provider to use.", Example: `provider = http.partner`},
	{Name: "sensitive", Type: "bool", Default: "false", Doc: "Keeps the whole result off screens and records.", Example: `sensitive = true`},
}

const operationOpen = "It takes the provider's own arguments for it as well: see [providers](../providers/)."

var actionBlock = &Block{
	Name:  "action",
	Label: "PROVIDER.NAME",
	Doc:   "What the step does; at most one in a step. What it returns is `step.NAME.result`.",
	Example: `action "core.log" {
  message = "the load was ${step.measure.result.load_1m}"
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
