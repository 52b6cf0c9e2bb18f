package rehearse

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// value evaluates what is written out, without references.
func (d *decoder) value(attr *hclsyntax.Attribute, name string, want cty.Type) (cty.Value, bool) {
	if refs := runbook.References(attr.Expr); len(refs) > 0 {
		d.add(diag.NotConstant.At(refs[0].Range, "%q is written out, without references.", name))
		return cty.NilVal, false
	}
	v, problem := constant(attr.Expr, want)
	if problem != nil {
		d.add(problem)
		return cty.NilVal, false
	}
	return v, true
}

// references reads [step.a, step.b].
func (d *decoder) references(expr hcl.Expression) []string {
	items, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		d.add(diag.InvalidReference.At(expr.Range(), "A list of steps is needed, such as [step.a, step.b]."))
		return nil
	}
	var all []string
	for _, item := range items {
		if name := d.reference(item); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// reference reads step.a or step.a.goal.b; empty: that is reported.
func (d *decoder) reference(expr hcl.Expression) string {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		d.add(diag.InvalidReference.At(expr.Range(), "A reference is needed, such as step.a, without quotes."))
		return ""
	}
	name := t.RootName()
	for _, part := range t[1:] {
		switch part := part.(type) {
		case hcl.TraverseAttr:
			name += "." + part.Name
		case hcl.TraverseIndex:
			if part.Key.Type() != cty.String {
				d.add(diag.InvalidReference.At(expr.Range(), "The instances of a step have strings for keys: step.a[\"key\"]."))
				return ""
			}
			name += index(part.Key.AsString())
		default:
			d.add(diag.InvalidReference.At(expr.Range(), "A reference such as step.a takes names and keys only."))
			return ""
		}
	}
	return name
}

// step reports an address that cannot be a step's.
func (d *decoder) step(address string, at hcl.Range) bool {
	if d.rb.Has(address) {
		return true
	}
	if d.diags.Full() {
		return false
	}
	var all []string
	for _, p := range d.allPlaces() {
		if strings.HasPrefix(p, "step.") && d.rb.Has(p) {
			all = append(all, p)
		}
	}
	d.add(diag.Suggest(diag.UnknownName.At(at, "There is no %s in %s.", address, d.rb.File), diag.Nearest(address, all)))
	return false
}

// places are all that `at` and blocked_by may name, without the keys of
// instances; under is the step that calls the runbook.
func places(rb *runbook.Runbook, under string) []string {
	var all []string
	if under == "" {
		for _, each := range rb.Tree() {
			for name := range each.Checks {
				all = append(all, "check."+name)
			}
		}
		for _, n := range rb.Notices {
			all = append(all, n.Address())
		}
	}
	for _, s := range rb.Steps {
		all = append(all, acting(s, under+s.Address())...)
		for _, a := range s.Assertions() {
			all = append(all, under+a.Place)
		}
		if s.Call != nil && s.Call.Runbook != nil {
			all = append(all, places(s.Call.Runbook, under+s.Address()+".")...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// acting are the places at which a step acts.
func acting(s *runbook.Step, address string) []string {
	all := []string{address}
	for _, f := range s.Fallbacks {
		all = append(all, plan.FallbackAddress(address, f.Label))
	}
	if s.Rollback != nil {
		all = append(all, plan.RollbackAddress(address))
	}
	return all
}

// acts tells whether a place is one at which something may be done.
func acts(rb *runbook.Runbook, place string) bool {
	return slices.Contains(actingIn(rb, ""), plainly(place))
}

// actingIn are the places at which the steps of a runbook act, those of what it
// calls, without the keys of instances, and at which people are told something.
func actingIn(rb *runbook.Runbook, under string) []string {
	var all []string
	for _, n := range rb.Notices {
		all = append(all, n.Address())
	}
	for _, s := range rb.Steps {
		all = append(all, acting(s, under+s.Address())...)
		if s.Call != nil && s.Call.Runbook != nil {
			all = append(all, actingIn(s.Call.Runbook, under+s.Address()+".")...)
		}
	}
	return all
}

// keys matches what says which instance of a step or check is meant.
var keys = regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`)

// plainly is a place without the keys of instances.
func plainly(place string) string { return keys.ReplaceAllString(place, "") }

// index is the key of an instance as addresses have it.
func index(key string) string {
	return strings.TrimPrefix(address.New("x").Instance(key).String(), "step.x")
}

// allPlaces are those of the runbook.
func (d *decoder) allPlaces() []string {
	if d.places == nil {
		d.places = places(d.rb, "")
	}
	return d.places
}

// place reports a name that is no place's.
func (d *decoder) place(name string, at hcl.Range) {
	if all := d.allPlaces(); !d.diags.Full() && !slices.Contains(all, plainly(name)) {
		d.add(diag.Suggest(diag.UnknownName.At(at, "There is no %s in %s.", name, d.rb.File), diag.Nearest(name, all)))
	}
}

func (d *decoder) word(attr *hclsyntax.Attribute, words []string) string {
	v, ok := d.value(attr, attr.Name, cty.String)
	if !ok {
		return ""
	}
	if !slices.Contains(words, text(v)) {
		p := diag.InvalidArgument.At(attr.Expr.Range(), "%q takes %s, not %q.", attr.Name, strings.Join(words, ", "), text(v))
		d.add(diag.Suggest(p, diag.Nearest(text(v), words)))
	}
	return text(v)
}

// operation finds an operation of the runbook's; nil: that is reported.
func (d *decoder) operation(name string, at hcl.Range) *use {
	if d.operations == nil {
		d.operations = operations(d.rb)
	}
	uses := d.operations
	if d.diags.Full() {
		return nil
	}
	if u := uses[name]; u != nil {
		return u
	}
	p := diag.UnknownOperation.At(at, "The runbook uses no %s.", name)
	d.add(diag.Suggest(p, diag.Nearest(name, slices.Sorted(maps.Keys(uses)))))
	return nil
}

func text(v cty.Value) string {
	if v.IsNull() || !v.IsKnown() {
		return fmt.Sprint(nil)
	}
	return v.AsString()
}

// constant evaluates an expression without references or functions.
func constant(expr hclsyntax.Expression, want cty.Type) (cty.Value, *hcl.Diagnostic) {
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, diag.CannotEvaluate.At(expr.Range(), "%s", diags[0].Detail)
	}
	converted, err := schema.Convert(v, want)
	if err != nil || v.IsNull() {
		return cty.NilVal, diag.WrongType.At(expr.Range(), "A %s is needed here, not a %s.", want.FriendlyNameForConstraint(), v.Type().FriendlyName())
	}
	return converted, nil
}
