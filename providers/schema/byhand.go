package schema

// ByHand is how a person does in a shell what a probe or an action does, on the
// day that the provider cannot.
type ByHand struct {
	// Command is an argv, empty where there is no such command. It holds no
	// secret: everybody on a machine can read those.
	Command []string
	// Env is set for the command alone; secrets belong here, or into Stdin.
	Env   map[string]string
	Stdin string
	Dir   string // where it runs; empty: the runbook's folder

	// Result is a program of jq that makes the result, ok and summary in it, from
	// {stdout, stderr, exit_code}. Empty: ok is whether the exit code is 0, and
	// summary what was printed.
	Result string
	// Gives are the fields of the result that Result makes besides ok and
	// summary. A runbook that asks for another one asks a person.
	Gives []string
}
