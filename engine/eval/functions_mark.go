package eval

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/runbook-engine/runbook/engine/redact"
)

func sensitiveFunc() function.Function {
	return markFunc("The value, never shown from here on.", redact.Mark)
}

func nonsensitiveFunc() function.Function {
	return markFunc("The value, shown like any other from here on.", func(v cty.Value) cty.Value {
		plain, paths := v.UnmarkDeepWithPaths()
		kept := paths[:0]
		for _, p := range paths {
			delete(p.Marks, redact.Sensitive)
			if len(p.Marks) > 0 {
				kept = append(kept, p)
			}
		}
		return plain.MarkWithPaths(kept)
	})
}

// markFunc is a function that changes nothing of a value but its marks.
func markFunc(doc string, impl func(cty.Value) cty.Value) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType,
			AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return impl(args[0]), nil },
	})
}
