package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/providers/schema"
)

// asLocked holds a third party's process to the schema that the lock file has of
// it: runbooks are validated and planned by that, and nothing else may answer
// them. A bundled provider is this program and has no other schema.
func (h *Host) asLocked(ctx context.Context, r *running) error {
	if _, bundled := h.opts.Catalog.Schema(r.name); bundled {
		return nil
	}
	entry, err := h.locked(r.name)
	if err != nil {
		return err
	}
	now, err := r.provider.Schema(ctx)
	if err != nil {
		return h.lost(r, "Schema", err)
	}
	was, err := schemaValue(entry.schema)
	if err != nil {
		return err
	}
	is, err := schemaValue(now)
	if err != nil {
		return err
	}
	if is.RawEquals(was) {
		return nil
	}
	return notStarted(r.name, &OtherSchemaError{
		Provider: r.name, Locked: named(entry.schema, was), Now: named(now, is), Difference: difference(entry.schema, now),
	}, "")
}

// named tells schemas apart in a message.
func named(s *schema.Provider, v cty.Value) string {
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return s.Version
	}
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%s (schema %s)", s.Version, hex.EncodeToString(sum[:6]))
}

// difference names the first thing in which two schemas differ.
func difference(was, now *schema.Provider) string {
	for _, op := range was.Operations {
		other := now.Operation(op.Kind, op.Name)
		if other == nil {
			return fmt.Sprintf("it has no %s %q any more", op.Kind, op.Name)
		}
		for _, part := range []struct {
			of       string
			was, now schema.Object
		}{{"argument", op.Arguments, other.Arguments}, {"result", op.Result, other.Result}} {
			if said := changed(part.was, part.now); said != "" {
				return fmt.Sprintf("%s %q: its %s %s", op.Kind, op.Name, part.of, said)
			}
		}
		if op.Settling != other.Settling || op.MayDestroy != other.MayDestroy ||
			!slices.Equal(op.Counts, other.Counts) || !slices.Equal(op.Enforces, other.Enforces) {
			return fmt.Sprintf("%s %q settles, destroys, counts or enforces something else", op.Kind, op.Name)
		}
	}
	for _, op := range now.Operations {
		if was.Operation(op.Kind, op.Name) == nil {
			return fmt.Sprintf("%s %q is new", op.Kind, op.Name)
		}
	}
	if said := changed(was.Config, now.Config); said != "" {
		return "its configuration " + said
	}
	return "its name, version or words differ"
}

// changed names the first attribute in which two objects differ; empty: none.
func changed(was, now schema.Object) string {
	for _, a := range was.Attributes {
		other := now.Attribute(a.Name)
		switch {
		case other == nil:
			return fmt.Sprintf("%q is gone", a.Name)
		case !other.Type.Equals(a.Type):
			return fmt.Sprintf("%q is of another type", a.Name)
		case other.Required != a.Required || other.Sensitive != a.Sensitive || other.Default != a.Default:
			return fmt.Sprintf("%q is required, sensitive or absent otherwise", a.Name)
		}
	}
	for _, a := range now.Attributes {
		if was.Attribute(a.Name) == nil {
			return fmt.Sprintf("%q is new", a.Name)
		}
	}
	return ""
}
