package protocol

import (
	"fmt"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

func encodeSchema(p *schema.Provider) (*wire.SchemaResponse, error) {
	config, err := encodeObject(p.Config)
	if err != nil {
		return nil, err
	}
	w := &wire.SchemaResponse{Name: p.Name, Version: p.Version, Doc: p.Doc, Config: config}
	for _, op := range p.Operations {
		arguments, err := encodeObject(op.Arguments)
		if err != nil {
			return nil, err
		}
		result, err := encodeObject(op.Result)
		if err != nil {
			return nil, err
		}
		w.Operations = append(w.Operations, &wire.OperationSchema{
			Name: op.Name, Doc: op.Doc, Kind: encodeKind(op.Kind), Arguments: arguments, Result: result,
			Settling: encodeSettling(op.Settling), MayDestroy: op.MayDestroy, Counts: op.Counts,
			Previews: op.Previews, Settles: op.Settles, Asks: op.Asks, Enforces: op.Enforces,
		})
	}
	return w, nil
}

func decodeSchema(w *wire.SchemaResponse) (*schema.Provider, error) {
	config, err := decodeObject(w.GetConfig())
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", w.GetName(), err)
	}
	p := &schema.Provider{Name: w.GetName(), Version: w.GetVersion(), Doc: w.GetDoc(), Config: config}
	if n := len(w.GetOperations()); n > maxList {
		return nil, fmt.Errorf("schema of %s: %d operations, more than %d", w.GetName(), n, maxList)
	}
	for _, op := range w.GetOperations() {
		arguments, err := decodeObject(op.GetArguments())
		if err != nil {
			return nil, fmt.Errorf("arguments of %s: %w", op.GetName(), err)
		}
		result, err := decodeObject(op.GetResult())
		if err != nil {
			return nil, fmt.Errorf("result of %s: %w", op.GetName(), err)
		}
		kind := decodeKind(op.GetKind())
		if kind == "" {
			return nil, fmt.Errorf("%s is neither probe nor action", op.GetName())
		}
		p.Operations = append(p.Operations, schema.OperationSchema{
			Name: op.GetName(), Doc: op.GetDoc(), Kind: kind, Arguments: arguments, Result: result,
			Settling: decodeSettling(op.GetSettling()), MayDestroy: op.GetMayDestroy(), Counts: op.GetCounts(),
			Previews: op.GetPreviews(), Settles: op.GetSettles(), Asks: op.GetAsks(), Enforces: op.GetEnforces(),
		})
	}
	return p, nil
}

func encodeObject(o schema.Object) (*wire.Object, error) {
	attributes, err := encodeAttributes(o.Attributes)
	return &wire.Object{Attributes: attributes}, err
}

func encodeAttributes(list []schema.Attribute) ([]*wire.Attribute, error) {
	var encoded []*wire.Attribute
	for _, a := range list {
		typeJSON, err := a.Type.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("type of %s: %w", a.Name, err)
		}
		nested, err := encodeAttributes(a.Nested)
		if err != nil {
			return nil, err
		}
		w := &wire.Attribute{
			Name: a.Name, Type: typeJSON, Doc: a.Doc,
			Required: a.Required, Sensitive: a.Sensitive, Nested: nested,
		}
		if a.Default != "" {
			w.Default = &a.Default
		}
		encoded = append(encoded, w)
	}
	return encoded, nil
}

func decodeObject(w *wire.Object) (schema.Object, error) {
	left := maxList
	attributes, err := decodeAttributes(w.GetAttributes(), maxDepth, &left)
	return schema.Object{Attributes: attributes}, err
}

// decodeAttributes reads attributes nested at most depth deep; of all that one
// object holds there may be as many as left says.
func decodeAttributes(list []*wire.Attribute, depth int, left *int) ([]schema.Attribute, error) {
	*left -= len(list)
	switch {
	case *left < 0:
		return nil, fmt.Errorf("more than %d attributes", maxList)
	case depth == 0 && len(list) > 0:
		return nil, fmt.Errorf("attributes nested more than %d deep", maxDepth)
	}
	var decoded []schema.Attribute
	for _, w := range list {
		ty, err := decodeType(w.GetType())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", valid(w.GetName()), err)
		}
		nested, err := decodeAttributes(w.GetNested(), depth-1, left)
		if err != nil {
			return nil, err
		}
		decoded = append(decoded, schema.Attribute{
			Name: w.GetName(), Type: ty, Doc: valid(w.GetDoc()), Required: w.GetRequired(),
			Sensitive: w.GetSensitive(), Default: w.GetDefault(), Nested: nested,
		})
	}
	return decoded, nil
}
