package eval

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/runbook-engine/runbook/providers/schema"
)

// anyParam is a parameter of any type.
func anyParam(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType}
}

// elements lists what a list, set or tuple holds.
func elements(v cty.Value) ([]cty.Value, error) {
	t := v.Type()
	if !t.IsListType() && !t.IsSetType() && !t.IsTupleType() {
		return nil, function.NewArgErrorf(0, "a list is needed, not a %s", t.FriendlyName())
	}
	return v.AsValueSlice(), nil
}

func sumFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The sum of the numbers of a list; 0 for none.",
		Params:      []function.Parameter{anyParam("list")},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			list, err := elements(args[0])
			if err != nil {
				return cty.UnknownVal(cty.Number), err
			}
			total := cty.Zero
			for _, v := range list {
				n, err := convert.Convert(v, cty.Number)
				if err != nil || n.IsNull() {
					return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "every element must be a number")
				}
				total = total.Add(n)
			}
			return total, nil
		},
	})
}

// truthFunc is alltrue, whose answer for no elements is true, or anytrue.
func truthFunc(doc string, all bool) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{anyParam("list")},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			list, err := elements(args[0])
			if err != nil {
				return cty.UnknownVal(cty.Bool), err
			}
			unknown := false
			for _, v := range list {
				b, err := convert.Convert(v, cty.Bool)
				switch {
				case err != nil:
					return cty.UnknownVal(cty.Bool), function.NewArgErrorf(0, "every element must be true or false")
				case !b.IsKnown():
					unknown = true
				case b.IsNull():
					return cty.UnknownVal(cty.Bool), function.NewArgErrorf(0, "an element is null, which is neither true nor false")
				case b.True() != all:
					return cty.BoolVal(!all), nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(all), nil
		},
	})
}

func coalesceFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The first argument that is neither null nor an empty string.",
		VarParam:    &function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := fewBound(args); err != nil {
				return cty.NilType, err
			}
			types := make([]cty.Type, len(args))
			for i, v := range args {
				types[i] = v.Type()
			}
			if len(types) == 0 {
				return cty.NilType, errors.New("at least one argument is needed")
			}
			t, _ := convert.UnifyUnsafe(types)
			if t == cty.NilType {
				return cty.NilType, errors.New("all arguments must have the same type")
			}
			return t, nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			for _, v := range args {
				v, err := convert.Convert(v, t)
				switch {
				case err != nil:
					return cty.UnknownVal(t), err
				case !v.IsKnown():
					return cty.UnknownVal(t), nil
				case v.IsNull(), t == cty.String && v.AsString() == "":
					continue
				}
				return v, nil
			}
			return cty.UnknownVal(t), errors.New("every argument is null or empty")
		},
	})
}

func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Description: "How many elements a collection, or characters a string, has.",
		Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t == cty.String || t == cty.DynamicPseudoType || t.IsCollectionType() || t.IsTupleType() || t.IsObjectType() {
				return cty.Number, nil
			}
			return cty.NilType, function.NewArgErrorf(0, "a string, list, map or object is needed, not a %s", t.FriendlyName())
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v := args[0]
			switch t := v.Type(); {
			case t == cty.DynamicPseudoType:
				return cty.UnknownVal(cty.Number), nil
			case t == cty.String:
				return stdlib.Strlen(v)
			case t.IsObjectType():
				return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
			}
			return v.Length(), nil
		},
	})
}

func lookupFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The element of a map or object under a key, or the default where there is none.",
		Params:      []function.Parameter{anyParam("map"), {Name: "key", Type: cty.String}},
		VarParam:    &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
		Type:        function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			m, key := args[0], args[1].AsString()
			t := m.Type()
			switch {
			case len(args) > 3:
				return cty.DynamicVal, errors.New("there is one default")
			case t.IsObjectType() && t.HasAttribute(key):
				return m.GetAttr(key), nil
			case t.IsMapType() && m.HasIndex(args[1]).True():
				return m.Index(args[1]), nil
			case !t.IsObjectType() && !t.IsMapType():
				return cty.DynamicVal, function.NewArgErrorf(0, "a map or object is needed, not a %s", t.FriendlyName())
			case len(args) == 3:
				return args[2], nil
			}
			return cty.DynamicVal, function.NewArgErrorf(1, "there is no element %q and no default", key)
		},
	})
}

func matchkeysFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The elements of the first list whose counterpart in the second is in the third.",
		Params:      []function.Parameter{anyParam("values"), anyParam("keys"), anyParam("searched")},
		Type:        function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var lists [3][]cty.Value
			for i, a := range args {
				if !a.IsWhollyKnown() {
					return cty.DynamicVal, nil
				}
				var err error
				if lists[i], err = elements(a); err != nil {
					return cty.DynamicVal, function.NewArgErrorf(i, "a list is needed, not a %s", a.Type().FriendlyName())
				}
			}
			if len(lists[0]) != len(lists[1]) {
				return cty.DynamicVal, errors.New("values and keys must be equally long")
			}
			if err := schema.Crowded(lists[2]); err != nil {
				return cty.DynamicVal, function.NewArgError(2, err)
			}
			wanted := map[int][]cty.Value{}
			for _, v := range lists[2] {
				wanted[v.Hash()] = append(wanted[v.Hash()], v)
			}
			kept := []cty.Value{}
			for i, k := range lists[1] {
				if slices.ContainsFunc(wanted[k.Hash()], k.RawEquals) {
					kept = append(kept, lists[0][i])
				}
			}
			return cty.TupleVal(kept), nil
		},
	})
}

func oneFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The only element of a list, or null where it is empty.",
		Params:      []function.Parameter{anyParam("list")},
		Type:        function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			list, err := elements(args[0])
			switch {
			case err != nil:
				return cty.DynamicVal, err
			case len(list) == 0:
				return cty.NullVal(cty.DynamicPseudoType), nil
			case len(list) == 1:
				return list[0], nil
			}
			return cty.DynamicVal, fmt.Errorf("the list has %d elements, not one or none", len(list))
		},
	})
}

// setproductFunc refuses a product that is too large before it is made.
func setproductFunc() function.Function {
	return function.New(&function.Spec{
		Description: "Every combination of one element of each list or set.",
		VarParam:    &function.Parameter{Name: "sets", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true},
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := fewBound(args); err != nil {
				return cty.NilType, err
			}
			product := 1
			for _, a := range args {
				if a.IsKnown() && a.CanIterateElements() {
					if product *= a.LengthInt(); product > maxElements {
						return cty.NilType, fmt.Errorf("the product has more than %d elements", maxElements)
					}
				}
			}
			return stdlib.SetProductFunc.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return stdlib.SetProduct(args...) },
	})
}

func transposeFunc() function.Function {
	return function.New(&function.Spec{
		Description: "A map of lists of strings turned round: from each string to the keys under which it was.",
		Params:      []function.Parameter{{Name: "map", Type: cty.Map(cty.List(cty.String))}},
		Type:        function.StaticReturnType(cty.Map(cty.List(cty.String))),
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(t), nil
			}
			turned := map[string][]cty.Value{}
			for key, list := range args[0].Elements() { // in order of the keys
				if list.IsNull() {
					continue
				}
				for _, v := range list.AsValueSlice() {
					if !v.IsNull() {
						turned[v.AsString()] = append(turned[v.AsString()], key)
					}
				}
			}
			if len(turned) == 0 {
				return cty.MapValEmpty(cty.List(cty.String)), nil
			}
			lists := make(map[string]cty.Value, len(turned))
			for k, v := range turned {
				lists[k] = cty.ListVal(v)
			}
			return cty.MapVal(lists), nil
		},
	})
}
