package ui

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/providers/schema"
)

// schemas is where the JSON schemas are published.
const schemas = "../../../../docs/schemas"

// validate checks one JSON document against a published schema of docs/schemas.
func validate(t *testing.T, name string, document []byte) {
	t.Helper()
	compiled, err := jsonschema.NewCompiler().Compile(filepath.Join(schemas, name))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("%s: %v\n%s", name, err, document)
	}
}

// A field that a document gains is published with it.
func TestSchemasNameEveryField(t *testing.T) {
	types := map[string]map[string]any{
		"plan.json": {
			"plan": planDocument{}, "step": plan.Step{}, "effect": schema.Effect{},
			"total_effect": plan.Effect{}, "output": plan.Output{}, "notice": plan.Notice{},
		},
		"report.json":    {"check": plan.Check{}, "diagnostic": Diagnostic{}, "range": Range{}, "position": Position{}},
		"runs.json":      {"run": RunSummary{}},
		"locks.json":     {"lock": Lock{}},
		"tests.json":     {"test": testJSON{}, "injection": injectionJSON{}, "coverage": coverageJSON{}, "item": itemJSON{}},
		"providers.json": {"": providersDocument{}, "provider": providerJSON{}, "operation": operationJSON{}, "attribute": attributeJSON{}},
		"event.json": {
			"": event.Event{}, "start": event.Start{}, "observation": event.Observation{}, "attempt": event.Attempt{},
			"question": event.Question{}, "asked": schema.Attribute{}, "failure": schema.Failure{}, "file": event.File{}, "notice": event.Notice{},
		},
	}
	for file, definitions := range types {
		data, err := os.ReadFile(filepath.Join(schemas, file))
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			objectSchema
			Defs map[string]objectSchema `json:"$defs"`
		}
		if err := json.Unmarshal(data, &document); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for name, value := range definitions {
			got := document.objectSchema
			if name != "" {
				got = document.Defs[name]
			}
			if diff := cmp.Diff(fieldNames(reflect.TypeOf(value)), slices.Sorted(maps.Keys(got.Properties))); diff != "" {
				t.Errorf("%s, %q (-Go +schema):\n%s", file, name, diff)
			}
		}
	}
}

type objectSchema struct {
	Properties map[string]any `json:"properties"`
}

// fieldNames are the JSON names of a struct's fields, embedded ones included.
func fieldNames(typ reflect.Type) []string {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	var names []string
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous {
			names = append(names, fieldNames(field.Type)...)
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
