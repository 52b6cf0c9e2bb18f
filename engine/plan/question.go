package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// question is what an assertion asks in the end: the check's own body, with what
// is set on the way overriding it; and what is in scope for each part, which is
// that of whoever wrote it.
type question struct {
	runbook.Assertion
	probe, assert, message eval.Extra
	writer                 eval.Extra // of check = or checks =, the last on the way
}

// follow is what an assertion asks with regard to its times only.
func (o *Observer) follow(a *runbook.Assertion) *runbook.Assertion {
	for !a.All && len(a.Checks) == 1 {
		check := o.Frame.Runbook.Checks[a.Checks[0].Name]
		if check == nil {
			return a
		}
		merged := Merge(check, a)
		a = &merged
	}
	return a
}

// Merge is a check as an assertion looks with it: what the assertion sets itself
// overrides the check's own.
func Merge(check *runbook.Check, a *runbook.Assertion) runbook.Assertion {
	merged := check.Assertion
	merged.Kind, merged.Name, merged.Otherwise, merged.Range = a.Kind, a.Name, a.Otherwise, a.Range
	if a.Assert != nil {
		merged.Assert = a.Assert
	}
	if a.Message != nil {
		merged.Message = a.Message
	}
	merged.Within = cmp.Or(a.Within, merged.Within)
	merged.Every = cmp.Or(a.Every, merged.Every)
	merged.Timeout = cmp.Or(a.Timeout, merged.Timeout)
	merged.HoldFor = cmp.Or(a.HoldFor, merged.HoldFor)
	merged.Tolerate = cmp.Or(a.Tolerate, merged.Tolerate)
	return merged
}

// ask follows check = to what is asked in the end; the context names the place
// and the checks on the way. Load has refused cycles.
func (o *Observer) ask(ctx context.Context, a *runbook.Assertion, x eval.Extra) (context.Context, question, error) {
	if a.Place != "" && len(Places(ctx)) == 0 {
		ctx = At(ctx, o.Frame.Under(placed(a.Place, x)))
		if a.Kind == "check" && o.Frame.Address != "" {
			ctx = At(ctx, a.Place) // by its name in whichever runbook
		}
	}
	q := question{Assertion: *a, probe: x, assert: x, message: x, writer: x}
	for !q.All && len(q.Checks) == 1 {
		use := q.Checks[0]
		check := o.Frame.Runbook.Checks[use.Name]
		if check == nil {
			return ctx, q, fmt.Errorf("there is no check.%s", use.Name)
		}
		own, key, err := o.instance(ctx, use, q.writer)
		if err != nil {
			return ctx, q, err
		}
		ctx = At(ctx, check.Place)
		if key != "" {
			ctx = At(ctx, key)
		}
		if q.Assert == nil {
			q.assert = own
		}
		if q.Message == nil {
			q.message = own
		}
		q.probe, q.writer = own, own
		q.Assertion = Merge(check, &q.Assertion)
	}
	return ctx, q, nil
}

// placed is the place of an assertion of a step's instance: step.x["k"].goal.g.
func placed(place string, x eval.Extra) string {
	rest, ofStep := strings.CutPrefix(place, "step.")
	if !ofStep || x.EachKey == cty.NilVal || !x.EachKey.IsKnown() {
		return place
	}
	name, rest, _ := strings.Cut(rest, ".")
	return address.New(name).Instance(x.EachKey.AsString()).String() + "." + rest
}

// instance is what a check's own parts see, and its address where it is one of
// several.
func (o *Observer) instance(ctx context.Context, use runbook.CheckUse, writer eval.Extra) (eval.Extra, string, error) {
	check := o.Frame.Runbook.Checks[use.Name]
	if check.ForEach == nil {
		return eval.Extra{}, "", nil
	}
	key, err := o.key(ctx, use, writer)
	if err != nil {
		return eval.Extra{}, "", err
	}
	instances := o.Frame.Checks[use.Name]
	i := slices.IndexFunc(instances, func(i eval.Instance) bool { return i.Key == key })
	if i < 0 {
		var keys []string
		for _, i := range instances {
			keys = append(keys, i.Key)
		}
		return eval.Extra{}, "", fmt.Errorf("check.%s has no %q; it has %s", use.Name, key, strings.Join(keys, ", "))
	}
	return instances[i].Extra(), checkAddress(use.Name, key), nil
}

func (o *Observer) key(ctx context.Context, use runbook.CheckUse, writer eval.Extra) (string, error) {
	if use.Key == nil {
		return "", fmt.Errorf("check.%s has a for_each, and no key says which one is meant", use.Name)
	}
	v, diags := o.Scope.Value(ctx, use.Key, cty.String, writer)
	switch {
	case diags.HasErrors():
		return "", errors.New("the key of check." + use.Name + " cannot be evaluated: " + Explain(diags))
	case v.IsMarked():
		return "", errors.New("the key of check." + use.Name + " is sensitive")
	case !v.IsKnown() || v.IsNull():
		return "", errors.New("the key of check." + use.Name + " is not known")
	}
	return v.AsString(), nil
}

// checkAddress is check.x["k"].
func checkAddress(name, key string) string { return "check." + instanceName(name, key) }

// instanceName is how an instance of a check is named among checks: x["k"].
func instanceName(name, key string) string {
	return strings.TrimPrefix(address.New(name).Instance(key).String(), "step.")
}

// every lists checks, each that has a for_each once for each of its instances.
func (o *Observer) every(uses []runbook.CheckUse) []runbook.CheckUse {
	all := make([]runbook.CheckUse, 0, len(uses))
	for _, use := range uses {
		check := o.Frame.Runbook.Checks[use.Name]
		if use.Key != nil || check == nil || check.ForEach == nil {
			all = append(all, use)
			continue
		}
		for _, i := range o.Frame.Checks[use.Name] {
			all = append(all, instanceOf(use.Name, i))
		}
	}
	return all
}

// instanceOf is one instance of a check, as if somebody had written its key.
func instanceOf(name string, i eval.Instance) runbook.CheckUse {
	return runbook.CheckUse{Name: name, Key: &hclsyntax.LiteralValueExpr{Val: cty.StringVal(i.Key)}}
}

// named is a check as people read it.
func (o *Observer) named(ctx context.Context, use runbook.CheckUse, writer eval.Extra) string {
	if use.Key != nil {
		if key, err := o.key(ctx, use, writer); err == nil {
			return checkAddress(use.Name, key)
		}
	}
	return "check." + use.Name
}
