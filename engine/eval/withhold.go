package eval

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/redact"
)

// withhold takes secrets out of the words of diagnostics: hcl quotes keys and
// attribute names, and those can be computed from a sensitive value.
func withhold(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.Expression == nil || d.EvalContext == nil {
			continue
		}
		for _, t := range d.Expression.Variables() {
			v, problems := t.TraverseAbs(d.EvalContext)
			if problems.HasErrors() || !redact.IsSensitive(v) {
				continue
			}
			for _, secret := range leaves(v) {
				d.Summary = strings.ReplaceAll(d.Summary, secret, redact.Text)
				d.Detail = strings.ReplaceAll(d.Detail, secret, redact.Text)
				q := strconv.Quote(secret)
				d.Detail = strings.ReplaceAll(d.Detail, q[1:len(q)-1], redact.Text)
			}
		}
	}
	return diags
}

// leaves lists the strings inside a value.
func leaves(v cty.Value) []string {
	var found []string
	plain, _ := v.UnmarkDeep()
	_ = cty.Walk(plain, func(_ cty.Path, v cty.Value) (bool, error) { // the callback returns no error
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() && v.AsString() != "" {
			found = append(found, v.AsString())
		}
		return true, nil
	})
	return found
}
