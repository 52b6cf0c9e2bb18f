package sdktest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/runbook-engine/runbook/providers/schema"
)

// arguments is what the engine would send for args, and the names of those that
// are not known.
func (h *Harness) arguments(of string, object schema.Object, args map[string]any) (cty.Value, []string) {
	h.t.Helper()
	values := map[string]cty.Value{}
	var unknown []string
	for _, a := range object.Attributes {
		values[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
	}
	for name, arg := range args {
		a := object.Attribute(name)
		if a == nil {
			h.t.Fatalf("%s has no argument %q", of, name)
		}
		v, err := value(reflect.ValueOf(arg))
		if err == nil {
			v, err = convert.Convert(v, a.Type)
		}
		if err != nil {
			h.t.Fatalf("argument %q of %s: %v", name, of, err)
		}
		if !v.IsWhollyKnown() {
			unknown = append(unknown, name)
			continue
		}
		values[name] = v
	}
	slices.Sort(unknown)
	return cty.ObjectVal(values), unknown
}

// value is the cty value that a runbook would hold for a Go value.
func value(v reflect.Value) (cty.Value, error) {
	if !v.IsValid() {
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	switch held := v.Interface().(type) {
	case cty.Value:
		return held, nil
	case time.Duration:
		return cty.StringVal(held.String()), nil
	case time.Time:
		return cty.StringVal(held.UTC().Format(time.RFC3339Nano)), nil
	}
	switch v.Kind() {
	case reflect.String:
		return cty.StringVal(v.String()), nil
	case reflect.Bool:
		return cty.BoolVal(v.Bool()), nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		return cty.NumberIntVal(v.Int()), nil
	case reflect.Float64:
		return cty.NumberFloatVal(v.Float()), nil
	case reflect.Interface, reflect.Pointer:
		return value(v.Elem())
	case reflect.Slice:
		values := make([]cty.Value, v.Len())
		for i := range values {
			element, err := value(v.Index(i))
			if err != nil {
				return cty.NilVal, err
			}
			values[i] = element
		}
		return cty.TupleVal(values), nil
	case reflect.Map:
		values := make(map[string]cty.Value, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			element, err := value(entries.Value())
			if err != nil {
				return cty.NilVal, err
			}
			values[entries.Key().String()] = element
		}
		return cty.ObjectVal(values), nil
	}
	return cty.NilVal, fmt.Errorf("a %s cannot be an argument", v.Type())
}

// Go turns a result into plain Go values for cmp.Diff: map[string]any, []any,
// string, bool, nil, and numbers as int where they are whole, else float64.
func Go(t testing.TB, v cty.Value) any {
	t.Helper()
	switch {
	case v == cty.NilVal || v.IsNull():
		return nil
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type() == cty.Bool:
		return v.True()
	case v.Type() == cty.Number:
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == 0 {
			return int(n)
		}
		n, _ := v.AsBigFloat().Float64()
		return n
	case v.Type().IsObjectType() || v.Type().IsMapType():
		held := map[string]any{}
		for key, element := range v.Elements() {
			held[key.AsString()] = Go(t, element)
		}
		return held
	case v.CanIterateElements():
		list := make([]any, 0, v.LengthInt())
		for _, element := range v.Elements() {
			list = append(list, Go(t, element))
		}
		return list
	}
	t.Fatalf("no plain Go value for %s", v.Type().FriendlyName())
	return nil
}
