package protocol

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/msgpack"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

// The protocol's limits. What is larger is refused, or cut and counted.
const (
	MaxMessage = 16 << 20
	MaxResult  = 8 << 20
	MaxLogLine = 64 << 10

	maxType   = 1 << 20   // bytes of a value's type as JSON
	maxDepth  = 200       // of a value, its type, or the attributes of a schema
	maxValues = 1_000_000 // in one value, counting parts
	maxList   = 10_000    // effects, words, lines, units or attributes
)

// encodeValue takes the marks off; the message says where they were.
// cty.NilVal is nil.
func encodeValue(v cty.Value) (*wire.Value, error) {
	if v == cty.NilVal {
		return nil, nil
	}
	v, marks := v.UnmarkDeepWithPaths()
	if !v.IsWhollyKnown() {
		return nil, errors.New("unknown values cannot be sent")
	}
	typeJSON, err := v.Type().MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode type: %w", err)
	}
	if len(typeJSON) > maxType {
		return nil, fmt.Errorf("its type takes %d bytes, more than %d", len(typeJSON), maxType)
	}
	packed, err := msgpack.Marshal(v, v.Type())
	if err != nil {
		return nil, fmt.Errorf("encode value: %w", err)
	}
	if len(packed) > MaxResult {
		return nil, &sizeError{len(packed)}
	}
	w := &wire.Value{Type: typeJSON, Msgpack: packed}
	for _, m := range marks {
		if m.Marks.Has(schema.Sensitive) {
			w.Sensitive = append(w.Sensitive, pointer(m.Path))
		}
	}
	return w, nil
}

// sizeError means that a value is too large to be sent.
type sizeError struct{ bytes int }

func (e *sizeError) Error() string {
	return fmt.Sprintf("it takes %d bytes, more than %d", e.bytes, MaxResult)
}

// decodeValue reads bytes from outside: nothing in them may make it panic or
// allocate far more than their own size.
func decodeValue(w *wire.Value) (v cty.Value, err error) {
	if w == nil {
		return cty.NilVal, nil
	}
	// cty panics on some impossible values, such as lists of several types.
	defer func() {
		if reason := recover(); reason != nil {
			v, err = cty.NilVal, fmt.Errorf("decode value: %v", reason)
		}
	}()
	ty, err := decodeType(w.Type)
	if err != nil {
		return cty.NilVal, err
	}
	if len(w.Msgpack) > MaxResult {
		return cty.NilVal, fmt.Errorf("decode value: %w", &sizeError{len(w.Msgpack)})
	}
	if err := scan(w.Msgpack); err != nil {
		return cty.NilVal, fmt.Errorf("decode value: %w", err)
	}
	v, err = msgpack.Unmarshal(w.Msgpack, ty)
	if err != nil {
		return cty.NilVal, fmt.Errorf("decode value: %w", err)
	}
	if !v.IsWhollyKnown() {
		return cty.NilVal, errors.New("decode value: unknown values cannot be sent")
	}
	return markAt(v, w.Sensitive), nil
}

func decodeType(text []byte) (cty.Type, error) {
	if len(text) > maxType {
		return cty.NilType, fmt.Errorf("decode type: more than %d bytes", maxType)
	}
	if nesting(text) > 2*maxDepth { // a type and its arguments are two brackets
		return cty.NilType, fmt.Errorf("decode type: nested more than %d deep", maxDepth)
	}
	var ty cty.Type
	if err := json.Unmarshal(text, &ty); err != nil {
		return cty.NilType, fmt.Errorf("decode type: %w", err)
	}
	if ty == cty.NilType { // JSON null is skipped by json.Unmarshal
		return cty.NilType, errors.New("decode type: no type")
	}
	return ty, nil
}

// nesting is how deep the brackets of a JSON text nest. Those in its strings,
// such as the names of attributes, are only text.
func nesting(text []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}
