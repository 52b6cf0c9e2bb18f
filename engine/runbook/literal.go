package runbook

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// constant evaluates an expression that is written out: literals, lists and
// objects of them, and their arithmetic. Nothing else is evaluated at load, so
// that loading takes no longer than reading.
func (l *loader) constant(what string, expr hclsyntax.Expression) (cty.Value, bool) {
	if at, ok := notConstant(expr); ok {
		l.add(diag.NotConstant.At(at, "%s is read before anything is evaluated: write the value out, without references, function calls or for expressions.", what))
		return cty.NilVal, false
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		l.diags.Add(diag.Adopt(diag.InvalidArgument, diags)...)
		return cty.NilVal, false
	}
	return v, true
}

// notConstant finds the first part of an expression or body that cannot be
// evaluated without a scope, or in bounded time.
func notConstant(node hclsyntax.Node) (at hcl.Range, found bool) {
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if found {
			return nil
		}
		switch n.(type) {
		case *hclsyntax.ScopeTraversalExpr, *hclsyntax.FunctionCallExpr, *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
			at, found = n.Range(), true
		}
		return nil
	})
	return at, found
}

// value evaluates a constant argument as the wanted type; ok is false where the
// argument is not there or not right.
func (l *loader) value(body *hclsyntax.Body, name string, want cty.Type) (v cty.Value, at hcl.Range, ok bool) {
	attr := body.Attributes[name]
	if attr == nil {
		return cty.NilVal, hcl.Range{}, false
	}
	at = attr.Expr.Range()
	v, ok = l.constant(strconv.Quote(name), attr.Expr)
	if !ok {
		return cty.NilVal, at, false
	}
	if v.IsNull() {
		l.add(diag.InvalidArgument.At(at, "%q is null. Leave it out instead.", name))
		return cty.NilVal, at, false
	}
	converted, err := convertConstant(v, want)
	if err != nil {
		l.add(diag.WrongType.At(at, "%q takes a %s, not a %s.", name, want.FriendlyName(), v.Type().FriendlyName()))
		return cty.NilVal, at, false
	}
	return converted, at, true
}

// convertConstant converts a constant and refuses what would take long: a
// number with thousands of digits, as text or to be written as text.
func convertConstant(v cty.Value, want cty.Type) (cty.Value, error) {
	err := cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		switch {
		case !v.IsKnown() || v.IsNull():
		case v.Type() == cty.String && want == cty.Number && len(v.AsString()) > maxDigits:
			return false, fmt.Errorf("a number has at most %d digits", maxDigits)
		case v.Type() == cty.Number:
			if exponent := v.AsBigFloat().MantExp(nil); v.AsBigFloat().IsInf() || exponent > maxDigits || exponent < -maxDigits {
				return false, errors.New("the number is too large or too close to zero")
			}
		}
		return true, nil
	})
	if err != nil {
		return cty.NilVal, err
	}
	return schema.Convert(v, want)
}

const maxDigits = 4096

func (l *loader) text(body *hclsyntax.Body, name string) string {
	v, _, ok := l.value(body, name, cty.String)
	if !ok {
		return ""
	}
	return v.AsString()
}

func (l *loader) boolean(body *hclsyntax.Body, name string, unsaid bool) bool {
	v, _, ok := l.value(body, name, cty.Bool)
	if !ok {
		return unsaid
	}
	return v.True()
}

// number reads an argument that lies within bounds. "tolerate", "attempts" and
// "max_parallel" count something: they are whole.
func (l *loader) number(body *hclsyntax.Body, name string, least, most float64) (n float64, at hcl.Range, ok bool) {
	v, at, ok := l.value(body, name, cty.Number)
	if !ok {
		return 0, at, false
	}
	n, _ = v.AsBigFloat().Float64()
	whole := !slices.Contains([]string{"tolerate", "attempts", "max_parallel"}, name) || v.AsBigFloat().IsInt()
	if n < least || n > most || !whole {
		l.add(diag.InvalidArgument.At(at, "%q takes a number from %v to %v%s.", name, least, most, map[bool]string{true: "", false: ", without a fraction"}[whole]))
		return 0, at, false
	}
	return n, at, true
}

// duration reads an argument such as "90s"; nil where it is not said or not
// right.
func (l *loader) duration(body *hclsyntax.Body, name string, zero bool) *time.Duration {
	v, at, ok := l.value(body, name, cty.String)
	if !ok {
		return nil
	}
	d, err := time.ParseDuration(v.AsString())
	switch {
	case err != nil:
		l.add(diag.InvalidArgument.At(at, "%q takes a duration such as \"90s\", \"5m\" or \"1h30m\", not %q.", name, v.AsString()))
		return nil
	case d < 0, d == 0 && !zero:
		l.add(diag.InvalidArgument.At(at, "%q must be longer than zero.", name))
		return nil
	}
	return &d
}

// choice reads an argument that takes one of a few words.
func (l *loader) choice(body *hclsyntax.Body, arg Argument) string {
	v, at, ok := l.value(body, arg.Name, cty.String)
	if !ok {
		return ""
	}
	said := v.AsString()
	if slices.Contains(arg.Choices, said) {
		return said
	}
	d := diag.InvalidArgument.At(at, "%q takes %s, not %q.", arg.Name, list(quoted(arg.Choices), "or"), said)
	l.add(diag.Suggest(d, diag.Nearest(said, arg.Choices)))
	return ""
}

func quoted(words []string) []string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = strconv.Quote(w)
	}
	return q
}
