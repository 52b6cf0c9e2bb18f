package runbook

// What checks, preconditions, goals and verifications hold.

// assertionBlock is what they all take. It is no block by itself.
var assertionBlock = &Block{
	Name: "assertion",
	Doc: "Something that must be so. It looks at one thing: a `probe`, `check = check.NAME` or `checks = […]`; or at nothing but its `assert`. " +
		"A probe that cannot look is not one that answers no: in a goal it counts as not holding, in a precondition it blocks.",
	Arguments: []Argument{
		{Name: "check", Type: "check", Doc: "Looks at what this check looks at; `check.NAME[KEY]` is one of those that a `for_each` made. What is set here overrides the check's own.", Example: `check = check.redis`},
		{Name: "checks", Type: "list of checks", Doc: "All of these hold; takes no `assert`. A check with a `for_each` stands for all that it makes.", Example: `checks = [check.redis, check.disk]`},
		{Name: "assert", Type: "bool expression", Default: "result.ok", Doc: "Must be true. What cannot be evaluated does not hold, and says why.", Example: `assert = result.disk_free_percent > 10`},
		{Name: "message", Type: "string expression", Default: "what the probe said", Doc: "Said when it does not hold.", Example: `message = "only ${result.disk_free_percent} % of the disk is free"`},
		{Name: "within", Type: "duration", Default: `"0s"`, Doc: "Keep looking until it holds or this long has passed.", Example: `within = "2m"`},
		{Name: "every", Type: "duration", Default: written(DefaultEvery), Doc: "Pause between looks.", Example: `every = "5s"`},
		{Name: "timeout", Type: "duration", Default: written(DefaultTimeout), Doc: "Of one look, from when its provider is asked: a provider answers eight calls at a time.", Example: `timeout = "30s"`},
		{Name: "hold_for", Type: "duration", Default: `"0s"`, Doc: "It must then go on holding for this long.", Example: `hold_for = "30m"`},
		{Name: "tolerate", Type: "number", Default: "0", Doc: "How many looks in a row may miss meanwhile; needs `hold_for`.", Example: `tolerate = 1`},
	},
	Blocks: []*Block{probeBlock},
}

var checkBlock = &Block{
	Name:  "check",
	Label: "name",
	Doc: "A named assertion that states what is *good*. `runbook check` looks at it, assertions refer to it by `check = check.NAME`, and expressions read `check.NAME.status`, `.holds` and `.result`: " +
		"such checks are looked at together before the first action, and are the plan's diagnosis.",
	Example: `check "disk" {
  description = "The disk has room"
  probe "core.host" {
    path = "/"
  }
  assert = result.disk_free_percent > 10
}`,
	Arguments: []Argument{
		{Name: "description", Type: "string", Doc: "What is good.", Example: `description = "The disk has room"`},
		{Name: "for_each", Type: "map, set or list of strings", Doc: "Makes one check for each key, `check.NAME[KEY]`, in which `each.key` and `each.value` are known. Read before the run: it refers to variables and locals only.", Example: `for_each = ["redis", "postgres"]`},
	},
	Shares: assertionBlock,
}

var preconditionBlock = &Block{
	Name:  "precondition",
	Label: "name",
	Doc:   "Must hold before the action, or the action is not run. All of a step's are looked at side by side.",
	Example: `precondition "room" {
  check     = check.disk
  otherwise = "skip"
}`,
	Arguments: []Argument{
		{Name: "otherwise", Type: "string", Choices: []string{"block", "skip"}, Default: `"block"`, Doc: "What it means for the step where it does not hold.", Example: `otherwise = "skip"`},
	},
	Shares: assertionBlock,
}

var goalBlock = &Block{
	Name:  "goal",
	Label: "name",
	Doc:   "What the step is for. Where all goals hold already the step is satisfied and nothing is done; after the action they must hold. A goal needs an action or a call.",
	Example: `goal "answers" {
  probe "http.get" {
    url = "http://127.0.0.1:8080/health"
  }
  within = "2m"
}`,
	Shares: assertionBlock,
}

var verifyBlock = &Block{
	Name:  "verify",
	Label: "name",
	Doc:   "Proof that is looked at only after the action, never at plan. It may read `self.result`, what the action, or a fallback, returned.",
	Example: `verify "answers" {
  probe "http.get" {
    url = "http://127.0.0.1:8080/health"
  }
  within = "2m"
}`,
	Shares: assertionBlock,
}
