package exec

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// argv is the program to start, or what is wrong with the arguments. Arguments
// that call knows to be unknown yet are not missed.
func (c Command) argv(call *sdk.Call) ([]string, *schema.Failure) {
	switch unknown := call.Unknown("argv") || call.Unknown("script") || call.Unknown("interpreter"); {
	case len(c.Argv) > 0 && c.Script != "":
		return nil, sdk.InvalidArgument("script", "argv and script are both given; one of them runs")
	case len(c.Argv) > 0 && c.Argv[0] == "":
		return nil, sdk.InvalidArgument("argv", "argv[0], the program, is empty")
	case len(c.Argv) > 0:
		return c.Argv, nil
	case unknown:
		return nil, nil
	case c.Script == "":
		return nil, sdk.InvalidArgument("argv", "neither argv nor script is given; one of them is needed")
	case len(c.Interpreter) == 0 || c.Interpreter[0] == "":
		return nil, sdk.InvalidArgument("interpreter", "the interpreter is empty")
	}
	return append(slices.Clone(c.Interpreter), c.Script), nil
}

// shownInput bounds the standard input that is shown as a part of the command.
const shownInput = 4 << 10

// shown is the command as a person would type it. Values of env may be secret,
// so each stands as $NAME; so does an input that is not known yet, or that no
// command line holds.
func (c Command) shown(argv []string, call *sdk.Call) []string {
	if len(argv) == 0 {
		return argv
	}
	line := c.fed(call)
	if len(c.Env) == 0 && c.Dir == "" {
		return append(line, argv...)
	}
	line = append(line, "env")
	if c.Dir != "" {
		line = append(line, "-C", filepath.Clean(c.Dir))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		line = append(line, name+"=$"+name)
	}
	return append(line, argv...)
}

// fed is the beginning of a command that gets a standard input; $0 is the input.
func (c Command) fed(call *sdk.Call) []string {
	input := c.Stdin
	if call.Unknown("stdin") || len(input) > shownInput || strings.ContainsRune(input, 0) {
		input = "$STDIN"
	}
	if input == "" {
		return nil
	}
	return []string{"bash", "-c", `printf %s "$0" | "$@"`, input}
}

func (p *provider) describe(args ActionArgs, call *sdk.Call) sdk.Description {
	argv, failure := args.argv(call)
	host, wrong := p.host(args.Command)
	d := sdk.Description{Command: args.shown(argv, call), Failure: cmp.Or(failure, wrong), Settling: schema.Manual}
	if host != nil {
		d.Summary = "runs on " + host.String()
		d.Command = args.shownThere(host, argv, call)
	}
	if args.Idempotent {
		d.Settling = schema.Idempotent
	}
	if args.Effects == nil {
		d.Undeclared, d.Destructive = true, true
		return d
	}
	d.Effects, d.Destructive, wrong = sdk.DeclaredEffects(args.Effects)
	d.Failure = cmp.Or(d.Failure, wrong)
	if call.Unknown("host") {
		d.Undeclared, d.Effects = true, nil // files of which machine?
	} else if host != nil {
		host.own(d.Effects)
	}
	return d
}
