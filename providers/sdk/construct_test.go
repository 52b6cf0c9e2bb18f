package sdk_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

type noArgs struct{}

type otherArgs struct {
	Name string `runbook:"name" doc:"A name."`
}

type otherResult struct{ sdk.Result }

func noop(context.Context, noArgs, *sdk.Call) (sdk.Result, error) { return sdk.OK("done"), nil }

var describe = sdk.Describe(func(noArgs, *sdk.Call) sdk.Description { return sdk.Description{} })

func TestConstructionPanics(t *testing.T) {
	for want, build := range map[string]func(){
		"needs a name and a doc":       func() { sdk.NewProbe("x", "", noop) },
		"needs Describe":               func() { sdk.NewAction("x", "X.", noop, sdk.Manual) },
		"needs one of Idempotent":      func() { sdk.NewAction("x", "X.", noop, describe) },
		"is both manual and keyed":     func() { sdk.NewAction("x", "X.", noop, describe, sdk.Manual, sdk.Keyed) },
		"is Observed and needs Settle": func() { sdk.NewAction("x", "X.", noop, describe, sdk.Observed) },
		"enforces rows, which its Counts lacks": func() {
			sdk.NewAction("x", "X.", noop, describe, sdk.Manual, sdk.Counts("keys"), sdk.Enforces("keys", "rows"))
		},
		"takes sdk_test.noArgs, its Describe sdk_test.otherArgs": func() {
			sdk.NewAction("x", "X.", noop, sdk.Manual, sdk.Describe(func(otherArgs, *sdk.Call) sdk.Description { return sdk.Description{} }))
		},
		"answers sdk.Result, its Settle sdk_test.otherResult": func() {
			sdk.NewAction("x", "X.", noop, describe, sdk.Observed,
				sdk.Settle(func(context.Context, noArgs, *sdk.Call) (otherResult, schema.State, error) {
					return otherResult{}, schema.Done, nil
				}))
		},
		"has no doc tag": func() {
			sdk.Configure(func(context.Context, struct {
				A string `runbook:"a"`
			}) error {
				return nil
			})
		},
		"has two: probe x": func() {
			p := sdk.NewProbe("x", "X.", noop)
			(&sdk.Provider{Name: "p", Doc: "P.", Probes: []sdk.Probe{p, p}}).Schema()
		},
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panics with %s", got)
				}
			}()
			build()
		})
	}
}

// providerOf is a provider with one action, "do".
func providerOf(do func(context.Context, noArgs, *sdk.Call) (sdk.Result, error), opts ...sdk.ActionOption) *sdk.Provider {
	return &sdk.Provider{Name: "p", Doc: "P.", Actions: []sdk.Action{sdk.NewAction("do", "Does.", do, append(opts, describe)...)}}
}

func TestCancelMayOvertakeTheCall(t *testing.T) {
	h := sdktest.New(t, providerOf(func(ctx context.Context, _ noArgs, _ *sdk.Call) (sdk.Result, error) {
		<-ctx.Done()
		return sdk.Result{}, sdk.Clean(context.Cause(ctx))
	}, sdk.Manual), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := h.Act("do", nil, sdktest.Context(ctx)); o.State != schema.FailedClean || o.Failure.Message != "cancelled by the engine" {
		t.Error(o.State, o.Failure)
	}
}

func TestNotOKActionHasFailed(t *testing.T) {
	h := sdktest.New(t, providerOf(func(context.Context, noArgs, *sdk.Call) (sdk.Result, error) {
		return sdk.NotOK("0 rows"), nil
	}, sdk.Manual), nil)
	if o := h.Act("do", nil); o.State != schema.FailedPartial || o.Failure.Code != "not_ok" || o.Failure.Message != "0 rows" {
		t.Error(o.State, o.Failure)
	}
}

func TestAttemptLockIsHeldByOne(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "attempt")
	var h *sdktest.Harness
	var inside schema.Outcome
	depth := 0
	h = sdktest.New(t, providerOf(func(context.Context, noArgs, *sdk.Call) (sdk.Result, error) {
		if depth++; depth == 1 {
			inside = h.Act("do", nil, sdktest.AttemptLock(lock))
		}
		return sdk.OK("done"), nil
	}, sdk.Manual), nil)
	outside := h.Act("do", nil, sdktest.AttemptLock(lock))
	if outside.State != schema.Done || inside.State != schema.FailedClean || inside.Failure.Code != "attempt_running" {
		t.Error(outside.State, inside.State, inside.Failure)
	}
	if again := h.Act("do", nil, sdktest.AttemptLock(lock)); again.State != schema.Done {
		t.Error(again.State, again.Failure)
	}
}

func TestSettle(t *testing.T) {
	settle := func(state schema.State, err error) sdk.ActionOption {
		return sdk.Settle(func(_ context.Context, _ noArgs, c *sdk.Call) (sdk.Result, schema.State, error) {
			return sdk.OK("key %s", c.Key()), state, err
		})
	}
	h := sdktest.New(t, providerOf(noop, sdk.Observed, settle(schema.Done, nil)), nil)
	if o := h.Settle("do", nil, sdktest.Key("k")); o.State != schema.Done || o.Result.GetAttr("summary").AsString() != "key k" {
		t.Error(o.State, o.Failure)
	}
	h = sdktest.New(t, providerOf(noop, sdk.Observed, settle("", sdk.Fail("refused", "no"))), nil)
	if o := h.Settle("do", nil); o.State != schema.Unknown || o.Failure.Code != "refused" {
		t.Error(o.State, o.Failure)
	}
	h = sdktest.New(t, providerOf(noop, sdk.Manual), nil)
	if o := h.Settle("do", nil); o.State != schema.Unknown {
		t.Error(o.State, o.Failure)
	}
}
