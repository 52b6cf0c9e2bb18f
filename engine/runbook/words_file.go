package runbook

import "strconv"

// The blocks of a file, and what a runbook, variable, provider and output hold.

var fileBlock = &Block{
	Name: "runbook file",
	Doc:  "One file is one runbook. Blocks may stand in any order, but for steps, whose order is the order of work.",
	Blocks: []*Block{
		runbookBlock, variableBlock, localsBlock, providerBlock, checkBlock, stepBlock, outputBlock, notifyBlock, escalationBlock,
	},
}

var includedBlock = &Block{
	Name:   "included file",
	Blocks: []*Block{variableBlock, localsBlock, providerBlock, checkBlock, notifyBlock, escalationBlock},
}

var runbookBlock = &Block{
	Name:  "runbook",
	Label: "name",
	Doc:   "Names the runbook and says what holds for all of it. Every file has exactly one.",
	Example: `runbook "postgres_to_feast" {
  title    = "PostgreSQL to Feast: sync recovery"
  severity = "low"
  timeout  = "30m"
}`,
	Arguments: []Argument{
		{Name: "title", Type: "string", Doc: "One line for people.", Example: `title = "Sync recovery"`},
		{Name: "description", Type: "string", Doc: "When to use it.", Example: `description = "Use when inference reads stale features."`},
		{Name: "owner", Type: "string", Doc: "Who answers for it.", Example: `owner = "trading-platform"`},
		{Name: "severity", Type: "string", Choices: []string{"low", "medium", "high", "critical"}, Doc: "How grave it is to need it.", Example: `severity = "high"`},
		{Name: "labels", Type: "map of strings", Doc: "For other tools.", Example: `labels = { contract = "SYNC-19" }`},
		{Name: "timeout", Type: "duration", Doc: "Of the whole run, without the time that people take to answer; then nothing more is begun.", Example: `timeout = "30m"`},
		{Name: "on_failure", Type: "string", Choices: []string{"stop", "continue", "rollback"}, Default: strconv.Quote(string(Stop)),
			Doc:     "What a step that ended badly means for the rest: `stop`: nothing more is begun; `continue`: only what needs that step is left out; `rollback`: nothing more is begun, and what was done is taken back.",
			Example: `on_failure = "continue"`},
		{Name: "max_parallel", Type: "number", Default: strconv.Itoa(DefaultMaxParallel), Doc: "How many actions run at once, 1 to 10000.", Example: `max_parallel = 1`},
		{Name: "include", Type: "list of strings", Doc: "Files beside the runbook, within its repository, whose variables, locals, providers, checks, notifies and escalations it shares. They include nothing themselves.",
			Example: `include = ["stack.hcl"]`},
	},
}

var variableBlock = &Block{
	Name:  "variable",
	Label: "name",
	Doc: "A value that whoever runs the runbook may give; read as `var.NAME`. Sources, weakest first: `default`, `env`, `file`, " +
		"the environment variable `RUNBOOK_VAR_name`, `NAME.vars.hcl` beside the runbook, `environments/E.vars.hcl` for `--environment E`, `--var-file`, `--var`. " +
		"One without any is asked for with an error.",
	Example: `variable "max_bar_age" {
  type        = number
  default     = 600
  description = "Oldest acceptable bar, in seconds."
}`,
	Arguments: []Argument{
		{Name: "type", Type: "type", Default: "any", Doc: "`string`, `number`, `bool`, `list(T)`, `set(T)`, `map(T)`, `tuple([T, …])` or `object({ name = T, other = optional(T, default) })`.",
			Example: `type = list(string)`},
		{Name: "default", Type: "any, written out", Doc: "Its value where nobody gives one.", Example: `default = 600`},
		{Name: "description", Type: "string", Doc: "What it means, and its unit.", Example: `description = "Oldest acceptable bar, in seconds."`},
		{Name: "sensitive", Type: "bool", Default: "false", Doc: "Keeps the value, and all that is made of it, off screens and records, and refuses it in `--var`.", Example: `sensitive = true`},
		{Name: "nullable", Type: "bool", Default: "true", Doc: "Whether it may be null.", Example: `nullable = false`},
		{Name: "env", Type: "string", Doc: "An environment variable to read.", Example: `env = "POSTGRES_PASSWORD"`},
		{Name: "file", Type: "string", Doc: "A file to read, relative to the runbook.", Example: `file = "/run/secrets/postgres"`},
	},
	Blocks: []*Block{validationBlock},
}

var validationBlock = &Block{
	Name: "validation",
	Doc:  "What the value must be; any number of them.",
	Example: `validation {
  condition = var.max_bar_age > 0
  message   = "max_bar_age must be positive, got ${var.max_bar_age}."
}`,
	Arguments: []Argument{
		{Name: "condition", Type: "bool expression", Required: true, Doc: "Must be true.", Example: `condition = var.max_bar_age > 0`},
		{Name: "message", Type: "string expression", Required: true, Doc: "Said when it is not.", Example: `message = "must be positive"`},
	},
}

var localsBlock = &Block{
	Name: "locals",
	Doc:  "Names for expressions, read as `local.NAME`; any number of blocks.",
	Example: `locals {
  table = "${var.schema}.bars"
}`,
	Open: "Every argument is a local: a name, and any expression.",
}

var providerBlock = &Block{
	Name:  "provider",
	Label: "name",
	Doc:   "How to reach a system. A provider that needs no configuration needs no block; equal configurations share one process.",
	Example: `provider "http" {
  user_agent = "runbook"
}`,
	Arguments: []Argument{
		{Name: "alias", Type: "string", Doc: "Makes this another configuration of the same provider, used by `provider = NAME.ALIAS` in a probe or action.", Example: `alias = "replica"`},
	},
	Open: "It takes the provider's own configuration as well: see [providers](../providers/).",
}

var outputBlock = &Block{
	Name:  "output",
	Label: "name",
	Doc:   "A value that is shown, and recorded, once the run has ended.",
	Example: `output "load" {
  value = step.measure.result.load_1m
}`,
	Arguments: []Argument{
		{Name: "value", Type: "expression", Required: true, Doc: "What it is.", Example: `value = step.measure.status`},
		{Name: "description", Type: "string", Doc: "What it means.", Example: `description = "Load when the run ended."`},
		{Name: "sensitive", Type: "bool", Default: "false", Doc: "Keeps it off screens and records.", Example: `sensitive = true`},
	},
}
