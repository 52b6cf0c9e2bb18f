package host

import (
	"context"
	"fmt"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Offline is a Host that starts no process: it describes what can be told
// without one, and looks at nothing.
type Offline struct{ host *Host }

// Offline answers for the same providers and configurations.
func (h *Host) Offline() Offline { return Offline{h} }

// Describe asks the catalog. What a third party's action touches only its process
// knows: it is taken to touch anything, and to destroy where some arguments make
// it.
func (o Offline) Describe(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	in, err := o.host.instance(ref)
	if err != nil {
		return schema.Description{}, err
	}
	if _, bundled := o.host.opts.Catalog.Schema(in.provider); bundled {
		return o.host.Describe(ctx, ref, op)
	}
	s, err := o.host.Schema(ctx, in.provider)
	if err != nil {
		return schema.Description{}, err
	}
	known := s.Operation(schema.Action, op.Name)
	if known == nil {
		return schema.Description{}, fmt.Errorf("provider %s has no action %q", in.provider, op.Name)
	}
	return schema.Description{
		Undeclared: true, Destructive: known.MayDestroy, Settling: known.Settling,
		Summary: fmt.Sprintf("what %s.%s would touch only its provider knows, which is not started", in.provider, op.Name),
	}, nil
}

// Preview counts nothing.
func (o Offline) Preview(ctx context.Context, ref string, op schema.Operation) (schema.Description, error) {
	return o.Describe(ctx, ref, op)
}

// Observe fails: nothing is looked at.
func (o Offline) Observe(context.Context, string, schema.Operation) (schema.Outcome, error) {
	return schema.Outcome{}, &schema.Failure{Code: "offline", Message: "nothing is looked at offline"}
}
