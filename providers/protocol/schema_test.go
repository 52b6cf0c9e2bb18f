package protocol

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// What a provider says of itself reaches the engine whole.
func TestSchemaRoundTrip(t *testing.T) {
	object := schema.Object{Attributes: []schema.Attribute{{
		Name: "rows", Type: cty.List(cty.Object(map[string]cty.Type{"n": cty.Number})), Doc: "Rows.", Required: true, Sensitive: true, Default: "[]",
		Nested: []schema.Attribute{{Name: "n", Type: cty.Number, Doc: "A number."}},
	}}}
	said := &schema.Provider{Name: "x", Version: "1.2.3", Doc: "A provider.", Config: object, Operations: []schema.OperationSchema{
		{Name: "look", Doc: "Looks.", Kind: schema.Probe, Arguments: object, Result: object},
		{
			Name: "act", Doc: "Acts.", Kind: schema.Action, Arguments: object, Result: object, Settling: schema.Keyed,
			MayDestroy: true, Previews: true, Settles: true, Asks: true, Counts: []string{"rows"},
		},
	}}
	w, err := encodeSchema(said)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeSchema(w)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(said, got, cmp.Comparer(cty.Type.Equals)); diff != "" {
		t.Errorf("(-said +heard):\n%s", diff)
	}
}
