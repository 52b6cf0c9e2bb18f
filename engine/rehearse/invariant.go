package rehearse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Invariant is an `invariant` block: what must be so at the end of every run,
// whatever went wrong in it.
type Invariant struct {
	Name    string
	Assert  hcl.Expression
	Message hcl.Expression // nil: what the assert looked at
	Range   hcl.Range
}

func (d *decoder) invariant(block *hclsyntax.Block) *Invariant {
	inv := &Invariant{Range: block.DefRange()}
	if len(block.Labels) == 1 {
		inv.Name = block.Labels[0]
	} else {
		d.add(diag.InvalidLabel.At(block.DefRange(), "An invariant block needs a name: invariant \"name\" { … }"))
	}
	d.words("invariant", block.Body, []string{"assert", "message"}, nil)
	for _, attr := range runbook.SortedAttributes(block.Body) {
		switch attr.Name {
		case "assert":
			inv.Assert = attr.Expr
		case "message":
			inv.Message = attr.Expr
		default:
			continue
		}
		d.calls(attr.Expr)
		for _, ref := range runbook.References(attr.Expr) {
			d.claimed(ref)
		}
	}
	if inv.Assert == nil {
		d.add(diag.MissingArgument.At(block.DefRange(), "An invariant says what must be so at the end of every run: assert = step.x.status == \"done\""))
		return nil
	}
	return inv
}

// distinct adds an invariant, nil is none, and reports a name that is taken.
func (d *decoder) distinct(all []*Invariant, inv *Invariant) []*Invariant {
	if inv == nil {
		return all
	}
	for _, other := range all {
		if other.Name == inv.Name {
			d.add(diag.Duplicate.At(inv.Range, "There already is an invariant %q, at line %d.", inv.Name, other.Range.Start.Line))
		}
	}
	return append(all, inv)
}

// calls reports functions that there are none of.
func (d *decoder) calls(expr hclsyntax.Expression) {
	hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && !slices.Contains(runbook.Functions(), call.Name) {
			p := diag.UnknownFunction.At(call.NameRange, "There is no function %q.", call.Name)
			d.add(diag.Suggest(p, diag.Nearest(call.Name, runbook.Functions())))
		}
		return nil
	})
}

// What an invariant may refer to.
func claimedRoots() []string {
	return []string{"step", "run", "calls", "fault"}
}

// claimed reports a reference of an invariant to what is not there.
func (d *decoder) claimed(ref runbook.Reference) {
	among := func(name, what string, names []string) {
		if !slices.Contains(names, name) {
			p := diag.UnknownName.At(ref.Range, "There is no %s; there is %s.", what+"."+name, strings.Join(names, ", "))
			d.add(diag.Suggest(p, diag.Nearest(name, names)))
		}
	}
	switch ref.Root {
	case "step":
		d.claimedStep(ref)
	case "calls":
		if ref.Name != "" {
			d.operation(ref.Name, ref.Range)
		}
	case "fault":
		among(ref.Name, ref.Root, []string{"step"})
	case "run":
		among(ref.Name, ref.Root, append([]string{"outcome"}, partsOf(ref.Root)...))
	default:
		p := diag.UnknownName.At(ref.Range, "There is no %q in an invariant; names begin with %s.", ref.Root, strings.Join(claimedRoots(), ", "))
		d.add(diag.Suggest(p, diag.Nearest(ref.Root, claimedRoots())))
	}
}

func (d *decoder) claimedStep(ref runbook.Reference) {
	if ref.Name == "" {
		d.add(diag.InvalidReference.At(ref.Range, "\"step\" must be followed by a name, such as step.NAME.status."))
		return
	}
	if !d.step("step."+ref.Name, ref.Range) {
		return
	}
	names := append(partsOf("step"), "acted")
	if d.each(ref.Name) {
		return // what follows is a key
	}
	if ref.Attr != "" && !slices.Contains(names, ref.Attr) {
		p := diag.InvalidReference.At(ref.Range, "step.%s has no %q; it has %s.", ref.Name, ref.Attr, strings.Join(names, ", "))
		d.add(diag.Suggest(p, diag.Nearest(ref.Attr, names)))
	}
	if ref.Sub != "" && (ref.Attr == "goal" || ref.Attr == "verify") {
		d.place("step."+ref.Name+"."+ref.Attr+"."+ref.Sub, ref.Range)
	}
}

// each tells whether a step has instances.
func (d *decoder) each(step string) bool {
	return slices.ContainsFunc(d.rb.Steps, func(s *runbook.Step) bool { return s.Name == step && s.ForEach != nil })
}

// partsOf is what may follow a root in a runbook too.
func partsOf(root string) []string {
	for _, n := range runbook.Names() {
		if n.Root == root {
			return slices.Clone(n.Parts)
		}
	}
	return nil
}

// broken says which invariants do not hold at the end of a run.
func (r *rehearsal) broken(ctx context.Context, b *backend) []string {
	if len(r.invariants) == 0 || b.panicked != "" {
		return nil
	}
	scope := eval.New(r.frame.Runbook, r.frame.Variables, r.run, newAftermath(b))
	x := eval.Extra{Roots: b.roots(r.run)}
	var problems []string
	for _, inv := range r.invariants {
		truth, diags := scope.Condition(ctx, inv.Assert, x)
		said := fmt.Sprintf("invariant %s does not hold", inv.Name)
		switch {
		case diags.HasErrors():
			said = fmt.Sprintf("invariant %s cannot be evaluated: %s", inv.Name, plan.Explain(diags))
		case truth == eval.True:
			continue
		case truth == eval.Unknown:
			said = fmt.Sprintf("invariant %s needs a value that the run never came to", inv.Name)
		}
		if inv.Message != nil {
			if text, diags := scope.Text(ctx, inv.Message, x); !diags.HasErrors() {
				said += ": " + text
			}
		}
		problems = append(problems, said+observed(ctx, scope, inv.Assert, x))
	}
	return problems
}

// observed lists the values that took part in an assert.
func observed(ctx context.Context, scope *eval.Scope, assert hcl.Expression, x eval.Extra) string {
	const longest = 80
	var told []string
	for _, ref := range runbook.References(assert) {
		name := nameOf(ref.Traversal)
		v, diags := scope.Value(ctx, &hclsyntax.ScopeTraversalExpr{Traversal: ref.Traversal, SrcRange: ref.Range}, cty.DynamicPseudoType, x)
		if diags.HasErrors() {
			continue
		}
		if shown := redact.Display(v); len(shown) <= longest && !slices.Contains(told, name+" = "+shown) {
			told = append(told, name+" = "+shown)
		}
	}
	if len(told) == 0 {
		return ""
	}
	return " (" + strings.Join(told, ", ") + ")"
}

// nameOf is a reference as it is written.
func nameOf(t hcl.Traversal) string {
	name := t.RootName()
	for _, part := range t[1:] {
		switch part := part.(type) {
		case hcl.TraverseAttr:
			name += "." + part.Name
		case hcl.TraverseIndex:
			name += "[" + redact.Display(part.Key) + "]"
		}
	}
	return name
}

// roots are what only an invariant sees.
func (b *backend) roots(run eval.Run) map[string]cty.Value {
	calls := map[string]cty.Value{}
	for name := range operations(b.frame.Runbook) {
		calls[name] = cty.NumberIntVal(int64(b.calls[name]))
	}
	step := ""
	if b.fault != nil {
		step = b.fault.Step
	}
	return map[string]cty.Value{
		"calls": cty.ObjectVal(calls),
		"fault": cty.ObjectVal(map[string]cty.Value{"step": cty.StringVal(step)}),
		"run": cty.ObjectVal(map[string]cty.Value{
			"outcome": cty.StringVal(b.result.Outcome), "id": cty.StringVal(run.ID), "operator": cty.StringVal(run.Operator),
			"environment": cty.StringVal(run.Environment), "started_at": cty.StringVal(run.StartedAt.Format("2006-01-02T15:04:05Z07:00")),
		}),
	}
}
