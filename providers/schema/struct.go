package schema

import (
	"fmt"
	"reflect"

	"github.com/zclconf/go-cty/cty"
)

// Struct is a Go struct type whose tags state an Object. It is made once and is
// then safe for concurrent use.
//
// A field is tagged
//
//	`runbook:"name[,optional][,sensitive]" doc:"A sentence." default:"10s"`
//
// and is required unless it is optional, a pointer, or has a default. Its type
// is one of string, bool, int, int64, float64, time.Duration, time.Time,
// cty.Value, a tagged struct, or a slice, string map or pointer of these.
// Embedded structs are flattened; unexported fields are left alone.
type Struct struct {
	object Object
	codec  *structCodec
}

// direction tells values that people write from values that providers answer:
// durations are strings such as "10m" in the former, seconds in the latter.
type direction int

const (
	input direction = iota
	output
)

// Arguments reads the tags of a struct of arguments or configuration.
func Arguments(t reflect.Type) (*Struct, error) { return newStruct(t, input) }

// Results reads the tags of a struct of result fields.
func Results(t reflect.Type) (*Struct, error) { return newStruct(t, output) }

func newStruct(t reflect.Type, d direction) (*Struct, error) {
	if t.Kind() != reflect.Struct || t == timeType || t == valueType {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	c, err := newStructCodec(t, d, nil)
	if err != nil {
		return nil, err
	}
	return &Struct{object: Object{Attributes: c.attributes()}, codec: c}, nil
}

// Object is what the tags say.
func (s *Struct) Object() Object { return s.object }

// Decode fills the struct that target points to. Arguments named in unknown are
// left zero, neither required nor defaulted. An error is a *Failure that names
// the argument and never quotes a value.
func (s *Struct) Decode(v cty.Value, target any, unknown ...string) error {
	if v == cty.NilVal || v.IsNull() {
		v = cty.EmptyObjectVal
	}
	skip := make(map[string]bool, len(unknown))
	for _, name := range unknown {
		skip[name] = true
	}
	return asFailure(s.codec.decodeFields(v, reflect.ValueOf(target).Elem(), skip))
}

// Encode is the opposite of Decode. The value is wholly known and has exactly
// the object's attributes; what is absent is null. Of marks only Sensitive is
// taken, in fields of type cty.Value.
func (s *Struct) Encode(source any) (cty.Value, error) {
	return s.codec.encode(reflect.ValueOf(source))
}
