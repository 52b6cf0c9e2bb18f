package protocol

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Everything that a provider says of itself crosses the wire.
func TestSchemaCrossesTheWire(t *testing.T) {
	said := &schema.Provider{
		Name: "systemd", Version: "1.2.3", Doc: "Units.",
		Config: schema.Object{Attributes: []schema.Attribute{{Name: "password", Type: cty.String, Doc: "Secret.", Required: true, Sensitive: true}}},
		Operations: []schema.OperationSchema{{
			Name: "restart", Doc: "Restarts.", Kind: schema.Action,
			Arguments: schema.Object{Attributes: []schema.Attribute{{Name: "unit", Type: cty.String, Doc: "Name.", Default: `"nginx"`}}},
			Result:    schema.Object{Attributes: []schema.Attribute{{Name: "ok", Type: cty.Bool, Doc: "Well."}}},
			Settling:  schema.Observed, MayDestroy: true, Previews: true, Settles: true,
			Counts: []string{"units", "bytes"}, Enforces: []string{"units"},
		}},
	}
	sent, err := encodeSchema(said)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeSchema(sent)
	if err != nil {
		t.Fatal(err)
	}
	alike := cmp.Comparer(func(a, b cty.Type) bool { return a.Equals(b) })
	if diff := cmp.Diff(said, got, alike); diff != "" {
		t.Errorf("-said +got\n%s", diff)
	}
}
