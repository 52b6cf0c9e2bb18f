package schema

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	valueType    = reflect.TypeFor[cty.Value]()
)

// codec carries values of one Go type to and from one cty type. decode gets
// values of that type that are neither null nor unknown nor marked, except for
// the dynamic codec, which takes null too.
type codec interface {
	ctyType() cty.Type
	decode(v cty.Value, target reflect.Value) error
	encode(source reflect.Value) (cty.Value, error)
}

// newCodec builds the codec for t; within lists the structs around it.
func newCodec(t reflect.Type, d direction, within []reflect.Type) (codec, error) {
	switch t {
	case timeType:
		return timeCodec{}, nil
	case durationType:
		return durationCodec{d}, nil
	case valueType:
		return dynamicCodec{}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return stringCodec{}, nil
	case reflect.Bool:
		return boolCodec{}, nil
	case reflect.Int, reflect.Int64:
		return intCodec{}, nil
	case reflect.Float64:
		return floatCodec{}, nil
	case reflect.Pointer:
		elem, err := newCodec(t.Elem(), d, within)
		if err != nil {
			return nil, err
		}
		if _, nested := elem.(pointerCodec); nested {
			return nil, fmt.Errorf("has the type %s, a pointer to a pointer", t)
		}
		return pointerCodec{elem}, nil
	case reflect.Slice:
		elem, err := newCodec(t.Elem(), d, within)
		if err != nil {
			return nil, err
		}
		return listCodec{elem}, nil
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("has the type %s; map keys must be strings", t)
		}
		elem, err := newCodec(t.Elem(), d, within)
		if err != nil {
			return nil, err
		}
		return mapCodec{elem}, nil
	case reflect.Struct:
		return newStructCodec(t, d, within)
	}
	return nil, fmt.Errorf("has the type %s, which is not supported", t)
}

// structCodec carries a tagged struct.
type structCodec struct {
	goType reflect.Type
	object cty.Type
	fields []field
}

// field is one tagged field, embedded ones included.
type field struct {
	tag
	index    []int
	codec    codec
	fallback cty.Value // cty.NilVal: none
	required bool
}

func newStructCodec(t reflect.Type, d direction, within []reflect.Type) (*structCodec, error) {
	if slices.Contains(within, t) {
		return nil, fmt.Errorf("%s contains itself", t)
	}
	within = append(slices.Clone(within), t)
	c := &structCodec{goType: t}
	if err := c.addFields(t, nil, d, within); err != nil {
		return nil, err
	}
	types := make(map[string]cty.Type, len(c.fields))
	var optional []string
	for _, f := range c.fields {
		if _, twice := types[f.name]; twice {
			return nil, fmt.Errorf("%s has two fields named %q", t, f.name)
		}
		types[f.name] = f.codec.ctyType()
		if !f.required && d == input {
			optional = append(optional, f.name)
		}
	}
	c.object = cty.ObjectWithOptionalAttrs(types, optional)
	return c, nil
}

func (c *structCodec) addFields(t reflect.Type, index []int, d direction, within []reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("runbook") == "" {
			if err := c.addFields(f.Type, at, d, within); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		added, err := newField(f, at, d, within)
		if err != nil {
			return fmt.Errorf("%s.%s %w", t, f.Name, err)
		}
		c.fields = append(c.fields, added)
	}
	return nil
}

func newField(f reflect.StructField, index []int, d direction, within []reflect.Type) (field, error) {
	words, err := parseTag(f)
	if err != nil {
		return field{}, err
	}
	carrier, err := newCodec(f.Type, d, within)
	if err != nil {
		return field{}, err
	}
	added := field{tag: words, index: index, codec: carrier}
	if words.hasDefault {
		if added.fallback, err = defaultValue(words.fallback, carrier.ctyType()); err != nil {
			return field{}, err
		}
		if err := carrier.decode(added.fallback, reflect.New(f.Type).Elem()); err != nil {
			return field{}, fmt.Errorf("has the default %q: %w", words.fallback, err)
		}
	}
	_, pointer := carrier.(pointerCodec)
	added.required = !words.optional && !words.hasDefault && !pointer
	return added, nil
}

func (c *structCodec) ctyType() cty.Type { return c.object }

func (c *structCodec) attributes() []Attribute {
	list := make([]Attribute, len(c.fields))
	for i, f := range c.fields {
		list[i] = Attribute{
			Name: f.name, Type: f.codec.ctyType(), Doc: f.doc,
			Required: f.required, Sensitive: f.sensitive, Nested: nested(f.codec),
		}
		if f.hasDefault {
			list[i].Default = defaultText(f.tag.fallback, f.codec.ctyType())
		}
	}
	return list
}

func nested(c codec) []Attribute {
	switch c := c.(type) {
	case *structCodec:
		return c.attributes()
	case pointerCodec:
		return nested(c.elem)
	case listCodec:
		return nested(c.elem)
	case mapCodec:
		return nested(c.elem)
	}
	return nil
}
