// Package sdk is what a provider's author imports. Types are stated once, as
// tagged structs; the SDK makes the schema, decodes arguments, encodes results,
// serves the wire, holds the attempt lock and ends the work when it is
// cancelled or the engine is gone. It is stable.
package sdk

import (
	"context"
	"fmt"
	"reflect"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Provider is one backend's probes and actions.
type Provider struct {
	Name    string // as runbooks write it, such as postgres
	Version string
	Doc     string

	// Configure keeps the configuration and does no I/O: it also runs where a
	// runbook is only validated. Connect at first use.
	Configure ConfigureFunc
	Close     func() error // optional; called once, when the process ends
	Probes    []Probe
	Actions   []Action

	// Environ is what the programs that a person would use instead read from
	// their environment, such as PGPASSWORD; optional. It is asked after Configure.
	Environ func() map[string]string

	// Examples is HCL that shows each probe and action, as ReadExamples takes it;
	// optional. It goes into the generated reference.
	Examples string
}

// ConfigureFunc takes a provider's configuration. The zero value is a provider
// without any.
type ConfigureFunc struct {
	config *schema.Struct
	call   func(context.Context, cty.Value) error
}

// Configure states a provider's configuration as the tagged struct C. It panics
// where C's tags are wrong.
func Configure[C any](fn func(context.Context, C) error) ConfigureFunc {
	config, err := schema.Arguments(reflect.TypeFor[C]())
	if err != nil {
		panic(fmt.Sprintf("sdk: configuration: %v", err))
	}
	return ConfigureFunc{config: config, call: func(ctx context.Context, v cty.Value) error {
		var c C
		if err := config.Decode(v, &c); err != nil {
			return err
		}
		return fn(ctx, c)
	}}
}

// Schema is everything the provider says of itself. It panics where the
// provider is not complete: a missing name or doc, or a name given twice.
func (p *Provider) Schema() *schema.Provider {
	if p.Name == "" || p.Doc == "" {
		panic(fmt.Sprintf("sdk: provider %q needs a name and a doc", p.Name))
	}
	s := &schema.Provider{Name: p.Name, Version: p.Version, Doc: p.Doc}
	if p.Configure.config != nil {
		s.Config = p.Configure.config.Object()
	}
	for _, probe := range p.Probes {
		s.Operations = append(s.Operations, probe.schema)
	}
	for _, action := range p.Actions {
		s.Operations = append(s.Operations, action.schema)
	}
	seen := map[string]bool{}
	for _, op := range s.Operations {
		key := string(op.Kind) + " " + op.Name
		if seen[key] {
			panic(fmt.Sprintf("sdk: provider %s has two: %s", p.Name, key))
		}
		seen[key] = true
	}
	return s
}
