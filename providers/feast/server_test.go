package feast

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

func entity(keys map[string]string) cty.Value {
	values := map[string]cty.Value{}
	for name, value := range keys {
		values[name] = cty.StringVal(value)
	}
	return cty.ObjectVal(values)
}

// The feature server takes columns and pairs them up by place: entities without
// the same keys would answer for each other.
func TestEntitiesOfTheFeatureServer(t *testing.T) {
	args := ServerArgs{Features: []string{"v:f"}, Entities: cty.TupleVal([]cty.Value{
		entity(map[string]string{"symbol": "USDCOP", "venue": "a"}), entity(map[string]string{"venue": "b", "symbol": "USDMXN"}),
	})}
	got, err := featureRequest(args)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"entities":{"symbol":["USDCOP","USDMXN"],"venue":["a","b"]},"features":["v:f"]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for name, second := range map[string]cty.Value{
		"other": entity(map[string]string{"symbol": "USDMXN", "place": "b"}),
		"less":  entity(map[string]string{"symbol": "USDMXN"}),
		"more":  entity(map[string]string{"symbol": "USDMXN", "venue": "b", "place": "c"}),
		"none":  cty.EmptyObjectVal,
	} {
		args.Entities = cty.TupleVal([]cty.Value{entity(map[string]string{"symbol": "USDCOP", "venue": "a"}), second})
		_, err := featureRequest(args)
		var f *schema.Failure
		if !errors.As(err, &f) || f.Argument != "entities" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
