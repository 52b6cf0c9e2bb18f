package schema

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

type stringCodec struct{}

func (stringCodec) ctyType() cty.Type { return cty.String }

func (stringCodec) decode(v cty.Value, target reflect.Value) error {
	target.SetString(v.AsString())
	return nil
}

func (stringCodec) encode(source reflect.Value) (cty.Value, error) {
	return cty.StringVal(strings.ToValidUTF8(source.String(), "\uFFFD")), nil
}

type boolCodec struct{}

func (boolCodec) ctyType() cty.Type { return cty.Bool }

func (boolCodec) decode(v cty.Value, target reflect.Value) error {
	target.SetBool(v.True())
	return nil
}

func (boolCodec) encode(source reflect.Value) (cty.Value, error) {
	return cty.BoolVal(source.Bool()), nil
}

type intCodec struct{}

func (intCodec) ctyType() cty.Type { return cty.Number }

func (intCodec) decode(v cty.Value, target reflect.Value) error {
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact {
		return errors.New("must be a whole number")
	}
	target.SetInt(n)
	return nil
}

func (intCodec) encode(source reflect.Value) (cty.Value, error) {
	return cty.NumberIntVal(source.Int()), nil
}

type floatCodec struct{}

func (floatCodec) ctyType() cty.Type { return cty.Number }

func (floatCodec) decode(v cty.Value, target reflect.Value) error {
	n, _ := v.AsBigFloat().Float64()
	if math.IsInf(n, 0) {
		return errors.New("is too large")
	}
	target.SetFloat(n)
	return nil
}

func (floatCodec) encode(source reflect.Value) (cty.Value, error) {
	n := source.Float()
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return cty.NilVal, fmt.Errorf("is %v, which is not a number that can be sent", n)
	}
	return cty.NumberFloatVal(n), nil
}

// durationCodec carries "10m" inwards and seconds outwards.
type durationCodec struct{ direction direction }

func (c durationCodec) ctyType() cty.Type {
	if c.direction == output {
		return cty.Number
	}
	return cty.String
}

func (c durationCodec) decode(v cty.Value, target reflect.Value) error {
	if c.direction == output {
		seconds, _ := v.AsBigFloat().Float64()
		target.SetInt(int64(seconds * float64(time.Second)))
		return nil
	}
	d, err := time.ParseDuration(v.AsString())
	if err != nil {
		return errors.New(`must be a duration such as "90s" or "10m"`)
	}
	target.SetInt(int64(d))
	return nil
}

func (c durationCodec) encode(source reflect.Value) (cty.Value, error) {
	d := time.Duration(source.Int())
	if c.direction == output {
		return cty.NumberFloatVal(d.Seconds()), nil
	}
	return cty.StringVal(d.String()), nil
}

// timeCodec carries RFC 3339 text in UTC; the zero time is null.
type timeCodec struct{}

func (timeCodec) ctyType() cty.Type { return cty.String }

func (timeCodec) decode(v cty.Value, target reflect.Value) error {
	t, err := time.Parse(time.RFC3339Nano, v.AsString())
	if err != nil {
		return errors.New(`must be a time such as "2026-01-31T12:00:00Z"`)
	}
	target.Set(reflect.ValueOf(t.UTC()))
	return nil
}

func (timeCodec) encode(source reflect.Value) (cty.Value, error) {
	t := source.Interface().(time.Time)
	if t.IsZero() {
		return cty.NullVal(cty.String), nil
	}
	return cty.StringVal(t.UTC().Format(time.RFC3339Nano)), nil
}

// dynamicCodec carries a value of any type as it is; an absent one is null.
// Parts of a result that must not be shown may be marked Sensitive.
type dynamicCodec struct{}

func (dynamicCodec) ctyType() cty.Type { return cty.DynamicPseudoType }

func (dynamicCodec) decode(v cty.Value, target reflect.Value) error {
	target.Set(reflect.ValueOf(v))
	return nil
}

func (dynamicCodec) encode(source reflect.Value) (cty.Value, error) {
	v := source.Interface().(cty.Value)
	if v == cty.NilVal {
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	if !v.IsWhollyKnown() {
		return cty.NilVal, errors.New("must be known")
	}
	_, marks := v.UnmarkDeepWithPaths()
	for _, m := range marks {
		for mark := range m.Marks {
			if mark != Sensitive {
				return cty.NilVal, fmt.Errorf("bears the mark %v; there is no other than Sensitive", mark)
			}
		}
	}
	return v, nil
}
