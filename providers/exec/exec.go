// Package exec runs programs and shell scripts on this machine or, over SSH, on
// another one, for whatever no other provider knows. It says what came of a
// program, never more: an exit code, its output, its time.
package exec

import (
	"context"

	"github.com/runbook-engine/runbook/providers/sdk"
)

type provider struct {
	config Config
}

// Provider serves exec. It keeps no state and needs no configuration.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "exec", Version: "0.1.0",
		Doc:       "Runs programs and shell scripts on this machine, or over SSH on another one. Prefer the provider of the backend, where there is one: it knows what its commands touch.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("run", "Runs a program that only looks. An exit code outside `ok_codes` is the answer \"no\"; a program that cannot start or does not end in time is an error. Whatever the program leaves behind is killed. On another machine a broken connection is an error too.", p.observe,
				sdk.LookByHand(p.lookByHand)),
		},
		Actions: []sdk.Action{
			sdk.NewAction("run", "Runs a program. It is destructive unless `effects` says what it touches. An exit code outside `ok_codes` is a failure after which something may have changed. On another machine it goes on where the connection breaks: nobody knows then what became of it.", p.act,
				sdk.Describe(p.describe), sdk.Preview(p.preview), sdk.ActByHand(p.actByHand), sdk.Manual, sdk.MayDestroy),
		},
	}
}

func (p *provider) configure(_ context.Context, c Config) error {
	if _, failure := parseHost(c.Host); failure != nil {
		return failure
	}
	p.config = c
	return nil
}

// Command is what both run operations take.
type Command struct {
	Host        string            `runbook:"host,optional" doc:"Another machine to run on, as ssh://user@host or ssh://user@host:port; without it the configured one, or this one."`
	Argv        []string          `runbook:"argv,optional" doc:"Program and arguments, run without a shell. Either this or script."`
	Script      string            `runbook:"script,optional" doc:"Text handed to the interpreter as its last argument. Either this or argv."`
	Interpreter []string          `runbook:"interpreter" default:"[\"bash\", \"-euo\", \"pipefail\", \"-c\"]" doc:"What runs the script."`
	Env         map[string]string `runbook:"env,optional" doc:"Environment variables. Nothing is inherited but PATH, HOME and LANG; on another machine what the login gives."`
	Dir         string            `runbook:"dir,optional" doc:"Working directory; a relative one, and none, starts from the runbook's folder, on another machine from the user's home."`
	Stdin       string            `runbook:"stdin,optional" doc:"Text on the program's standard input; without it that is empty. The place for secrets: arguments can be seen by everybody on the machine."`
	OKCodes     []int             `runbook:"ok_codes" default:"[0]" doc:"Exit codes that mean success."`
}

// ActionArgs is what the action takes.
type ActionArgs struct {
	Command
	Effects    []sdk.DeclaredEffect `runbook:"effects,optional" doc:"What the program touches: resources as URLs, such as file:///srv/models, each with the mode read, write (where none is given) or delete, which makes it destructive. An empty list says: nothing. Without it the action runs alone and counts as destructive."`
	Idempotent bool                 `runbook:"idempotent" default:"false" doc:"Whether running it again after half a run is harmless."`
	DryRun     []string             `runbook:"dry_run,optional" doc:"Program and arguments that show what the action would do and change nothing; run by plan."`
}

// Output is what came of a program.
type Output struct {
	sdk.Result
	Stdout    string  `runbook:"stdout" doc:"Standard output, trailing newlines taken off; of more than 1 MiB the middle is left out."`
	Stderr    string  `runbook:"stderr" doc:"Standard error, likewise."`
	ExitCode  int     `runbook:"exit_code" doc:"Exit code; 128 plus the signal's number where a signal ended it."`
	Duration  float64 `runbook:"duration_seconds" doc:"How long it ran."`
	Truncated bool    `runbook:"truncated" doc:"Whether a part of the output was left out."`
}
