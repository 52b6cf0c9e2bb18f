package schema

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/zclconf/go-cty/cty"
)

// pointerCodec carries a value that may be absent: null is nil.
type pointerCodec struct{ elem codec }

func (c pointerCodec) ctyType() cty.Type { return c.elem.ctyType() }

func (c pointerCodec) decode(v cty.Value, target reflect.Value) error {
	if v.IsNull() {
		target.SetZero()
		return nil
	}
	held := reflect.New(target.Type().Elem())
	if err := c.elem.decode(v, held.Elem()); err != nil {
		return err
	}
	target.Set(held)
	return nil
}

func (c pointerCodec) encode(source reflect.Value) (cty.Value, error) {
	if source.IsNil() {
		return cty.NullVal(c.ctyType().WithoutOptionalAttributesDeep()), nil
	}
	return c.elem.encode(source.Elem())
}

// listCodec carries a slice. Elements of no fixed type make it dynamic, so that
// people can write [1, "a"]; it is then a tuple, or a list where all elements
// turn out to be of one type.
type listCodec struct{ elem codec }

func (c listCodec) ctyType() cty.Type {
	if c.elem.ctyType().HasDynamicTypes() {
		return cty.DynamicPseudoType
	}
	return cty.List(c.elem.ctyType())
}

func (c listCodec) decode(v cty.Value, target reflect.Value) error {
	if v.IsNull() {
		target.SetZero()
		return nil
	}
	if t := v.Type(); !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		return fmt.Errorf("must be a list, not %s", t.FriendlyName())
	}
	list := reflect.MakeSlice(target.Type(), v.LengthInt(), v.LengthInt())
	i := 0
	for _, element := range v.Elements() {
		if err := decodeElement(c.elem, element, list.Index(i)); err != nil {
			return at(fmt.Sprintf("[%d]", i), err)
		}
		i++
	}
	target.Set(list)
	return nil
}

func (c listCodec) encode(source reflect.Value) (cty.Value, error) {
	values := make([]cty.Value, source.Len())
	for i := range values {
		value, err := c.elem.encode(source.Index(i))
		if err != nil {
			return cty.NilVal, at(fmt.Sprintf("[%d]", i), err)
		}
		values[i] = value
	}
	switch {
	case c.ctyType() == cty.DynamicPseudoType && (len(values) == 0 || !cty.CanListVal(values)):
		return cty.TupleVal(values), nil
	case len(values) == 0:
		return cty.ListValEmpty(c.elem.ctyType().WithoutOptionalAttributesDeep()), nil
	}
	return cty.ListVal(values), nil
}

// mapCodec carries a map with string keys; see listCodec for elements of no
// fixed type, which make it an object.
type mapCodec struct{ elem codec }

func (c mapCodec) ctyType() cty.Type {
	if c.elem.ctyType().HasDynamicTypes() {
		return cty.DynamicPseudoType
	}
	return cty.Map(c.elem.ctyType())
}

func (c mapCodec) decode(v cty.Value, target reflect.Value) error {
	if v.IsNull() {
		target.SetZero()
		return nil
	}
	if t := v.Type(); !t.IsMapType() && !t.IsObjectType() {
		return fmt.Errorf("must be a map, not %s", t.FriendlyName())
	}
	held := reflect.MakeMapWithSize(target.Type(), v.LengthInt())
	for key, element := range v.Elements() {
		value := reflect.New(target.Type().Elem()).Elem()
		if err := decodeElement(c.elem, element, value); err != nil {
			return at(fmt.Sprintf("[%q]", key.AsString()), err)
		}
		held.SetMapIndex(reflect.ValueOf(key.AsString()).Convert(target.Type().Key()), value)
	}
	target.Set(held)
	return nil
}

func (c mapCodec) encode(source reflect.Value) (cty.Value, error) {
	values := make(map[string]cty.Value, source.Len())
	for entries := source.MapRange(); entries.Next(); {
		value, err := c.elem.encode(entries.Value())
		if err != nil {
			return cty.NilVal, at(fmt.Sprintf("[%q]", entries.Key().String()), err)
		}
		values[entries.Key().String()] = value
	}
	switch {
	case c.ctyType() == cty.DynamicPseudoType:
		return cty.ObjectVal(values), nil
	case len(values) == 0:
		return cty.MapValEmpty(c.elem.ctyType().WithoutOptionalAttributesDeep()), nil
	}
	return cty.MapVal(values), nil
}

func decodeElement(c codec, v cty.Value, target reflect.Value) error {
	v, err := convertTo(v, c.ctyType())
	if err != nil {
		return err
	}
	if _, pointer := c.(pointerCodec); v.IsNull() && !pointer && c.ctyType() != cty.DynamicPseudoType {
		return errors.New("must not be null")
	}
	return c.decode(v, target)
}
