package core

import (
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// askedOf is what only a person does: no command stands for an answer.
func askedOf[A any](A, *sdk.Call) schema.ByHand { return schema.ByHand{} }

func logByHand(args MessageArgs, _ *sdk.Call) schema.ByHand {
	return schema.ByHand{Command: []string{"printf", `%s\n`, args.Message}}
}

func failByHand(args FailArgs, _ *sdk.Call) schema.ByHand {
	return schema.ByHand{Command: []string{"bash", "-c", `printf '%s\n' "$0" >&2; exit 1`, args.Message}}
}
