// Package core has no backend: it says things, waits, fails on purpose, and
// looks at this machine and at the clock, and asks people. It is served inside
// the engine's own process, through the same interface as every other provider;
// how a question reaches a person is the engine's business.
package core

import (
	"time"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Provider serves core.
func Provider() *sdk.Provider { return provider(time.Now) }

func provider(now func() time.Time) *sdk.Provider {
	clock := &clock{now: now}
	return &sdk.Provider{
		Name: "core", Version: "0.1.0",
		Doc:      "What needs no backend: messages, pauses, people, this machine, the clock.",
		Examples: examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("host", "Disk, memory and load of this machine, and whether its ports answer. `ok` asks for every port to answer and every bound given here to be kept.", host),
			sdk.NewProbe("time", "Whether it is now one of the given weekdays, and between the given times of day: market hours, maintenance windows.", clock.time),
		},
		Actions: []sdk.Action{
			sdk.NewAction("log", "Writes a message to the run's record.", log,
				sdk.Describe(describeLog), sdk.ActByHand(logByHand), sdk.Idempotent),
			sdk.NewAction("wait", "Waits. After a crash it waits the whole time again.", wait,
				sdk.Describe(describeWait), sdk.Idempotent),
			sdk.NewAction("fail", "Fails, and changes nothing: for branches that must not be reached.", fail,
				sdk.Describe(describeFail), sdk.ActByHand(failByHand), sdk.Idempotent),
			sdk.NewAction("manual", "Has a person confirm that something is done, or is as it should be, with a note. At a terminal the question is put; elsewhere the run waits for `runbook approve`.", manual,
				sdk.Describe(describeManual), sdk.ActByHand(askedOf[ManualArgs]), sdk.Asks, sdk.Idempotent),
			sdk.NewAction("input", "Has a person fill in values, such as the ID of a run. What they say is checked, and asked again where it does not fit. At a terminal the question is put; elsewhere the run waits for `runbook approve --answer NAME=VALUE`.", input,
				sdk.Describe(describeInput), sdk.ActByHand(askedOf[InputArgs]), sdk.Asks, sdk.Idempotent),
		},
	}
}
