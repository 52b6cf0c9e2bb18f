// Package schema holds the words that the engine and its providers share: what
// an operation takes and gives, what it would touch, and how it ended. It
// leaves the wire to providers/protocol and the author's comfort to
// providers/sdk, and it knows nothing of runbooks.
package schema

import "github.com/zclconf/go-cty/cty"

// Kind tells a probe, which never changes anything, from an action.
type Kind string

// The kinds of operation.
const (
	Probe  Kind = "probe"
	Action Kind = "action"
)

// Settling says how an action's unknown outcome may be settled (engine.md,
// "Record").
type Settling string

// The settling classes, weakest first.
const (
	Manual     Settling = "manual"     // only a person knows
	Observed   Settling = "observed"   // the provider's Settle can tell
	Keyed      Settling = "keyed"      // the backend refuses a second attempt under the same key
	Idempotent Settling = "idempotent" // doing it again is harmless
)

// Provider is everything a provider says of itself without configuration and
// without I/O.
type Provider struct {
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Doc        string            `json:"doc"`
	Config     Object            `json:"config"`
	Operations []OperationSchema `json:"operations"` // probes first, then actions, each in the author's order
}

// Operation returns the named operation of the given kind, or nil.
func (p *Provider) Operation(kind Kind, name string) *OperationSchema {
	for i := range p.Operations {
		if op := &p.Operations[i]; op.Kind == kind && op.Name == name {
			return op
		}
	}
	return nil
}

// OperationSchema describes one probe or action.
type OperationSchema struct {
	Name       string   `json:"name"`
	Doc        string   `json:"doc"`
	Kind       Kind     `json:"kind"`
	Arguments  Object   `json:"arguments"`
	Result     Object   `json:"result"`                // always has ok and summary
	Settling   Settling `json:"settling,omitempty"`    // actions only
	MayDestroy bool     `json:"may_destroy,omitempty"` // actions only: some arguments make it destructive
	Previews   bool     `json:"previews,omitempty"`    // actions only: Preview reads the backend
	Settles    bool     `json:"settles,omitempty"`     // actions only: Settle can be asked
	Asks       bool     `json:"asks,omitempty"`        // actions only: a person may have to answer a Question first
	Counts     []string `json:"counts,omitempty"`      // what `limit` may name, such as rows
	Enforces   []string `json:"enforces,omitempty"`    // of these, what the action itself keeps within a limit, whether Preview counts it or not
}

// Object is an ordered set of attributes.
type Object struct {
	Attributes []Attribute `json:"attributes,omitempty"`
}

// Attribute is one argument, configuration value or result field.
type Attribute struct {
	Name      string      `json:"name"`
	Type      cty.Type    `json:"type"` // nested objects use cty's optional attributes
	Doc       string      `json:"doc"`
	Required  bool        `json:"required,omitempty"`
	Sensitive bool        `json:"sensitive,omitempty"`
	Default   string      `json:"default,omitempty"` // as a reader would write it in HCL; empty: none
	Nested    []Attribute `json:"nested,omitempty"`  // of a nested object, or of the objects in a collection
}

// Attribute returns the named attribute, or nil.
func (o Object) Attribute(name string) *Attribute {
	for i := range o.Attributes {
		if o.Attributes[i].Name == name {
			return &o.Attributes[i]
		}
	}
	return nil
}

// Type is the object's cty type; attributes that are not required are optional.
func (o Object) Type() cty.Type {
	types := make(map[string]cty.Type, len(o.Attributes))
	var optional []string
	for _, a := range o.Attributes {
		types[a.Name] = a.Type
		if !a.Required {
			optional = append(optional, a.Name)
		}
	}
	return cty.ObjectWithOptionalAttrs(types, optional)
}
