package host

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// A description is of what the provider's process will do, and that works in
// the runbook's folder, wherever the engine does.
func TestDescribeStartsFromTheRunbooksFolder(t *testing.T) {
	catalog := bundled.New()
	spec, _ := catalog.Schema("feast")
	config := map[string]cty.Value{}
	for _, a := range spec.Config.Attributes {
		config[a.Name] = cty.NullVal(a.Type)
	}
	config["repo"] = cty.StringVal("feature_repo")
	arguments := map[string]cty.Value{}
	for _, a := range spec.Operation(schema.Action, "apply").Arguments.Attributes {
		arguments[a.Name] = cty.NullVal(a.Type)
	}
	for _, dir := range []string{t.TempDir(), t.TempDir()} {
		h := New(Options{Catalog: catalog, Dir: dir})
		h.Configure("feast", "feast", cty.ObjectVal(config))
		d, err := h.Describe(t.Context(), "feast", schema.Operation{Name: "apply", Kind: schema.Action, Arguments: cty.ObjectVal(arguments)})
		if err != nil {
			t.Fatal(err)
		}
		repo := filepath.Join(dir, "feature_repo")
		want := []string{"feast://" + sdk.EffectHost("") + repo + "/registry", "feast -c " + repo + " apply"}
		if diff := cmp.Diff(want, []string{d.Effects[0].Resource, d.Command[0] + " " + d.Command[1] + " " + d.Command[2] + " " + d.Command[3]}); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
