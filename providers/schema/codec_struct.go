package schema

import (
	"errors"
	"fmt"
	"reflect"
	"sort"

	"github.com/zclconf/go-cty/cty"
)

// argumentError says what is wrong with the argument at path.
type argumentError struct {
	path string
	err  error
}

func (e *argumentError) Error() string { return fmt.Sprintf("%q %v", e.path, e.err) }

func (e *argumentError) Unwrap() error { return e.err }

// at puts a step before the path of err.
func at(step string, err error) error {
	var inner *argumentError
	if !errors.As(err, &inner) {
		return &argumentError{step, err}
	}
	if inner.path[0] == '[' {
		return &argumentError{step + inner.path, inner.err}
	}
	return &argumentError{step + "." + inner.path, inner.err}
}

// asFailure is the error as a provider answers it.
func asFailure(err error) error {
	if err == nil {
		return nil
	}
	f := &Failure{Code: "invalid_argument", Message: err.Error()}
	var at *argumentError
	if errors.As(err, &at) {
		f.Argument = at.path
	}
	return f
}

func (c *structCodec) decode(v cty.Value, target reflect.Value) error {
	return c.decodeFields(v, target, nil)
}

func (c *structCodec) decodeFields(v cty.Value, target reflect.Value, unknown map[string]bool) error {
	given, err := attributesOf(v)
	if err != nil {
		return err
	}
	for _, f := range c.fields {
		value, ok := given[f.name]
		delete(given, f.name)
		if unknown[f.name] {
			if f.codec.ctyType() == cty.DynamicPseudoType {
				value, ok = cty.NullVal(cty.DynamicPseudoType), true
			} else {
				continue
			}
		}
		if !ok {
			value = cty.NullVal(f.codec.ctyType())
		}
		if err := f.decode(value, target.FieldByIndex(f.index), unknown[f.name]); err != nil {
			return at(f.name, err)
		}
	}
	if len(given) > 0 {
		names := make([]string, 0, len(given))
		for name := range given {
			names = append(names, name)
		}
		sort.Strings(names)
		return at(names[0], errors.New("is not an argument that is known here"))
	}
	return nil
}

func attributesOf(v cty.Value) (map[string]cty.Value, error) {
	if v.IsMarked() || !v.IsKnown() {
		return nil, errors.New("must be known and unmarked")
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		return nil, fmt.Errorf("must be an object, not %s", t.FriendlyName())
	}
	given := v.AsValueMap()
	if given == nil {
		given = map[string]cty.Value{}
	}
	return given, nil
}

func (f *field) decode(v cty.Value, target reflect.Value, unknown bool) error {
	v, err := convertTo(v, f.codec.ctyType())
	if err != nil {
		return err
	}
	if v.IsNull() {
		switch {
		case f.hasDefault:
			v = f.fallback
		case f.required && !unknown:
			return errors.New("is required")
		case f.codec.ctyType() != cty.DynamicPseudoType:
			return nil
		}
	}
	return f.codec.decode(v, target)
}

func convertTo(v cty.Value, want cty.Type) (cty.Value, error) {
	if v.ContainsMarked() || !v.IsWhollyKnown() {
		return cty.NilVal, errors.New("must be known and unmarked")
	}
	if want == cty.DynamicPseudoType {
		return v, nil
	}
	converted, err := Convert(v, want)
	if err != nil {
		return cty.NilVal, fmt.Errorf("has the wrong type: %w", err)
	}
	return converted, nil
}

func (c *structCodec) encode(source reflect.Value) (cty.Value, error) {
	values := make(map[string]cty.Value, len(c.fields))
	for _, f := range c.fields {
		value, err := f.codec.encode(source.FieldByIndex(f.index))
		if err != nil {
			return cty.NilVal, at(f.name, err)
		}
		values[f.name] = value
	}
	return cty.ObjectVal(values), nil
}
