package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/schema"
)

// The JSON of providers (docs/schemas/providers.json).
type (
	providersDocument struct {
		FormatVersion string         `json:"format_version"`
		Providers     []providerJSON `json:"providers"`
		ThirdParties  []ThirdParty   `json:"third_parties,omitempty"`
	}
	providerJSON struct {
		Name       string          `json:"name"`
		Version    string          `json:"version"`
		Doc        string          `json:"doc"`
		Config     []attributeJSON `json:"config"`
		Operations []operationJSON `json:"operations"`
	}
	operationJSON struct {
		Name       string          `json:"name"`
		Kind       schema.Kind     `json:"kind"`
		Doc        string          `json:"doc"`
		Arguments  []attributeJSON `json:"arguments"`
		Result     []attributeJSON `json:"result"`
		Settling   schema.Settling `json:"settling,omitempty"`
		MayDestroy bool            `json:"may_destroy,omitempty"`
		Asks       bool            `json:"asks,omitempty"`
		Counts     []string        `json:"counts,omitempty"`
		Enforces   []string        `json:"enforces,omitempty"`
	}
	attributeJSON struct {
		Name      string          `json:"name"`
		Type      json.RawMessage `json:"type"`
		Doc       string          `json:"doc"`
		Required  bool            `json:"required"`
		Sensitive bool            `json:"sensitive,omitempty"`
		Default   string          `json:"default,omitempty"`
	}
)

// WriteProvidersJSON writes the schemas of providers, and what is known of those
// of other parties, as one JSON document.
func WriteProvidersJSON(w io.Writer, providers []*schema.Provider, others []ThirdParty) error {
	document := providersDocument{FormatVersion: FormatVersion, Providers: []providerJSON{}, ThirdParties: others}
	for _, provider := range providers {
		converted, err := toProviderJSON(provider)
		if err != nil {
			return fmt.Errorf("schema of %s as JSON: %w", provider.Name, err)
		}
		document.Providers = append(document.Providers, converted)
	}
	return writeJSON(w, document)
}

func toProviderJSON(provider *schema.Provider) (providerJSON, error) {
	out := providerJSON{Name: provider.Name, Version: provider.Version, Doc: provider.Doc, Operations: []operationJSON{}}
	var err error
	if out.Config, err = toAttributesJSON(provider.Config); err != nil {
		return out, err
	}
	for _, o := range provider.Operations {
		operation := operationJSON{
			Name: o.Name, Kind: o.Kind, Doc: o.Doc,
			Settling: o.Settling, MayDestroy: o.MayDestroy, Asks: o.Asks, Counts: o.Counts, Enforces: o.Enforces,
		}
		if operation.Arguments, err = toAttributesJSON(o.Arguments); err != nil {
			return out, err
		}
		if operation.Result, err = toAttributesJSON(o.Result); err != nil {
			return out, err
		}
		out.Operations = append(out.Operations, operation)
	}
	return out, nil
}

func toAttributesJSON(object schema.Object) ([]attributeJSON, error) {
	list := []attributeJSON{}
	for _, a := range object.Attributes {
		typ, err := ctyjson.MarshalType(a.Type)
		if err != nil {
			return nil, fmt.Errorf("type of %s: %w", a.Name, err)
		}
		list = append(list, attributeJSON{
			Name: a.Name, Type: typ, Doc: a.Doc,
			Required: a.Required, Sensitive: a.Sensitive, Default: a.Default,
		})
	}
	return list, nil
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
