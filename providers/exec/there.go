package exec

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// host is the machine that a command is for; nil: this one.
func (p *provider) host(args Command) (*host, *schema.Failure) {
	return parseHost(cmp.Or(args.Host, p.config.Host))
}

func (p *provider) observeThere(ctx context.Context, h *host, args Command, argv []string) (Output, error) {
	r, err := p.startRemote(ctx, h, args, argv, nil)
	if err != nil {
		return Output{}, looked(err)
	}
	defer r.close()
	out, err := r.output(ctx)
	if r.ended && ctx.Err() == nil {
		r.sweep() // a probe changes nothing: what it has left running goes with it
	}
	if err != nil {
		return Output{}, looked(err)
	}
	out.Result = sdk.Result{OK: slices.Contains(args.OKCodes, out.ExitCode), Summary: r.summary(out)}
	return out, nil
}

// looked is why a probe has no answer, however far it came.
func looked(err error) error {
	var failure *schema.Failure
	if errors.As(err, &failure) {
		return failure
	}
	return err
}

func (p *provider) actThere(ctx context.Context, h *host, args Command, argv []string, call *sdk.Call) (Output, error) {
	r, err := p.startRemote(ctx, h, args, argv, call.Stream)
	if err != nil {
		return Output{}, err
	}
	defer r.close()
	out, err := r.output(ctx)
	if err != nil {
		return out, err
	}
	out.Result = sdk.Result{OK: slices.Contains(args.OKCodes, out.ExitCode), Summary: r.summary(out)}
	if !out.OK {
		return out, sdk.Fail("exit_code", "%s", out.Summary)
	}
	return out, nil
}

// shownThere is the command as a person would type it, quoted for the shell there
// as well. Values of env stand as $NAME.
func (c Command) shownThere(h *host, argv []string, call *sdk.Call) []string {
	if len(argv) == 0 {
		return nil
	}
	line := append(c.fed(call), "ssh")
	if h.port != "22" {
		line = append(line, "-p", h.port)
	}
	line = append(line, h.String(), "--")
	if len(c.Env) > 0 || c.Dir != "" {
		line = append(line, "env")
	}
	if c.Dir != "" {
		line = append(line, "-C", quoted(c.Dir))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		line = append(line, name+"=$"+name)
	}
	for _, w := range argv {
		line = append(line, quoted(w))
	}
	return line
}

// quoted is a word as a shell there reads it back.
func quoted(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return word(text)
}

// own names a machine's files as that machine's.
func (h *host) own(effects []schema.Effect) {
	for i, e := range effects {
		if path, local := strings.CutPrefix(e.Resource, "file:///"); local {
			effects[i].Resource = "file://" + sdk.EffectHost(h.name) + "/" + path
		}
	}
}
