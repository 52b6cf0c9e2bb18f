package runbook

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// limit checks that a limit bounds what an action counts.
func (v *validator) limit(limit hcl.Expression, op *Operation, action *schema.OperationSchema) {
	at := limit.Range()
	if len(action.Counts) == 0 {
		v.add(diag.InvalidLimit.At(at, "%s counts nothing, so a limit cannot bound it.", op.Type()))
		return
	}
	pairs, diags := hcl.ExprMap(limit)
	if diags.HasErrors() {
		if _, found := notConstant(limit.(hclsyntax.Expression)); !found {
			v.add(diag.InvalidLimit.At(at, "A limit is an object, such as { %s = 100 }.", action.Counts[0]))
		}
		return
	}
	for _, pair := range pairs {
		key, diags := pair.Key.Value(nil)
		if diags.HasErrors() || key.Type() != cty.String || key.IsNull() {
			continue
		}
		if unit := key.AsString(); !slices.Contains(action.Counts, unit) {
			d := diag.InvalidLimit.At(pair.Key.Range(), "%s does not count %q; it counts %s.", op.Type(), unit, list(action.Counts, "and"))
			v.add(diag.Suggest(d, diag.Nearest(unit, action.Counts)))
		}
		value, ok := pair.Value.(hclsyntax.Expression)
		if _, found := notConstant(value); !ok || found {
			continue
		}
		n, diags := value.Value(nil)
		if !diags.HasErrors() {
			n, diags = number(n, value.Range())
		}
		v.diags.Add(diags...)
		if !diags.HasErrors() && (n.IsNull() || n.AsBigFloat().Sign() < 0 || !n.AsBigFloat().IsInt()) {
			v.add(diag.InvalidLimit.At(value.Range(), "A limit is a whole number, 0 or more."))
		}
	}
}

func number(v cty.Value, at hcl.Range) (cty.Value, hcl.Diagnostics) {
	n, err := convertConstant(v, cty.Number)
	if err != nil {
		return n, hcl.Diagnostics{diag.InvalidLimit.At(at, "A limit is a whole number, not a %s.", v.Type().FriendlyName())}
	}
	return n, nil
}
