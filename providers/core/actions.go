package core

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// MessageArgs is what log takes.
type MessageArgs struct {
	Message string `runbook:"message" doc:"What to say."`
}

// WaitArgs is what wait takes.
type WaitArgs struct {
	Duration time.Duration `runbook:"duration" doc:"How long to wait, such as 90s."`
}

// FailArgs is what fail takes.
type FailArgs struct {
	Message string `runbook:"message" doc:"Why."`
	Code    string `runbook:"code" default:"failed" doc:"Stable code in lower_snake_case, kept in the record for other tools."`
}

// Said is the answer of actions that have nothing to tell but their message.
type Said struct {
	sdk.Result
}

// Waited is the answer of wait.
type Waited struct {
	sdk.Result
	Seconds float64 `runbook:"seconds" doc:"How long it waited."`
}

func log(_ context.Context, args MessageArgs, call *sdk.Call) (Said, error) {
	call.Logf("%s", args.Message)
	return Said{sdk.OK("%s", args.Message)}, nil
}

func describeLog(args MessageArgs, call *sdk.Call) sdk.Description {
	if call.Unknown("message") {
		return sdk.Description{Summary: "writes a message"}
	}
	return sdk.Description{Summary: args.Message, Command: []string{"echo", args.Message}}
}

// wait tells how far it is ten times, and at least a second apart.
func wait(ctx context.Context, args WaitArgs, call *sdk.Call) (Waited, error) {
	began := time.Now()
	over := time.NewTimer(args.Duration)
	defer over.Stop()
	tick := time.NewTicker(max(args.Duration/10, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-over.C:
			return Waited{sdk.OK("waited %s", args.Duration), time.Since(began).Seconds()}, nil
		case <-ctx.Done():
			waited := time.Since(began)
			return Waited{}, sdk.Clean(sdk.Fail("cancelled", "waited %s of %s, then was cancelled", waited.Round(time.Millisecond), args.Duration))
		case <-tick.C:
			waited := time.Since(began)
			call.Progress(waited.Seconds(), args.Duration.Seconds(), "waited %s of %s", waited.Round(time.Second), args.Duration)
		}
	}
}

func describeWait(args WaitArgs, call *sdk.Call) sdk.Description {
	switch {
	case call.Unknown("duration"):
		return sdk.Description{Summary: "waits"}
	case args.Duration < 0:
		return sdk.Description{Failure: sdk.InvalidArgument("duration", "a wait cannot last %s", args.Duration)}
	}
	return sdk.Description{
		Summary: "waits " + args.Duration.String(),
		Command: []string{"sleep", strconv.FormatFloat(args.Duration.Seconds(), 'f', -1, 64)},
	}
}

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func fail(_ context.Context, args FailArgs, _ *sdk.Call) (Said, error) {
	return Said{}, sdk.Clean(&schema.Failure{Code: args.Code, Message: args.Message})
}

func describeFail(args FailArgs, call *sdk.Call) sdk.Description {
	if !call.Unknown("code") && !codeForm.MatchString(args.Code) {
		return sdk.Description{Failure: sdk.InvalidArgument("code", "the code %q is not lower_snake_case", args.Code)}
	}
	return sdk.Description{Summary: "fails on purpose", Command: []string{"false"}}
}
