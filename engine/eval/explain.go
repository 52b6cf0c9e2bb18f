package eval

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/redact"
)

// explain says of references that lead nowhere how far they lead: which part is
// null, which list has no such element, which object no such attribute. In
// place of hcl's words, which name neither.
func explain(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.EvalContext == nil || d.Expression == nil {
			continue
		}
		t, problems := hcl.AbsTraversalForExpr(d.Expression)
		if problems.HasErrors() || len(t) < 2 {
			continue
		}
		if detail, near := missing(t, d.EvalContext); detail != "" {
			d.Detail = detail
			if near != "" {
				d.Extra = nil
				diag.Adopt(diag.CannotEvaluate, hcl.Diagnostics{d})
				diag.Suggest(d, near)
			}
		}
	}
	return diags
}

// missing finds the first part of a reference that is not there. The detail is
// empty where hcl's own words say it as well.
func missing(t hcl.Traversal, hctx *hcl.EvalContext) (detail, near string) {
	at, diags := t[:1].TraverseAbs(hctx)
	if diags.HasErrors() {
		return "", ""
	}
	for i, step := range t[1:] {
		next, diags := step.TraversalStep(at)
		if !diags.HasErrors() {
			at = next
			continue
		}
		where := spelled(t[:i+1])
		hidden := redact.IsSensitive(at)
		plain, _ := at.Unmark()
		if plain.IsNull() {
			return fmt.Sprintf("%s is null, so there is no %s.", where, spelled(t[:i+2])), ""
		}
		switch step := step.(type) {
		case hcl.TraverseIndex:
			if plain.Type().IsObjectType() || plain.Type().IsMapType() {
				return noAttribute(where, str(step.Key), plain, hidden)
			}
			if hidden || !plain.CanIterateElements() {
				return "", ""
			}
			if n := plain.LengthInt(); n == 0 {
				return fmt.Sprintf("%s is empty, so there is no %s.", where, spelled(t[:i+2])), ""
			} else if n == 1 {
				return fmt.Sprintf("%s has one element, so there is no %s; the first is [0].", where, spelled(t[:i+2])), ""
			} else {
				return fmt.Sprintf("%s has %d elements, so there is no %s; the first is [0].", where, n, spelled(t[:i+2])), ""
			}
		case hcl.TraverseAttr:
			return noAttribute(where, step.Name, plain, hidden)
		}
		return "", ""
	}
	return "", ""
}

func noAttribute(where, name string, v cty.Value, hidden bool) (detail, near string) {
	var names []string
	switch {
	case hidden:
	case v.Type().IsObjectType():
		names = slices.Sorted(maps.Keys(v.Type().AttributeTypes()))
	case v.Type().IsMapType():
		names = slices.Sorted(maps.Keys(v.AsValueMap()))
	default:
		return fmt.Sprintf("%s is a %s, which has no attribute %q.", where, v.Type().FriendlyName(), name), ""
	}
	detail = fmt.Sprintf("%s has no %q", where, name)
	if len(names) > 0 && len(names) <= 20 {
		detail += "; it has " + strings.Join(names, ", ")
	}
	return detail + ".", diag.Nearest(name, names)
}

// spelled is a reference as its author writes it: result.rows[0].age.
func spelled(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + redact.Display(step.Key) + "]")
		default:
			b.WriteString("[*]")
		}
	}
	return b.String()
}
