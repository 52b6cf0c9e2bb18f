package dvc

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// cut is what a look comes to whose time is over.
func cut(ctx context.Context, at string) *schema.Failure {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f := sdk.Fail("timeout", "no end in time while %s", at)
		f.Retryable, f.Remedy = true, "see what it waits for, or allow it more time by timeout"
		return f
	}
	return sdk.Fail("cancelled", "cancelled while %s", at)
}

// ended types the error of a context; all others stay.
func ended(ctx context.Context, err error, at string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return cut(ctx, at)
	}
	return err
}

// isCode tells whether an error is the failure of one of these codes.
func isCode(err error, codes ...string) bool {
	var f *schema.Failure
	return errors.As(err, &f) && slices.Contains(codes, f.Code)
}

// overLimit refuses what is more than the step's limit allows.
func overLimit(call *sdk.Call, impact schema.Impact) *schema.Failure {
	for _, unit := range slices.Sorted(maps.Keys(impact)) {
		if most, ok := call.Limit(unit); ok && impact[unit] > most {
			f := sdk.Fail("limit_exceeded", "%d %s would be hit, the limit is %d; nothing was changed", impact[unit], unit, most)
			f.Remedy = "look at what would change, then narrow it or raise limit"
			return f
		}
	}
	return nil
}
