package main

import (
	"context"
	"os"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// marker is another party's provider: it leaves a file behind wherever it is
// started, and what it says would like to take over a terminal.
func marker() {
	if err := os.WriteFile("marker.started", nil, 0o600); err != nil {
		panic(err)
	}
	const hostile = "\x1b]0;owned\a\x1b[2J\x1b[31m\u202e"
	sdk.Serve(&sdk.Provider{
		Name: "marker", Version: "1.0.0", Doc: "Leaves a mark." + hostile,
		Probes: []sdk.Probe{sdk.NewProbe("seen", "Always well."+hostile, func(context.Context, struct{}, *sdk.Call) (sdk.Result, error) {
			return sdk.OK("seen %s", hostile), nil
		})},
		Actions: []sdk.Action{sdk.NewAction("mark", "Marks."+hostile, func(_ context.Context, _ struct{}, c *sdk.Call) (sdk.Result, error) {
			c.Logf("logged %s", hostile)
			c.Progress(1, 2, "progress %s", hostile)
			_, _ = c.Stream("stdout").Write([]byte("streamed " + hostile + "\n"))
			return sdk.NotOK("summed up %s", hostile), sdk.Fail("marked", "failed %s", hostile)
		}, sdk.Idempotent, sdk.Describe(func(struct{}, *sdk.Call) sdk.Description {
			return sdk.Description{
				Effects: []schema.Effect{{Resource: "marker://" + hostile, Mode: schema.Write}},
				Command: []string{"mark", hostile}, Summary: "marks " + hostile,
			}
		}))},
	})
}
