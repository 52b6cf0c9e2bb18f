package host

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// deaf is a provider in this process whose action ends when it is let go, and
// not before.
func deaf(letGo <-chan struct{}) *sdk.Provider {
	p := inner()
	p.Actions = []sdk.Action{sdk.NewAction("do", "Does it.",
		func(context.Context, actArgs, *sdk.Call) (acted, error) {
			<-letGo
			return acted{Result: sdk.OK("done")}, nil
		},
		sdk.Describe(func(actArgs, *sdk.Call) sdk.Description { return sdk.Description{Undeclared: true} }), sdk.Manual)}
	return p
}

func TestInProcessActionThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letGo := make(chan struct{})
		h := New(Options{Catalog: bundled.NewCatalog(map[string]func() *sdk.Provider{"inner": func() *sdk.Provider { return deaf(letGo) }}, "inner")})
		defer h.Close()
		h.Configure("inner", "inner", cty.EmptyObjectVal)
		op := do("say")
		op.AttemptLock = filepath.Join(t.TempDir(), "attempt")
		ctx, interrupt := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			interrupt()
		}()
		got := h.Act(ctx, "inner", op, nil)
		if got.State != schema.Unknown || got.Failure.Code != "not_ended" ||
			!strings.HasPrefix(got.Failure.Message, "inner.do did not end within 10s of being cancelled (context canceled) and is still at work") ||
			strings.Contains(got.Failure.Message, "killed") {
			t.Error(got.State, got.Failure)
		}
		in, err := h.instance("inner")
		if err != nil {
			t.Fatal(err)
		}
		if len(in.slots) != 1 || free(t, op.AttemptLock) {
			t.Errorf("it works on with %d turns taken", len(in.slots))
		}
		close(letGo)
		synctest.Wait()
		if len(in.slots) != 0 || !free(t, op.AttemptLock) {
			t.Errorf("it has ended with %d turns taken", len(in.slots))
		}
	})
}

// stubborn is a catalog with one provider in this process that takes its time to
// answer Cancel.
type stubborn struct {
	*bundled.Catalog
	cancelled func()
}

type stubbornProvider struct {
	protocol.Provider
	cancelled func()
}

func (c stubborn) InProcess(dir, name string) (protocol.Provider, bool) {
	p, ok := c.Catalog.InProcess(dir, name)
	return stubbornProvider{p, c.cancelled}, ok
}

func (p stubbornProvider) Cancel(ctx context.Context, handle string) error {
	defer p.cancelled()
	if err := p.Provider.Cancel(ctx, handle); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// Nothing of an Act is left when it returns.
func TestCancelEndsWithItsAct(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		h := New(Options{Catalog: stubborn{bundled.NewCatalog(testProviders(), "inner"), func() { ended = true }}})
		defer h.Close()
		h.Configure("inner", "inner", cty.EmptyObjectVal)
		ctx, cancel := context.WithCancel(t.Context())
		got := h.Act(ctx, "inner", do("wait"), func(schema.Progress) { cancel() })
		if got.State != schema.FailedPartial || got.Failure.Code != "cut" {
			t.Error(got.State, got.Failure)
		}
		if !ended {
			t.Error("Cancel is still under way")
		}
	})
}

// A bug of ours is reported at the top of the program, not in its midst.
func TestPanicInAnActReachesTheCaller(t *testing.T) {
	h := newHost(t)
	caught := clock.Caught(func() {
		h.Act(t.Context(), "demo", do("say"), func(schema.Progress) { panic("boom") })
	})
	if caught == nil || caught.Value != "boom" {
		t.Error(caught)
	}
}
