package runbook

// What tells people of a run: neither can fail it.

var notifyBlock = &Block{
	Name:  "notify",
	Label: "name",
	Doc: "Tells people what becomes of the run, by an action. It is told once, and tried again where the backend asks for that; it cannot fail the run: what was not delivered is a warning in the record. " +
		"It sees `run.summary` beside variables, locals, `run` and `path`. The notifies of a file that is included count, those of a runbook that is called do not.",
	Example: `notify "oncall" {
  on = ["failed", "blocked"]
  action "core.log" {
    message = run.summary
  }
}`,
	Arguments: []Argument{
		{Name: "on", Type: "list of strings", Required: true,
			Doc:     "When: `started`; `waiting`, for a person, while somebody attends the run or where it ends so; and how it has ended: `failed`, `blocked`, `interrupted`, `succeeded`, `rolled_back`.",
			Example: `on = ["waiting", "failed", "succeeded"]`},
	},
	Blocks: []*Block{actionBlock},
}

var escalationBlock = &Block{
	Name:  "escalation",
	Label: "name",
	Doc: "Calls for more help, once, unless the run has succeeded: when its time has come while a process attends the run, at once where the run ends failed, and when it is resumed later than that. " +
		"In all else it is like a `notify`.",
	Example: `escalation "lead" {
  after = "15m"
  action "core.log" {
    message = "still not mended: ${run.summary}"
  }
}`,
	Arguments: []Argument{
		{Name: "after", Type: "duration", Required: true, Doc: "Since the run has started, the time that people take to answer included.", Example: `after = "15m"`},
		{Name: "when", Type: "bool expression", Default: "true", Doc: "Whether anybody is called at all.", Example: `when = run.environment == "prod"`},
	},
	Blocks: []*Block{actionBlock},
}
