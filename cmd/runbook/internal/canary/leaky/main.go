// Command leaky is a provider for the canary test: it lets what it is told slip
// in every way that a careless author could.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

func main() {
	p := &provider{}
	sdk.Serve(&sdk.Provider{
		Name: "leaky", Version: "0.1.0", Doc: "Lets things slip.",
		Configure: sdk.Configure(p.configure),
		Probes:    []sdk.Probe{sdk.NewProbe("tell", "Answers with what it was told.", p.tell)},
		Actions: []sdk.Action{
			sdk.NewAction("fail", "Fails with what it was told.", p.fail, sdk.Describe(describe), sdk.Idempotent),
			sdk.NewAction("panic", "Panics with what it was told.", p.panic, sdk.Describe(describe), sdk.Idempotent),
			sdk.NewAction("crash", "Panics beside, where nobody can catch it, with what it was told.", p.crash, sdk.Describe(describe), sdk.Idempotent),
			sdk.NewAction("garble", "Fails with what it was told, in pieces and with rubbish around.", p.garble, sdk.Describe(describe), sdk.Idempotent),
			sdk.NewAction("die", "Writes what it was told to standard error, and exits.", p.die, sdk.Describe(describe), sdk.Idempotent),
		},
	})
}

// Config is the provider block.
type Config struct {
	Token string `runbook:"token" doc:"A secret." sensitive:"true" default:""`
}

// Args are the arguments of all operations.
type Args struct {
	Text string `runbook:"text" doc:"What is told."`
}

// Told is what a probe answers.
type Told struct {
	sdk.Result
	Text  string            `runbook:"text" doc:"What was told."`
	Token string            `runbook:"token" doc:"The configured secret."`
	Keys  map[string]string `runbook:"keys" doc:"The same, as keys."`
}

type provider struct{ token string }

func (p *provider) configure(_ context.Context, c Config) error {
	p.token = c.Token
	fmt.Fprintln(os.Stderr, "configured with", c.Token)
	return nil
}

func describe(a Args, c *sdk.Call) sdk.Description {
	d := sdk.Description{}
	if !c.Unknown("text") {
		d.Command, d.Summary = []string{"leak", a.Text}, "leaks "+a.Text
	}
	return d
}

func (p *provider) tell(_ context.Context, a Args, c *sdk.Call) (Told, error) {
	c.Logf("told %s, configured with %s", a.Text, p.token)
	return Told{Result: sdk.OK("told %s", a.Text), Text: a.Text, Token: p.token, Keys: map[string]string{a.Text: "x"}}, nil
}

func (p *provider) fail(_ context.Context, a Args, c *sdk.Call) (sdk.Result, error) {
	for i := range len(a.Text) { // across writes
		c.Logf("%s", a.Text[:i])
	}
	c.Progress(1, 2, "working on %s", a.Text)
	return sdk.Result{}, errors.New("cannot reach https://user:" + a.Text + "@host/?token=" + p.token)
}

func (p *provider) panic(_ context.Context, a Args, _ *sdk.Call) (sdk.Result, error) {
	panic("boom: " + a.Text + " " + p.token)
}

func (p *provider) crash(ctx context.Context, a Args, _ *sdk.Call) (sdk.Result, error) {
	go panic(errors.New("boom beside: " + a.Text + " " + p.token))
	<-ctx.Done()
	return sdk.Result{}, nil
}

func (p *provider) garble(_ context.Context, a Args, c *sdk.Call) (sdk.Result, error) {
	out := c.Stream("stderr")
	for i := range len(a.Text) {
		_, _ = out.Write([]byte(a.Text[i : i+1]))
	}
	_, _ = out.Write([]byte("\n" + strings.Repeat("x", 33<<10) + a.Text + "\n\x1b[31m" + a.Text + "\x1b[0m\n"))
	return sdk.NotOK("it was %s", a.Text), sdk.Fail("garbled_"+a.Text, "%q", a.Text)
}

func (p *provider) die(_ context.Context, a Args, _ *sdk.Call) (sdk.Result, error) {
	fmt.Fprintf(os.Stderr, "last words: %s and %s\n", a.Text, p.token)
	os.Exit(7)
	return sdk.Result{}, nil
}
