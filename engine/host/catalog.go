package host

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Catalog answers for the providers that are part of this program without
// starting a process. It is safe for concurrent use.
type Catalog interface {
	// Schema is nil and false for a provider that is not bundled.
	Schema(name string) (*schema.Provider, bool)
	// Describe is pure; config carries no marks. dir is the runbook's folder.
	Describe(ctx context.Context, dir, name string, config cty.Value, op schema.Operation) (schema.Description, error)
	// InProcess makes a provider that needs no process of its own because it has
	// no backend, for a runbook in dir; false for all others.
	InProcess(dir, name string) (protocol.Provider, bool)
}

// noCatalog bundles nothing.
type noCatalog struct{}

func (noCatalog) Schema(string) (*schema.Provider, bool) { return nil, false }

func (noCatalog) Describe(context.Context, string, string, cty.Value, schema.Operation) (schema.Description, error) {
	return schema.Description{}, nil
}

func (noCatalog) InProcess(string, string) (protocol.Provider, bool) { return nil, false }
