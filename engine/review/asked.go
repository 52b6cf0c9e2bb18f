package review

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// always tells what a condition answers whatever is given and observed.
func (r *reading) always(condition hcl.Expression) eval.Truth {
	truth, _ := r.blank.Condition(r.ctx, condition, unsettled()) // one that errs is never sure
	return truth
}

// argument is what is written for one argument of an operation, or nil.
func argument(op *runbook.Operation, name string) hclsyntax.Expression {
	body, ok := op.Body.(*hclsyntax.Body)
	if !ok || body.Attributes[name] == nil {
		return nil
	}
	return body.Attributes[name].Expr
}

// resolve is an assertion as it is asked: the probe and the condition of the check
// that it names, as far as it has none of its own.
func (r *reading) resolve(a *runbook.Assertion) runbook.Assertion {
	asked := *a
	for range len(r.rb.Checks) + 1 {
		if asked.All || len(asked.Checks) != 1 || r.rb.Checks[asked.Checks[0].Name] == nil {
			return asked
		}
		check := r.rb.Checks[asked.Checks[0].Name].Assertion
		if asked.Assert != nil {
			check.Assert = asked.Assert
		}
		check.Kind, check.Name, check.Place, check.Range = asked.Kind, asked.Name, asked.Place, asked.Range
		asked = check
	}
	return asked
}

// operation is a probe or an action, and the step or check that it belongs to.
type operation struct {
	*runbook.Operation
	kind schema.Kind
}

// operations lists every probe and action, those of checks last.
func (r *reading) operations() []operation {
	var all []operation
	look := func(op *runbook.Operation) {
		if op != nil {
			all = append(all, operation{op, schema.Probe})
		}
	}
	for _, step := range r.rb.Steps {
		for _, op := range step.Actions() {
			all = append(all, operation{op, schema.Action})
		}
		look(step.Probe)
		for _, a := range step.Assertions() {
			look(a.Probe)
		}
	}
	for _, name := range sorted(r.rb.Checks) {
		look(r.rb.Checks[name].Probe)
	}
	return all
}

// references are those of an expression, and of the locals that it uses.
func (r *reading) references(expr hcl.Expression) []runbook.Reference {
	var all []runbook.Reference
	seen := map[string]bool{}
	pending := runbook.References(expr)
	for len(pending) > 0 {
		ref := pending[0]
		pending = pending[1:]
		local := r.rb.Locals[ref.Name]
		if ref.Root != "local" || local == nil {
			all = append(all, ref)
			continue
		}
		if !seen[ref.Name] {
			seen[ref.Name] = true
			pending = append(pending, local.References...)
		}
	}
	return all
}

// reads tells whether an expression uses one of these roots.
func (r *reading) reads(expr hcl.Expression, roots ...string) bool {
	return slices.ContainsFunc(r.references(expr), func(ref runbook.Reference) bool { return slices.Contains(roots, ref.Root) })
}

// text is what an expression is written as, blanks and line breaks left out.
func (r *reading) text(expr hcl.Expression) string {
	at := expr.Range()
	source := r.rb.Sources[at.Filename]
	if at.End.Byte > len(source) || at.Start.Byte > at.End.Byte {
		return ""
	}
	return strings.Join(strings.Fields(string(source[at.Start.Byte:at.End.Byte])), " ")
}

// question is what an assertion asks, in words that two assertions share only
// where they ask the same.
func (r *reading) question(a *runbook.Assertion) string {
	asked := r.resolve(a)
	var words []string
	if asked.Probe != nil {
		words = append(words, asked.Probe.Type(), asked.Probe.Ref)
		if body, ok := asked.Probe.Body.(*hclsyntax.Body); ok {
			for _, name := range sorted(body.Attributes) {
				words = append(words, name+" = "+r.text(body.Attributes[name].Expr))
			}
		}
	}
	for _, use := range asked.Checks {
		words = append(words, "check."+use.Name)
		if use.Key != nil {
			words = append(words, r.text(use.Key))
		}
	}
	assert := "result.ok"
	if asked.Assert != nil {
		assert = r.text(asked.Assert)
	}
	return strings.Join(append(words, assert), "\n")
}

// known is the value of an expression whatever is given; ok is false where that
// differs, or the value is null.
func (r *reading) known(expr hcl.Expression, want cty.Type) (v cty.Value, ok bool) {
	v, diags := r.blank.Value(r.ctx, expr, want, unsettled())
	v, _ = v.UnmarkDeep()
	return v, !diags.HasErrors() && v.IsWhollyKnown() && !v.IsNull()
}

// proofs are the assertions that a step's action has to bring about.
func proofs(step *runbook.Step) []*runbook.Assertion {
	all := slices.Concat(step.Goals, step.Verifies)
	if step.Rollback != nil {
		all = append(all, step.Rollback.Verifies...)
	}
	return all
}
