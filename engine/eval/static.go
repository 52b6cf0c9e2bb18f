package eval

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Describer says what an action of a provider would do under a configuration; false
// where that cannot be asked without a process. It does no I/O.
type Describer func(ctx context.Context, dir, provider string, config cty.Value, op schema.Operation) (d schema.Description, asked bool)

// Static evaluates every expression of a runbook, and of what it calls, while
// nothing is known beyond their text: variables have a type and no value, probes
// and actions have answered nothing. No value mends what it reports. The runbook
// must be one in which Load and runbook.Validate found no error; only files of its
// folder are read. Actions whose arguments are all written out are described.
func Static(ctx context.Context, rb *runbook.Runbook, schemas runbook.SchemaSource, describe Describer) hcl.Diagnostics {
	found := &diag.List{}
	for _, each := range rb.Tree() {
		vars := map[string]cty.Value{}
		for name, v := range each.Variables {
			if vars[name] = cty.UnknownVal(v.Type.WithoutOptionalAttributesDeep()); v.Sensitive {
				vars[name] = redact.Mark(vars[name])
			}
		}
		s := &statically{Scope: New(each, vars, Run{}, nil), ctx: ctx, schemas: schemas, describe: describe, configs: map[string]cty.Value{}, found: found, said: map[string]bool{}}
		s.runbook(each)
	}
	return found.Diagnostics()
}

// statically is the evaluation of one file.
type statically struct {
	*Scope
	ctx      context.Context // of the one call of Static
	schemas  runbook.SchemaSource
	describe Describer
	configs  map[string]cty.Value // by reference
	found    *diag.List
	said     map[string]bool // where, and what: an expression may be come to again by what reads it
}

func (s *statically) add(diags hcl.Diagnostics) {
	for _, d := range diags {
		if key := d.Subject.String() + d.Detail; d.Severity == hcl.DiagError && !s.said[key] {
			s.said[key] = true
			s.found.Add(d)
		}
	}
}

func (s *statically) runbook(rb *runbook.Runbook) {
	locals := make([]*runbook.Local, 0, len(rb.Locals))
	for _, l := range rb.Locals {
		locals = append(locals, l)
	}
	slices.SortFunc(locals, func(a, b *runbook.Local) int { return a.Order - b.Order })
	for _, l := range locals {
		s.value(l.Expr, cty.DynamicPseudoType, Extra{})
	}
	for ref, p := range rb.Providers {
		if known, err := s.schemas.Schema(p.Name); err == nil {
			s.configs[ref] = s.body(p.Body, known.Config, Extra{})
		}
	}
	for _, c := range rb.Checks {
		s.assertion(&c.Assertion, s.each(c.ForEach))
	}
	for _, step := range rb.Steps {
		s.step(step)
	}
	telling := Extra{Roots: map[string]cty.Value{"run": RunValue(Run{}, cty.UnknownVal(cty.String))}}
	for _, n := range rb.Notices {
		s.condition(n.When, telling)
		s.operation(n.Action, schema.Action, telling)
	}
	for _, o := range rb.Outputs {
		s.value(o.Value, cty.DynamicPseudoType, Extra{})
	}
}

// each is what instances see of a for_each; nil: there is none.
func (s *statically) each(forEach hcl.Expression) Extra {
	x := Extra{Self: cty.DynamicVal}
	if forEach != nil {
		_, _, diags := s.Instances(s.ctx, forEach)
		s.add(diags)
		x.EachKey, x.EachValue = cty.UnknownVal(cty.String), cty.DynamicVal
	}
	return x
}

func (s *statically) step(step *runbook.Step) {
	x := s.each(step.ForEach)
	s.condition(step.When, x)
	s.value(step.Limit, cty.Map(cty.Number), x)
	if a := step.Approval; a != nil {
		s.value(a.Message, cty.DynamicPseudoType, x)
		s.condition(a.When, x)
		s.value(a.Approvers, cty.List(cty.String), x)
	}
	if step.Retry != nil {
		failed := x
		failed.Error = cty.UnknownVal(cty.Object(map[string]cty.Type{"code": cty.String, "message": cty.String}))
		s.condition(step.Retry.When, failed)
	}
	if step.Call != nil {
		for _, v := range step.Call.Variables {
			want := cty.DynamicPseudoType
			if takes := step.Call.Runbook.Variables[v.Name]; takes != nil {
				want = takes.Type
			}
			s.value(v.Value, want, x)
		}
	}
	s.operation(step.Probe, schema.Probe, x)
	for _, op := range step.Actions() {
		s.operation(op, schema.Action, x)
	}
	for _, a := range step.Assertions() {
		s.assertion(a, x)
	}
}

func (s *statically) assertion(a *runbook.Assertion, x Extra) {
	x.Result = s.operation(a.Probe, schema.Probe, x)
	for _, use := range a.Checks {
		s.value(use.Key, cty.String, x)
	}
	s.condition(a.Assert, x)
	s.value(a.Message, cty.DynamicPseudoType, x)
}

// operation returns what is known of its result: the type.
func (s *statically) operation(op *runbook.Operation, kind schema.Kind, x Extra) cty.Value {
	if op == nil {
		return cty.DynamicVal
	}
	known, err := s.schemas.Schema(op.Provider)
	if err != nil {
		return cty.DynamicVal
	}
	o := known.Operation(kind, op.Name)
	if o == nil {
		return cty.DynamicVal
	}
	arguments := s.body(op.Body, o.Arguments, x)
	config, given := s.configs[op.Ref]
	if !given {
		config = s.body(hcl.EmptyBody(), known.Config, Extra{})
	}
	if kind == schema.Action && arguments.IsWhollyKnown() && config.IsWhollyKnown() {
		s.described(op, config, arguments)
	}
	return cty.UnknownVal(o.Result.Type())
}

// described reports what the action itself says is wrong with its arguments.
func (s *statically) described(op *runbook.Operation, config, arguments cty.Value) {
	if arguments.ContainsMarked() {
		return // what it says could hold a secret
	}
	config, _ = config.UnmarkDeep()
	d, asked := s.describe(s.ctx, s.rb.Dir, op.Provider, config, schema.Operation{Name: op.Name, Kind: schema.Action, Arguments: arguments})
	if !asked || d.Failure == nil || d.Failure.Argument == "" {
		return
	}
	at := op.Range
	if attrs, _ := op.Body.JustAttributes(); attrs[d.Failure.Argument] != nil {
		at = attrs[d.Failure.Argument].Expr.Range()
	}
	s.add(hcl.Diagnostics{diag.InvalidArgument.At(at, "%s: %s.", op.Type(), strings.TrimSuffix(d.Failure.Error(), "."))})
}

func (s *statically) body(body hcl.Body, takes schema.Object, x Extra) cty.Value {
	v, diags := s.Body(s.ctx, body, takes, x)
	s.add(diags)
	return v
}

func (s *statically) value(expr hcl.Expression, want cty.Type, x Extra) {
	if expr != nil {
		_, diags := s.Value(s.ctx, expr, want, x)
		s.add(diags)
	}
}

func (s *statically) condition(expr hcl.Expression, x Extra) {
	if expr != nil {
		_, diags := s.Condition(s.ctx, expr, x)
		s.add(diags)
	}
}
