package sdk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

type config struct {
	Host     string        `runbook:"host" doc:"Where it listens."`
	Password string        `runbook:"password,optional,sensitive" doc:"What opens it."`
	Timeout  time.Duration `runbook:"timeout" doc:"How long to wait." default:"10s"`
}

type pushArgs struct {
	Keys  []string          `runbook:"keys" doc:"What to push."`
	Tags  map[string]string `runbook:"tags,optional" doc:"What to tag it with."`
	Force *bool             `runbook:"force" doc:"Whether to push over."`
	Extra cty.Value         `runbook:"extra,optional" doc:"Anything."`
	Mode  string            `runbook:"mode" doc:"How." default:"fast"`
}

type pushed struct {
	sdk.Result
	Count int           `runbook:"count" doc:"How many were pushed."`
	Took  time.Duration `runbook:"took" doc:"How long it took."`
	Note  *string       `runbook:"note" doc:"What the backend said."`
}

// backend is a provider that remembers what it was given.
type backend struct {
	config config
	push   func(context.Context, pushArgs, *sdk.Call) (pushed, error)
}

func (b *backend) provider() *sdk.Provider {
	return &sdk.Provider{
		Name: "demo", Version: "1.2.3", Doc: "Pushes things.",
		Configure: sdk.Configure(func(_ context.Context, c config) error { b.config = c; return nil }),
		Probes: []sdk.Probe{
			sdk.NewProbe("look", "Looks.", func(_ context.Context, _ struct{}, _ *sdk.Call) (sdk.Result, error) {
				return sdk.NotOK("nothing at %s after %s", b.config.Host, b.config.Timeout), nil
			}),
		},
		Actions: []sdk.Action{
			sdk.NewAction("push", "Pushes.", b.push,
				sdk.Describe(func(a pushArgs, c *sdk.Call) sdk.Description {
					if c.Unknown("keys") {
						return sdk.Description{Effects: []schema.Effect{{Resource: "demo://", Mode: schema.Write}}}
					}
					return sdk.Description{Command: append([]string{"push"}, a.Keys...)}
				}),
				sdk.Idempotent),
		},
	}
}

func TestProbe(t *testing.T) {
	b := &backend{}
	h := sdktest.New(t, b.provider(), map[string]any{"host": "a"})
	got := h.Probe("look", nil)
	want := map[string]any{"ok": false, "summary": "nothing at a after 10s"}
	if diff := cmp.Diff(want, sdktest.Go(t, got.Result)); diff != "" || got.State != schema.Done {
		t.Fatalf("%s\n%s", got.State, diff)
	}
}

func TestAct(t *testing.T) {
	var given pushArgs
	b := &backend{push: func(_ context.Context, a pushArgs, c *sdk.Call) (pushed, error) {
		given = a
		c.Logf("first\nsecond")
		return pushed{Result: sdk.OK("pushed"), Count: len(a.Keys), Took: 1500 * time.Millisecond}, nil
	}}
	h := sdktest.New(t, b.provider(), map[string]any{"host": "a"})
	got := h.Act("push", map[string]any{"keys": []string{"x", "y"}, "extra": []any{1, "a"}})
	want := map[string]any{"ok": true, "summary": "pushed", "count": 2, "took": 1.5, "note": nil}
	if diff := cmp.Diff(want, sdktest.Go(t, got.Result)); diff != "" || got.State != schema.Done {
		t.Fatalf("%s\n%s", got.State, diff)
	}
	wantArgs := pushArgs{Keys: []string{"x", "y"}, Mode: "fast", Extra: cty.TupleVal([]cty.Value{cty.NumberIntVal(1), cty.StringVal("a")})}
	if diff := cmp.Diff(wantArgs, given, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"first", "second"}, h.Logs()); diff != "" {
		t.Fatal(diff)
	}
}

func TestActErrors(t *testing.T) {
	cause := sdk.Fail("refused", "no")
	for name, c := range map[string]struct {
		result pushed
		err    error
		want   schema.Outcome
	}{
		"plain":     {err: errors.New("no"), want: schema.Outcome{State: schema.FailedPartial, Failure: sdk.Fail("failed", "no")}},
		"typed":     {err: cause, want: schema.Outcome{State: schema.FailedPartial, Failure: cause}},
		"clean":     {err: sdk.Clean(cause), want: schema.Outcome{State: schema.FailedClean, Failure: cause}},
		"uncertain": {err: sdk.Uncertain(cause), want: schema.Outcome{State: schema.Unknown, Failure: cause}},
		"ask":       {err: sdk.Ask(schema.Question{Message: "sure?"}), want: schema.Outcome{State: schema.Ask, Question: &schema.Question{Message: "sure?"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{push: func(context.Context, pushArgs, *sdk.Call) (pushed, error) { return c.result, c.err }}
			h := sdktest.New(t, b.provider(), map[string]any{"host": "a"})
			got := h.Act("push", map[string]any{"keys": []string{}})
			if diff := cmp.Diff(c.want, got, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestPanicIsUnknown(t *testing.T) {
	b := &backend{push: func(context.Context, pushArgs, *sdk.Call) (pushed, error) { panic("boom") }}
	h := sdktest.New(t, b.provider(), map[string]any{"host": "a"})
	got := h.Act("push", map[string]any{"keys": []string{}})
	want := schema.Outcome{State: schema.Unknown, Failure: sdk.Fail("provider_panic", "provider demo panicked in push: boom")}
	if diff := cmp.Diff(want, got, cmp.Comparer(cty.Value.RawEquals)); diff != "" {
		t.Fatal(diff)
	}
}

func TestDescribeUnknown(t *testing.T) {
	b := &backend{}
	h := sdktest.New(t, b.provider(), map[string]any{"host": "a"})
	got := h.Describe("push", map[string]any{"keys": cty.UnknownVal(cty.List(cty.String))})
	want := schema.Description{
		Effects:  []schema.Effect{{Resource: "demo://", Mode: schema.Write}},
		Settling: schema.Idempotent,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	b := &backend{push: func(ctx context.Context, _ pushArgs, c *sdk.Call) (pushed, error) {
		cancel()
		cmd := c.Command(ctx, "sleep", "600")
		return pushed{}, cmd.Run()
	}}
	h := sdktest.New(t, b.provider(), map[string]any{"host": "a"})
	got := h.Act("push", map[string]any{"keys": []string{}}, sdktest.Context(ctx))
	if got.State != schema.FailedPartial {
		t.Fatal(got.State)
	}
}
