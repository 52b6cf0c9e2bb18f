package eval

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Body evaluates the arguments of a probe, action or provider as its schema
// says: each converted to its type, optional ones that are not given null, what
// is not known yet unknown, and sensitive ones marked. All mistakes are
// reported; an argument that has one is unknown.
func (s *Scope) Body(ctx context.Context, body hcl.Body, obj schema.Object, x Extra) (cty.Value, hcl.Diagnostics) {
	attrs, diags := body.JustAttributes()
	e := s.evaluation(ctx, x)
	values := make(map[string]cty.Value, len(obj.Attributes))
	for i := range obj.Attributes {
		a := &obj.Attributes[i]
		given, ok := attrs[a.Name]
		if !ok {
			values[a.Name] = cty.NullVal(a.Type.WithoutOptionalAttributesDeep())
			if a.Required {
				diags = append(diags, diag.MissingArgument.At(body.MissingItemRange(), "The argument %q is required: %s", a.Name, a.Doc))
			}
			continue
		}
		v, d := e.value(given.Expr, a.Type)
		diags = append(diags, d...)
		if known, _ := v.Unmark(); a.Required && !d.HasErrors() && known.IsKnown() && known.IsNull() {
			n := diag.InvalidArgument.At(given.Expr.Range(), "The argument %q is required, and its value is null.", a.Name)
			n.Expression = given.Expr
			n.EvalContext, _ = e.context(e.compile(given.Expr))
			diags = append(diags, n)
		}
		if a.Sensitive {
			v = redact.Mark(v)
		}
		values[a.Name] = v
	}
	for name, attr := range attrs {
		if obj.Attribute(name) == nil {
			diags = append(diags, diag.UnknownArgument.At(attr.NameRange, "There is no argument %q.", name))
		}
	}
	return cty.ObjectVal(values), diags
}
