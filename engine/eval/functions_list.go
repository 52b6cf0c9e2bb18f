package eval

import (
	"errors"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/runbook-engine/runbook/providers/schema"
)

func distinctFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The list without repetitions, in order of first appearance.",
		Params:      []function.Parameter{{Name: "list", Type: cty.List(cty.DynamicPseudoType)}},
		Type:        func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(t), nil
			}
			if err := schema.Crowded(args[0].AsValueSlice()); err != nil {
				return cty.UnknownVal(t), function.NewArgError(0, err)
			}
			var kept []cty.Value
			buckets := map[int][]cty.Value{}
			for _, v := range args[0].AsValueSlice() {
				h := v.Hash()
				if !slices.ContainsFunc(buckets[h], v.RawEquals) {
					buckets[h] = append(buckets[h], v)
					kept = append(kept, v)
				}
			}
			if len(kept) == 0 {
				return cty.ListValEmpty(t.ElementType()), nil
			}
			return cty.ListVal(kept), nil
		},
	})
}

func indexFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The position of a value in a list, from 0.",
		Params:      []function.Parameter{anyParam("list"), anyParam("value")},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			list, err := elements(args[0])
			if err != nil {
				return cty.UnknownVal(cty.Number), err
			}
			for i, v := range list {
				eq, err := stdlib.Equal(v, args[1])
				switch {
				case err != nil:
					return cty.UnknownVal(cty.Number), err
				case !eq.IsKnown():
					return cty.UnknownVal(cty.Number), nil
				case eq.True():
					return cty.NumberIntVal(int64(i)), nil
				}
			}
			return cty.UnknownVal(cty.Number), errors.New("the value is not in the list")
		},
	})
}
