package host

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/exec"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func testProviders() map[string]func() *sdk.Provider {
	return map[string]func() *sdk.Provider{
		"demo":  demo,
		"exec":  exec.Provider,
		"inner": inner,
		"noisy": demo,
		"mute":  demo,
		"stuck": demo,
	}
}

type demoConfig struct {
	Password string `runbook:"password,optional,sensitive" doc:"A secret."`
	Name     string `runbook:"name,optional" doc:"Tells configurations apart."`
}

type lookArgs struct {
	Text string    `runbook:"text,optional" doc:"What to answer."`
	Any  cty.Value `runbook:"any,optional" doc:"What to answer, of any type."`
	How  string    `runbook:"how,optional" doc:"How to misbehave."`
}

type looked struct {
	sdk.Result
	PID   int               `runbook:"pid" doc:"The process."`
	Text  string            `runbook:"text" doc:"The text."`
	Any   cty.Value         `runbook:"any" doc:"The value."`
	Env   []string          `runbook:"env" doc:"The environment."`
	Dir   string            `runbook:"dir" doc:"The working directory."`
	Token string            `runbook:"token,sensitive" doc:"What nobody may see."`
	Map   map[string]string `runbook:"map" doc:"Texts by name."`
}

type actArgs struct {
	How  string `runbook:"how" doc:"What to do."`
	Text string `runbook:"text,optional" doc:"What to say."`
}

type acted struct {
	sdk.Result
	Text string `runbook:"text" doc:"The text."`
}

// demo is a provider that can do all that a bad one does.
func demo() *sdk.Provider {
	var config demoConfig
	return &sdk.Provider{
		Name: "demo", Version: "1.0.0", Doc: "Behaves and misbehaves.",
		Configure: sdk.Configure(func(_ context.Context, c demoConfig) error {
			if c.Name == "refused" {
				return sdk.InvalidArgument("name", "the name is refused, and so is %s", c.Password)
			}
			config = c
			return nil
		}),
		Probes: []sdk.Probe{sdk.NewProbe("look", "Answers what it was asked.",
			func(ctx context.Context, a lookArgs, _ *sdk.Call) (looked, error) {
				switch a.How {
				case "exit":
					os.Exit(4)
				case "wait":
					<-ctx.Done()
					return looked{}, ctx.Err()
				case "6s":
					select {
					case <-time.After(6 * time.Second):
					case <-ctx.Done():
						return looked{}, ctx.Err()
					}
				case "fail":
					return looked{}, sdk.Fail("refused", "no entry with %s", config.Password)
				}
				dir, err := os.Getwd()
				return looked{
					Result: sdk.OK("here"), PID: os.Getpid(), Text: a.Text, Any: a.Any, Env: os.Environ(), Dir: dir,
					Token: "t", Map: map[string]string{"a": a.Text},
				}, err
			})},
		Actions: []sdk.Action{sdk.NewAction("do", "Does it.", act,
			sdk.Describe(func(a actArgs, c *sdk.Call) sdk.Description {
				if a.How == "never described" {
					select {}
				}
				if c.Unknown("how") {
					return sdk.Description{Undeclared: true}
				}
				return sdk.Description{
					Effects: []schema.Effect{{Resource: "demo://" + config.Name, Mode: schema.Write}},
					Command: []string{"do", a.How, a.Text}, Summary: "with " + config.Password,
				}
			}), sdk.Manual, sdk.Asks)},
	}
}

func act(ctx context.Context, a actArgs, c *sdk.Call) (acted, error) {
	switch a.How {
	case "panic":
		panic("boom")
	case "crash":
		go panic("boom in the background")
		<-ctx.Done()
	case "exit":
		os.Exit(3)
	case "hang":
		c.Logf("pid %d", os.Getpid())
		select {}
	case "garbage":
		fmt.Println("garbage through os.Stdout")
		_, _ = os.NewFile(1, "stdout").WriteString(strings.Repeat("raw garbage ", 20_000) + "\n")
	case "flood":
		for i := range 20_000 {
			c.Logf("line %d %s", i, strings.Repeat("x", 1000))
		}
		awaitReader(a.Text) // which takes nothing meanwhile
	case "long":
		c.Logf("%s%s", strings.Repeat("x", 64<<10-4), a.Text)
	case "huge":
		return acted{Result: sdk.OK("huge"), Text: strings.Repeat("x", 9<<20)}, nil
	case "orphan":
		cmd := c.Command(ctx, "sleep", "600")
		if err := cmd.Start(); err != nil {
			return acted{}, err
		}
		c.Logf("%d", cmd.Process.Pid)
		awaitReader(a.Text)
		os.Exit(5)
	case "unlocked orphan":
		cmd := osexec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			return acted{}, err
		}
		c.Logf("%d", cmd.Process.Pid)
		awaitReader(a.Text)
		os.Exit(5)
	case "child":
		cmd := c.Command(ctx, "sh", "-c", a.Text)
		out, err := cmd.StdoutPipe()
		if err != nil {
			return acted{}, err
		}
		if err := cmd.Start(); err != nil {
			return acted{}, err
		}
		var shell, child int
		if _, err := fmt.Fscan(out, &shell, &child); err != nil {
			return acted{}, err
		}
		c.Logf("%d %d %d", os.Getpid(), shell, child)
		return acted{}, cmd.Wait()
	case "frozen":
		cmd := c.Command(ctx, "sleep", "600")
		if err := cmd.Start(); err != nil {
			return acted{}, err
		}
		c.Logf("%d %d", os.Getpid(), cmd.Process.Pid)
		select {}
	case "ask":
		if answers, ok := c.Answers(); ok {
			return acted{Result: sdk.OK("heard"), Text: answers.GetAttr("token").AsString()}, nil
		}
		return acted{}, sdk.Ask(schema.Question{Message: "who has " + a.Text, Answers: schema.Object{Attributes: []schema.Attribute{
			{Name: "token", Type: cty.String, Doc: "not " + a.Text, Default: a.Text, Required: true, Sensitive: true, Nested: []schema.Attribute{{Name: "n", Type: cty.Number, Doc: a.Text}}},
		}}})
	case "wait":
		c.Logf("waiting")
		<-ctx.Done()
		return acted{Result: sdk.NotOK("cut"), Text: "half"}, sdk.Fail("cut", "stopped: %v", context.Cause(ctx))
	}
	c.Logf("did %s", a.Text)
	return acted{Result: sdk.OK("done"), Text: a.Text}, nil
}

// awaitReader waits until somebody opens a named pipe to read: who logs knows
// then what has become of its log.
func awaitReader(pipe string) {
	f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	_ = f.Close()
}

// inner is a provider without a process of its own.
func inner() *sdk.Provider {
	p := demo()
	p.Name = "inner"
	return p
}

// third is another party's provider.
func third() *sdk.Provider {
	p := demo()
	p.Name = "third"
	return p
}
