package runbook

import "slices"

// Name is what a reference in an expression may begin with.
type Name struct {
	Root     string
	Declared string   // what kind of block the next part names; empty: none
	Parts    []string // what may come then; empty: what the value holds
	Where    string   // where it may stand, in the reference's words
	Doc      string
	Example  string
}

// Names lists what references may begin with. It is not to be changed.
func Names() []Name { return names }

var names = []Name{
	{Root: "var", Declared: "variable", Where: "everywhere", Doc: "A variable's value.", Example: `var.max_bar_age`},
	{Root: "local", Declared: "local", Where: "everywhere, as far as what it is made of may stand there", Doc: "A local's value.", Example: `local.table`},
	{Root: "step", Declared: "step", Parts: []string{"result", "status", "started_at", "finished_at", "goal", "verify"}, Where: "steps, outputs, and locals used there",
		Doc:     "How a step ended and what it returned; `result` is null where it did not run. `goal` and `verify` are followed by a name, and `holds` or `result`.",
		Example: `step.measure.result.load_1m`},
	{Root: "check", Declared: "check", Parts: []string{"status", "holds", "result"}, Where: "steps, outputs, and locals used there", Doc: "What a check's look found: `status` is `holds`, `fails` or `errors`.",
		Example: `check.redis.status`},
	{Root: "each", Parts: []string{"key", "value"}, Where: "a step or check with `for_each`", Doc: "The instance's key and value. In a set or list both are the string.", Example: `each.key`},
	{Root: "result", Where: "`assert` and `message` of an assertion that looks with one probe", Doc: "What the probe returned.", Example: `result.ok`},
	{Root: "self", Parts: []string{"result"}, Where: "`verify` and `rollback`", Doc: "What the step's action returned; null in a rollback after it failed half-way.", Example: `self.result.summary`},
	{Root: "error", Parts: []string{"code", "message"}, Where: "`when` of a `retry`", Doc: "How the action failed.", Example: `error.code`},
	{Root: "run", Parts: []string{"id", "started_at", "operator", "environment"}, Where: "everywhere", Doc: "This run; at plan, the plan.", Example: `run.started_at`},
	{Root: "run", Parts: []string{"summary"}, Where: "`notify` and `escalation`", Doc: "What becomes of the run, in one line: which runbook, how it stands, why, and the command that comes next.", Example: `run.summary`},
	{Root: "path", Parts: []string{"runbook"}, Where: "everywhere", Doc: "The runbook's folder.", Example: `path.runbook`},
}

// roots lists the names themselves.
func roots() []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = n.Root
	}
	return slices.Compact(list)
}

// parts is what may follow a name, wherever that may stand.
func parts(root string) []string {
	for _, n := range names {
		if n.Root == root {
			return n.Parts
		}
	}
	panic("runbook: no name begins with " + root)
}
