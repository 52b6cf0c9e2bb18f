package rehearse

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// said is what stands in a mock: an answer without its result, and the fields of
// that for each of its subjects.
type said struct {
	answer
	fields []map[string]cty.Value
}

func (d *mocker) said(block *hclsyntax.Block, subjects []subject) said {
	a := said{fields: make([]map[string]cty.Value, len(subjects))}
	says := 0
	verdict := func(ok cty.Value) {
		for i := range a.fields {
			a.fields[i] = map[string]cty.Value{"ok": ok, "summary": cty.StringVal("mocked")}
		}
	}
	words := wordsOf(subjects)
	for _, attr := range runbook.SortedAttributes(block.Body) {
		if !slices.Contains(words, attr.Name) {
			continue // reported
		}
		switch attr.Name {
		case "returns":
			says++
			d.returns(attr, subjects, a.fields)
		case "holds":
			says++
			if v, ok := d.value(attr, attr.Name, cty.Bool); ok {
				verdict(v)
			}
		case "status":
			says++
			switch d.word(attr, []string{"holds", "fails", "errors"}) {
			case "fails":
				verdict(cty.False)
			case "errors":
				a.fails = "mocked"
			}
		case "fails":
			says++
			if v, ok := d.value(attr, attr.Name, cty.String); ok {
				a.fails = text(v)
			}
		case "clean":
			if v, ok := d.value(attr, attr.Name, cty.Bool); ok {
				a.clean = v.True()
			}
		case "unknown":
			says++
			if v, ok := d.value(attr, attr.Name, cty.Bool); ok {
				a.unknown = v.True()
			}
		case "takes":
			a.takes = d.duration(attr)
		case "impact":
			a.impact = d.impact(attr, subjects)
		}
	}
	if a.clean && a.fails == "" {
		d.add(diag.Conflict.At(block.DefRange(), "\"clean\" says that a failure changed nothing, and this mock does not fail: write fails = \"code\" too."))
	}
	if says > 1 {
		d.add(diag.Conflict.At(block.DefRange(), "A mock says one of returns, fails, unknown, holds and status."))
	}
	return a
}

// returns reads the fields of a result, each checked against its type in
// whichever of the subjects has it.
func (d *mocker) returns(attr *hclsyntax.Attribute, subjects []subject, into []map[string]cty.Value) {
	written, ok := attr.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		d.add(diag.WrongType.At(attr.Expr.Range(), "\"returns\" takes an object: { field = value }."))
		return
	}
	var names []string
	for i, s := range subjects {
		into[i] = map[string]cty.Value{}
		for _, a := range s.result.Attributes {
			if !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	for _, item := range written.Items {
		key, diags := item.KeyExpr.Value(nil)
		if diags.HasErrors() || key.Type() != cty.String || key.IsNull() || !key.IsKnown() {
			d.add(diag.InvalidArgument.At(item.KeyExpr.Range(), "The name of a field is written out."))
			continue
		}
		name := key.AsString()
		if !slices.Contains(names, name) {
			p := diag.UnknownName.At(item.KeyExpr.Range(), "The result has no %q; it has %s.", name, strings.Join(names, ", "))
			d.add(diag.Suggest(p, diag.Nearest(name, names)))
			continue
		}
		for i, s := range subjects {
			field := s.result.Attribute(name)
			if field == nil {
				continue
			}
			if !d.known(item.ValueExpr, field.Type) {
				break
			}
			v, found := d.scope.Value(d.ctx, item.ValueExpr, partial(field.Type), eval.Extra{})
			if d.diags.Add(found...); found.HasErrors() {
				break // it is of the same type in all, or reported once
			}
			into[i][name] = v
		}
	}
}

// known reports names of attributes that no object of this type has, where they
// are written out: a conversion would just leave them out.
func (d *mocker) known(expr hclsyntax.Expression, t cty.Type) bool {
	ok := true
	switch expr := expr.(type) {
	case *hclsyntax.TupleConsExpr:
		if t.IsListType() || t.IsSetType() {
			for _, element := range expr.Exprs {
				ok = d.known(element, t.ElementType()) && ok
			}
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range expr.Items {
			key, diags := item.KeyExpr.Value(nil)
			switch {
			case t.IsMapType():
				ok = d.known(item.ValueExpr, t.ElementType()) && ok
			case !t.IsObjectType() || diags.HasErrors() || key.Type() != cty.String || key.IsNull() || !key.IsKnown():
			case t.HasAttribute(key.AsString()):
				ok = d.known(item.ValueExpr, t.AttributeType(key.AsString())) && ok
			default:
				name, names := key.AsString(), slices.Sorted(maps.Keys(t.AttributeTypes()))
				p := diag.UnknownName.At(item.KeyExpr.Range(), "There is no %q here; there is %s.", name, strings.Join(names, ", "))
				d.add(diag.Suggest(p, diag.Nearest(name, names)))
				ok = false
			}
		}
	}
	return ok
}

// partial is a type in which every attribute of every object may be left out: it
// is null then, as are the fields of a result that a mock does not tell.
func partial(t cty.Type) cty.Type {
	switch {
	case t.IsListType():
		return cty.List(partial(t.ElementType()))
	case t.IsSetType():
		return cty.Set(partial(t.ElementType()))
	case t.IsMapType():
		return cty.Map(partial(t.ElementType()))
	case t.IsObjectType():
		attributes := map[string]cty.Type{}
		for name, of := range t.AttributeTypes() {
			attributes[name] = partial(of)
		}
		return cty.ObjectWithOptionalAttrs(attributes, slices.Sorted(maps.Keys(attributes)))
	}
	return t
}

func (d *mocker) duration(attr *hclsyntax.Attribute) time.Duration {
	v, ok := d.value(attr, attr.Name, cty.String)
	if !ok {
		return 0
	}
	took, err := time.ParseDuration(text(v))
	if err != nil || took < 0 {
		d.add(diag.InvalidArgument.At(attr.Expr.Range(), "%q takes a duration such as \"90s\", \"5m\" or \"1h30m\".", attr.Name))
		return 0
	}
	return took
}

func (d *mocker) impact(attr *hclsyntax.Attribute, subjects []subject) schema.Impact {
	v, ok := d.value(attr, attr.Name, cty.Map(cty.Number))
	if !ok {
		return nil
	}
	var counts []string
	for _, s := range subjects {
		counts = append(counts, s.counts...)
	}
	impact := schema.Impact{}
	for _, unit := range slices.Sorted(maps.Keys(v.AsValueMap())) {
		n := v.AsValueMap()[unit]
		if n.IsNull() {
			continue
		}
		impact[unit], _ = n.AsBigFloat().Int64()
		switch {
		case len(counts) == 0:
			d.add(diag.InvalidArgument.At(attr.Expr.Range(), "The action's preview counts nothing."))
		case !slices.Contains(counts, unit):
			p := diag.InvalidArgument.At(attr.Expr.Range(), "The action's preview does not count %q; it counts %s.", unit, strings.Join(counts, ", "))
			d.add(diag.Suggest(p, diag.Nearest(unit, counts)))
		}
	}
	return impact
}

func emptyBody() hcl.Body { return &hclsyntax.Body{Attributes: hclsyntax.Attributes{}} }
