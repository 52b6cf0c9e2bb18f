package sdk_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Relative paths start from the runbook's folder, whoever's process it is.
func TestPathStartsFromTheRunbooksFolder(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"": here, "/srv/runbooks": "/srv/runbooks", "sub": filepath.Join(here, "sub")} {
		var got []string
		ask := func(ctx context.Context) {
			got = append(got, sdk.Path(ctx, "repo"), sdk.Path(ctx, "../repo"), sdk.Path(ctx, "/repo"))
		}
		server := sdk.NewServer(&sdk.Provider{
			Name: "p", Doc: "P.",
			Configure: sdk.Configure(func(ctx context.Context, _ noArgs) error { ask(ctx); return nil }),
			Probes: []sdk.Probe{sdk.NewProbe("x", "X.", func(ctx context.Context, _ noArgs, _ *sdk.Call) (sdk.Result, error) {
				ask(ctx)
				return sdk.OK("done"), nil
			})},
		})
		server.Dir = dir
		if err := server.Configure(t.Context(), cty.EmptyObjectVal); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Observe(t.Context(), schema.Operation{Name: "x", Kind: schema.Probe, Arguments: cty.EmptyObjectVal}); err != nil {
			t.Fatal(err)
		}
		once := []string{filepath.Join(want, "repo"), filepath.Join(want, "../repo"), "/repo"}
		if diff := cmp.Diff(append(once, once...), got); diff != "" {
			t.Errorf("in %q: -want +got\n%s", dir, diff)
		}
	}
}
