package exec

import (
	"encoding/json"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (p *provider) lookByHand(args Command, call *sdk.Call) schema.ByHand {
	return p.byHand(args, call)
}

func (p *provider) actByHand(args ActionArgs, call *sdk.Call) schema.ByHand {
	return p.byHand(args.Command, call)
}

// byHand is the program itself, on another machine by ssh. What a program there
// gets in its environment would stand in ssh's command line, and a passphrase only a
// terminal is asked for, so neither is told.
func (p *provider) byHand(c Command, call *sdk.Call) schema.ByHand {
	argv, failure := c.argv(call)
	host, wrong := p.host(c)
	codes, err := json.Marshal(c.OKCodes)
	if failure != nil || wrong != nil || err != nil || host != nil && (len(c.Env) > 0 || p.config.Passphrase != "") {
		return schema.ByHand{}
	}
	hand := schema.ByHand{Command: argv, Env: c.Env, Stdin: c.Stdin, Dir: c.Dir}
	if host != nil {
		hand.Command = []string{"ssh", "-o", "BatchMode=yes", "-p", host.port}
		if p.config.IdentityFile != "" {
			hand.Command = append(hand.Command, "-i", p.config.IdentityFile)
		}
		if p.config.KnownHosts != "" {
			hand.Command = append(hand.Command, "-o", "UserKnownHostsFile="+p.config.KnownHosts)
		}
		hand.Command = append(hand.Command, "--", host.String())
		hand.Dir = ""
		if c.Dir != "" {
			argv = append([]string{"env", "-C", c.Dir}, argv...)
		}
		for _, w := range argv {
			hand.Command = append(hand.Command, word(w)) // a shell there reads it
		}
	}
	if host != nil && p.config.Agent != "" {
		hand.Env = map[string]string{"SSH_AUTH_SOCK": p.config.Agent}
	}
	answer := `(.stdout |= sub("\n+$"; "")) | (.stderr |= sub("\n+$"; "")) | .exit_code as $code | . + {ok: (` + string(codes) +
		` | any(.[]; . == $code)), summary: ("exit code \(.exit_code)" + (if .exit_code != 0 and .stderr != "" then ": " + (.stderr | split("\n") | last) else "" end))}`
	if host != nil {
		answer = `if .exit_code == 255 then error("ssh: " + .stderr) else . end | ` + answer
	}
	hand.Result, hand.Gives = answer, []string{"stdout", "stderr", "exit_code"}
	return hand
}
