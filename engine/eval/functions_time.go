package eval

import (
	"errors"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func durationFunc() function.Function {
	return function.New(&function.Spec{
		Description: "A duration such as \"1h30m\" in seconds.",
		Params:      []function.Parameter{{Name: "duration", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			d, err := time.ParseDuration(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "a duration is written like \"90s\", \"5m\" or \"1h30m\"")
			}
			return cty.NumberFloatVal(d.Seconds()), nil
		},
	})
}

func timecmpFunc() function.Function {
	return function.New(&function.Spec{
		Description: "-1, 0 or 1: whether the first moment is before, at or after the second.",
		Params:      []function.Parameter{{Name: "a", Type: cty.String}, {Name: "b", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var at [2]time.Time
			for i, a := range args {
				var err error
				if at[i], err = time.Parse(time.RFC3339, a.AsString()); err != nil {
					return cty.UnknownVal(cty.Number), function.NewArgError(i, errors.New("a moment is written like \"2025-10-22T10:00:00Z\""))
				}
			}
			return cty.NumberIntVal(int64(at[0].Compare(at[1]))), nil
		},
	})
}
