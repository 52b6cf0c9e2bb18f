package schema

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

const (
	fewElements = 100 // that cty may convert by itself
	fewTypes    = 50  // that are unified
	mostPairs   = 1_000_000
)

// Convert is cty's convert.Convert for values of any size. That one compares the
// types of all elements of a tuple or object with each other, so that a list of
// 50,000 strings, written out or read from JSON, takes a minute; this one takes
// time that grows with the value. Large values whose elements are of more than 50
// types that would have to be made one are refused.
func Convert(v cty.Value, want cty.Type) (cty.Value, error) {
	if !isLarge(v, 0) {
		return convert.Convert(v, want)
	}
	return convertLarge(v, want)
}

// isLarge finds a value of many elements in v.
func isLarge(v cty.Value, depth int) bool {
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return false
	}
	if v.LengthInt() > fewElements || depth > 10 {
		return true
	}
	for _, e := range v.Elements() {
		if isLarge(e, depth+1) {
			return true
		}
	}
	return false
}

func convertLarge(v cty.Value, want cty.Type) (cty.Value, error) {
	plain, marks := v.Unmark()
	if want == cty.DynamicPseudoType || !plain.IsKnown() || plain.IsNull() || !plain.CanIterateElements() {
		return convert.Convert(v, want)
	}
	t := plain.Type()
	var made cty.Value
	var err error
	switch {
	case (want.IsListType() || want.IsSetType()) && (t.IsTupleType() || t.IsListType() || t.IsSetType()):
		made, err = toList(plain, want)
	case want.IsMapType() && (t.IsObjectType() || t.IsMapType()):
		made, err = toMap(plain, want)
	case want.IsObjectType() && (t.IsObjectType() || t.IsMapType()):
		made, err = toObject(plain, want)
	case want.IsTupleType() && t.IsTupleType() && len(want.TupleElementTypes()) == plain.LengthInt():
		made, err = toTuple(plain, want)
	default:
		return convert.Convert(v, want)
	}
	if err != nil {
		return cty.NilVal, err
	}
	return made.WithMarks(marks), nil
}

func toList(v cty.Value, want cty.Type) (cty.Value, error) {
	length := v.Length()
	if !length.IsKnown() {
		return convert.Convert(v, want)
	}
	elements := make([]cty.Value, 0, v.LengthInt())
	for _, e := range v.Elements() {
		made, err := convertLarge(e, want.ElementType())
		if err != nil {
			return cty.NilVal, fmt.Errorf("element %d: %w", len(elements), err)
		}
		elements = append(elements, made)
	}
	if len(elements) == 0 {
		return convert.Convert(v, want)
	}
	if err := alike(elements, false); err != nil {
		return cty.NilVal, err
	}
	if want.IsListType() {
		return cty.ListVal(elements), nil
	}
	if err := Crowded(elements); err != nil {
		return cty.NilVal, err
	}
	return cty.SetVal(elements), nil
}

func toMap(v cty.Value, want cty.Type) (cty.Value, error) {
	var keys []string
	var elements []cty.Value
	for k, e := range v.Elements() { // in order of the keys
		made, err := convertLarge(e, want.ElementType())
		if err != nil {
			return cty.NilVal, fmt.Errorf("%q: %w", k.AsString(), err)
		}
		keys, elements = append(keys, k.AsString()), append(elements, made)
	}
	if len(elements) == 0 {
		return convert.Convert(v, want)
	}
	if err := alike(elements, true); err != nil {
		return cty.NilVal, err
	}
	object := make(map[string]cty.Value, len(keys))
	for i, k := range keys {
		object[k] = elements[i]
	}
	return cty.MapVal(object), nil
}

// toObject converts the attributes that are wanted, and leaves it to cty which of
// them may be missing.
func toObject(v cty.Value, want cty.Type) (cty.Value, error) {
	object := make(map[string]cty.Value)
	for k, e := range v.Elements() {
		name := k.AsString()
		if !want.HasAttribute(name) {
			continue
		}
		made, err := convertLarge(e, want.AttributeType(name))
		if err != nil {
			return cty.NilVal, fmt.Errorf("%q: %w", name, err)
		}
		object[name] = made
	}
	return convert.Convert(cty.ObjectVal(object), want)
}

func toTuple(v cty.Value, want cty.Type) (cty.Value, error) {
	types := want.TupleElementTypes()
	elements := make([]cty.Value, 0, len(types))
	for _, e := range v.Elements() {
		made, err := convertLarge(e, types[len(elements)])
		if err != nil {
			return cty.NilVal, fmt.Errorf("element %d: %w", len(elements), err)
		}
		elements = append(elements, made)
	}
	return cty.TupleVal(elements), nil
}

// alike makes values of one type of values of a few, in place. A null without a
// type, where nulls are let through, is one of any type.
func alike(elements []cty.Value, nulls bool) error {
	var types []cty.Type
	for _, e := range elements {
		if nulls && e.IsNull() && e.Type() == cty.DynamicPseudoType {
			continue
		}
		if !hasType(types, e.Type()) {
			if types = append(types, e.Type()); len(types) > fewTypes {
				return fmt.Errorf("its %d elements are of more than %d types", len(elements), fewTypes)
			}
		}
	}
	if len(types) == 0 || len(types) == 1 && types[0] == cty.DynamicPseudoType {
		return nil
	}
	one, _ := convert.UnifyUnsafe(types)
	if one == cty.NilType || one == cty.DynamicPseudoType {
		return errors.New("all elements must have the same type")
	}
	for i, e := range elements {
		if e.Type().Equals(one) {
			continue
		}
		made, err := convertLarge(e, one)
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		elements[i] = made
	}
	return nil
}

func hasType(types []cty.Type, t cty.Type) bool {
	for _, known := range types {
		if known.Equals(t) {
			return true
		}
	}
	return false
}

// Crowded refuses elements that a set cannot be made of in reasonable time: cty
// compares different ones of the same hash all with each other, and its hash is
// one for which anybody can make collisions.
func Crowded(elements []cty.Value) error {
	if len(elements) <= fewElements {
		return nil
	}
	buckets := make(map[int][]cty.Value, len(elements))
	pairs := 0
	for _, e := range elements {
		e, _ = e.UnmarkDeep()
		h := e.Hash()
		bucket := buckets[h]
		if slices.ContainsFunc(bucket, e.RawEquals) {
			continue
		}
		if pairs += len(bucket); pairs > mostPairs {
			return errors.New("its elements are made to look alike, so that comparing them takes too long")
		}
		buckets[h] = append(bucket, e)
	}
	return nil
}
