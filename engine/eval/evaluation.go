package eval

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// evaluation is one call into a Scope: what it has looked up so far, and what
// is left of its budget.
type evaluation struct {
	*Scope
	budget   *budget
	extra    Extra
	steps    map[string]cty.Value
	statuses map[string]cty.Value
	checks   map[string]cty.Value
	locals   map[string]static // locals that are not static
}

func (s *Scope) evaluation(ctx context.Context, x Extra) *evaluation {
	return &evaluation{Scope: s, budget: s.budget(ctx), extra: x}
}

// budget is that of one evaluation. Where others were too slow, it is smaller, but
// never so small that an ordinary expression would notice: a hundred that each take
// as long as one may would keep a plan for minutes.
func (s *Scope) budget(ctx context.Context) *budget {
	return newBudget(ctx, maxWork>>min(s.slow.Load(), 7))
}

// value evaluates one expression and converts the result.
func (e *evaluation) value(expr hcl.Expression, want cty.Type) (cty.Value, hcl.Diagnostics) {
	c := e.compile(expr)
	if c.constant {
		v, diags := c.expr.Value(nil)
		return e.convert(v, diags, c, nil, want)
	}
	hctx, diags := e.context(c)
	if diags.HasErrors() {
		return cty.UnknownVal(want.WithoutOptionalAttributesDeep()), diags
	}
	v, diags := e.run(c, hctx)
	return e.convert(v, diags, c, hctx, want)
}

// run evaluates a compiled expression within the budget.
func (e *evaluation) run(c *compiled, hctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := c.expr.Value(hctx)
	e.budget.measure(v, c.source.Range())
	if d := e.budget.why; d != nil {
		if diag.ID(d) == string(diag.TooSlow) {
			e.slow.Add(1)
		}
		return cty.DynamicVal, hcl.Diagnostics{d}
	}
	if diags.HasErrors() {
		return cty.DynamicVal, withhold(diag.Adopt(diag.CannotEvaluate, explain(diags)))
	}
	return v, nil
}

func (e *evaluation) convert(v cty.Value, diags hcl.Diagnostics, c *compiled, hctx *hcl.EvalContext, want cty.Type) (cty.Value, hcl.Diagnostics) {
	unknown := cty.UnknownVal(want.WithoutOptionalAttributesDeep())
	if diags.HasErrors() {
		return unknown, diags
	}
	if want == cty.DynamicPseudoType {
		return v, nil
	}
	if want == cty.Number && len(str(v)) > maxDigits {
		return unknown, hcl.Diagnostics{diag.WrongType.At(c.source.Range(), "A number has at most %d digits.", maxDigits)}
	}
	converted, err := schema.Convert(v, want)
	if err != nil {
		d := diag.WrongType.At(c.source.Range(), "A %s is needed here, not a %s: %s.", want.FriendlyNameForConstraint(), v.Type().FriendlyName(), err)
		d.Expression, d.EvalContext = c.source, hctx
		return unknown, hcl.Diagnostics{d}
	}
	return converted, nil
}

func (e *evaluation) condition(expr hcl.Expression) (Truth, hcl.Diagnostics) {
	v, diags := e.value(expr, cty.Bool)
	if diags.HasErrors() {
		return Unknown, diags
	}
	v, _ = v.Unmark()
	switch {
	case !v.IsKnown():
		return Unknown, nil
	case v.IsNull():
		d := diag.NoAnswer.At(expr.Range(), "The condition is null. What it looks at is not there.")
		d.Expression = expr
		d.EvalContext, _ = e.context(e.compile(expr))
		return Unknown, hcl.Diagnostics{d}
	case v.True():
		return True, nil
	}
	return False, nil
}

// context builds the scope of one expression: the roots and names it uses, and
// no others.
func (e *evaluation) context(c *compiled) (*hcl.EvalContext, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	vars := make(map[string]cty.Value, len(c.names)+1)
	for root, names := range c.names {
		object := make(map[string]cty.Value, len(names))
		for _, n := range names {
			v, ok, d := e.lookup(root, n)
			diags = append(diags, d...)
			if ok {
				object[n.name] = v
			}
		}
		vars[root] = cty.ObjectVal(object)
	}
	for _, root := range c.roots {
		if v, ok := e.root(root); ok {
			vars[root] = v
		}
	}
	if len(c.statuses) > 0 {
		statuses := make(map[string]cty.Value, len(c.statuses))
		for _, step := range c.statuses {
			statuses[step] = e.remember(&e.statuses, step, Values.Status)
		}
		vars[statusName] = cty.ObjectVal(statuses)
	}
	vars[budgetName] = e.budget.value
	return &hcl.EvalContext{Variables: vars, Functions: e.functions}, diags
}

// root is the value of a root that is not made of declared names.
func (e *evaluation) root(name string) (cty.Value, bool) {
	if v, ok := e.extra.Roots[name]; ok {
		return v, true
	}
	switch name {
	case "result":
		return e.extra.Result, e.extra.Result != cty.NilVal
	case "self":
		return cty.ObjectVal(map[string]cty.Value{"result": e.extra.Self}), e.extra.Self != cty.NilVal
	case "error":
		return e.extra.Error, e.extra.Error != cty.NilVal
	case "each":
		if e.extra.EachKey == cty.NilVal {
			return cty.NilVal, false
		}
		return cty.ObjectVal(map[string]cty.Value{"key": e.extra.EachKey, "value": e.extra.EachValue}), true
	}
	v, ok := e.roots[name]
	return v, ok
}

// lookup is the value of a declared name. A local that cannot be evaluated is
// left out where every use of it is inside try or can, so that these catch it.
func (e *evaluation) lookup(root string, n name) (cty.Value, bool, hcl.Diagnostics) {
	switch root {
	case "var":
		if v, ok := e.vars[n.name]; ok {
			return v, true, nil
		}
		if v, ok := e.rb.Variables[n.name]; ok {
			return cty.UnknownVal(v.Type.WithoutOptionalAttributesDeep()), true, nil
		}
	case "step":
		return e.remember(&e.steps, n.name, Values.Step), true, nil
	case "check":
		return e.remember(&e.checks, n.name, Values.Check), true, nil
	case "local":
		local := e.rb.Locals[n.name]
		if local == nil {
			break
		}
		v, diags := e.local(local)
		if diags.HasErrors() && n.guarded {
			return cty.NilVal, false, nil
		}
		return v, true, diags
	}
	return cty.NilVal, false, nil
}

func (e *evaluation) remember(known *map[string]cty.Value, name string, ask func(Values, string) cty.Value) cty.Value {
	if v, ok := (*known)[name]; ok {
		return v
	}
	if *known == nil {
		*known = map[string]cty.Value{}
	}
	v := cty.DynamicVal
	if e.values != nil {
		if v = ask(e.values, name); v == cty.NilVal {
			v = cty.DynamicVal
		}
	}
	(*known)[name] = v
	return v
}

// local is the value of a local: a static one is evaluated once in the life of
// the scope, another once in an evaluation. What it uses is evaluated first, in
// order, so that a long chain of locals needs no deep stack.
func (e *evaluation) local(l *runbook.Local) (cty.Value, hcl.Diagnostics) {
	if l.Static {
		return e.static(l)
	}
	if known, ok := e.locals[l.Name]; ok {
		return known.value, known.diags
	}
	for _, dep := range e.pending(l, func(name string) bool { _, ok := e.locals[name]; return ok }) {
		if dep.Static {
			continue // lookup evaluates it
		}
		if e.locals == nil {
			e.locals = map[string]static{}
		}
		e.locals[dep.Name] = e.evaluateLocal(dep)
	}
	known := e.locals[l.Name]
	return known.value, known.diags
}

func (e *evaluation) evaluateLocal(l *runbook.Local) static {
	v, diags := e.value(l.Expr, cty.DynamicPseudoType)
	return static{value: v, diags: diags}
}

// static evaluates a local that reaches no step and no check, with a budget of
// its own, since its value outlives the evaluation.
func (e *evaluation) static(l *runbook.Local) (cty.Value, hcl.Diagnostics) {
	known, ok := e.known(l.Name)
	if ok {
		return known.value, known.diags
	}
	for _, dep := range e.pending(l, func(name string) bool { _, ok := e.known(name); return ok }) {
		own := &evaluation{Scope: e.Scope, budget: e.Scope.budget(e.budget.ctx)}
		value := own.evaluateLocal(dep)
		if e.budget.ctx.Err() == nil {
			e.mu.Lock()
			e.statics[dep.Name] = value
			e.mu.Unlock()
		}
		known = value
	}
	return known.value, known.diags
}

func (s *Scope) known(name string) (static, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.statics[name]
	return v, ok
}
