package rehearse

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// mock answers one operation, or one check, at a place or everywhere.
type mock struct {
	operation string // feast.freshness, or check.bars
	at        string // empty: everywhere
	own       bool   // the test's, not its file's
	first     answer
	after     []after
}

// after is what a mock answers once an action has changed the world.
type after struct {
	action string
	answer answer
}

// answer is what a mock says.
type answer struct {
	returns cty.Value
	fails   string
	clean   bool // it failed, and changed nothing
	unknown bool
	takes   time.Duration
	impact  schema.Impact
}

// covers tells whether a mock is for a call at a place with these names.
func (m *mock) covers(places []string) bool {
	if m.at == "" {
		return true
	}
	for _, p := range places {
		if p == m.at || strings.HasPrefix(p, m.at+".") || strings.HasPrefix(p, m.at+"[") || plainly(p) == m.at {
			return true
		}
	}
	return false
}

// now is the answer by what has happened: of several afters the last counts.
func (m *mock) now(happened func(action string) bool) answer {
	a := m.first
	for _, next := range m.after {
		if happened(next.action) {
			a = next.answer
		}
	}
	return a
}

// use is an operation that the runbook uses.
type use struct {
	op   *runbook.Operation
	kind schema.Kind
}

// operations are those that the runbook and what it calls use, by name.
func operations(rb *runbook.Runbook) map[string]*use {
	all := map[string]*use{}
	add := func(op *runbook.Operation, kind schema.Kind) {
		if op != nil {
			all[op.Type()] = &use{op, kind}
		}
	}
	for _, rb := range rb.Tree() {
		for _, c := range rb.Checks {
			add(c.Probe, schema.Probe)
		}
		for _, s := range rb.Steps {
			add(s.Action, schema.Action)
			add(s.Probe, schema.Probe)
			for _, assertions := range [][]*runbook.Assertion{s.Preconditions, s.Goals, s.Verifies} {
				for _, a := range assertions {
					add(a.Probe, schema.Probe)
				}
			}
		}
	}
	return all
}

// mocks decodes those of a test and of its file, the test's first, against the
// schemas of what they stand for.
func (f *File) mocks(ctx context.Context, t *Test, scope *eval.Scope, schemas plan.Schemas) ([]*mock, hcl.Diagnostics) {
	d := &mocker{decoder: decoder{rb: f.Runbook}, ctx: ctx, scope: scope, schemas: schemas}
	var all []*mock
	for i, blocks := range [][]*hclsyntax.Block{t.blocks, f.blocks} {
		known := map[string]bool{}
		for _, block := range blocks {
			m := d.mock(block)
			if m == nil {
				continue
			}
			if key := m.operation + " " + m.at; known[key] {
				d.add(diag.Duplicate.At(block.DefRange(), "%s is already mocked here for the same place.", m.operation))
			} else {
				known[key] = true
			}
			m.own = i == 0
			all = append(all, m)
		}
	}
	return all, d.diags
}

type mocker struct {
	decoder
	ctx     context.Context
	scope   *eval.Scope
	schemas plan.Schemas
}

func (d *mocker) mock(block *hclsyntax.Block) *mock {
	if len(block.Labels) != 1 {
		d.add(diag.InvalidLabel.At(block.DefRange(), "A mock block names what it stands for: mock \"postgres.query\" { … } or mock \"check.bars\" { … }"))
		return nil
	}
	m := &mock{operation: block.Labels[0]}
	if attr := block.Body.Attributes["at"]; attr != nil {
		if m.at = d.reference(attr.Expr); m.at != "" {
			d.place(m.at, attr.Expr.Range())
		}
	}
	result, words := d.subject(m.operation, block.LabelRanges[0])
	if result == nil {
		return nil
	}
	d.words("mock", block.Body, append([]string{"at"}, words...), []string{"after"})
	m.first = d.answer(block, result, nil)
	for _, b := range block.Body.Blocks {
		if b.Type != "after" {
			continue
		}
		if len(b.Labels) != 1 {
			d.add(diag.InvalidLabel.At(b.DefRange(), "An after block names an action: after \"feast.apply\" { … }"))
			continue
		}
		d.words("after", b.Body, words, nil)
		if u := d.operation(b.Labels[0], b.LabelRanges[0]); u != nil {
			m.after = append(m.after, after{b.Labels[0], d.answer(b, result, &m.first)})
		}
	}
	return m
}

// subject is what the operation that a mock stands for returns, and what its mock may say; nil: there is none, which is reported.
func (d *mocker) subject(name string, at hcl.Range) (*schema.Object, []string) {
	if check, ok := strings.CutPrefix(name, checkProvider+"."); ok {
		if !slices.ContainsFunc(d.rb.Tree(), func(rb *runbook.Runbook) bool { return rb.Checks[check] != nil }) {
			d.place(name, at)
			return nil, nil
		}
		return &schema.Object{}, []string{"holds", "status", "takes"}
	}
	u := d.operation(name, at)
	if u == nil {
		return nil, nil
	}
	provider, err := d.schemas.Schema(d.ctx, u.op.Provider)
	if err != nil {
		d.add(diag.UnknownProvider.At(at, "The provider %q cannot be used: %s.", u.op.Provider, err))
		return nil, nil
	}
	spec := provider.Operation(u.kind, u.op.Name)
	if spec == nil {
		return nil, nil // validate reports it
	}
	if u.kind == schema.Probe {
		return &spec.Result, []string{"returns", "fails", "takes"}
	}
	return &spec.Result, []string{"returns", "fails", "clean", "unknown", "takes", "impact"}
}

// answer decodes what a mock or its after says; base is what an after goes on
// from.
func (d *mocker) answer(block *hclsyntax.Block, result *schema.Object, base *answer) answer {
	a := answer{returns: object(*result, nil)}
	if base != nil {
		a.takes, a.impact = base.takes, base.impact
	}
	said := 0
	for _, attr := range runbook.SortedAttributes(block.Body) {
		switch attr.Name {
		case "returns":
			said++
			a.returns = object(*result, d.returns(attr, result))
		case "holds":
			said++
			if v, ok := d.value(attr, attr.Name, cty.Bool); ok {
				a.returns = object(*result, map[string]cty.Value{"ok": v, "summary": cty.StringVal("mocked")})
			}
		case "status":
			said++
			switch d.word(attr, []string{"holds", "fails", "errors"}) {
			case "fails":
				a.returns = object(*result, map[string]cty.Value{"ok": cty.False, "summary": cty.StringVal("mocked")})
			case "errors":
				a.fails = "mocked"
			}
		case "fails":
			said++
			if v, ok := d.value(attr, attr.Name, cty.String); ok {
				a.fails = text(v)
			}
		case "clean":
			if v, ok := d.value(attr, attr.Name, cty.Bool); ok {
				a.clean = v.True()
			}
		case "unknown":
			said++
			if v, ok := d.value(attr, attr.Name, cty.Bool); ok {
				a.unknown = v.True()
			}
		case "takes":
			a.takes = d.duration(attr)
		case "impact":
			a.impact = d.impact(attr)
		}
	}
	if a.clean && a.fails == "" {
		d.add(diag.Conflict.At(block.DefRange(), "\"clean\" says that a failure changed nothing, and this mock does not fail: write fails = \"code\" too."))
	}
	if said > 1 {
		d.add(diag.Conflict.At(block.DefRange(), "A mock says one of returns, fails, unknown, holds and status."))
	}
	return a
}

// returns reads the fields of a result, each checked against its type.
func (d *mocker) returns(attr *hclsyntax.Attribute, result *schema.Object) map[string]cty.Value {
	written, ok := attr.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		d.add(diag.WrongType.At(attr.Expr.Range(), "\"returns\" takes an object: { field = value }."))
		return nil
	}
	var names []string
	for _, a := range result.Attributes {
		names = append(names, a.Name)
	}
	values := map[string]cty.Value{}
	for _, item := range written.Items {
		key, diags := item.KeyExpr.Value(nil)
		if diags.HasErrors() || key.Type() != cty.String || key.IsNull() || !key.IsKnown() {
			d.add(diag.InvalidArgument.At(item.KeyExpr.Range(), "The name of a field is written out."))
			continue
		}
		name := key.AsString()
		field := result.Attribute(name)
		if field == nil {
			p := diag.UnknownName.At(item.KeyExpr.Range(), "The result has no %q; it has %s.", name, strings.Join(names, ", "))
			d.add(diag.Suggest(p, diag.Nearest(name, names)))
			continue
		}
		v, found := d.scope.Value(d.ctx, item.ValueExpr, field.Type, eval.Extra{})
		d.diags = append(d.diags, found...)
		if !found.HasErrors() {
			values[name] = v
		}
	}
	return values
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

func (d *mocker) impact(attr *hclsyntax.Attribute) schema.Impact {
	v, ok := d.value(attr, attr.Name, cty.Map(cty.Number))
	if !ok {
		return nil
	}
	impact := schema.Impact{}
	for unit, n := range v.AsValueMap() {
		if !n.IsNull() {
			impact[unit], _ = n.AsBigFloat().Int64()
		}
	}
	return impact
}

// constant evaluates an expression without references or functions.
func constant(expr hclsyntax.Expression, want cty.Type) (cty.Value, *hcl.Diagnostic) {
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, diag.CannotEvaluate.At(expr.Range(), "%s", diags[0].Detail)
	}
	converted, err := convert.Convert(v, want)
	if err != nil || v.IsNull() {
		return cty.NilVal, diag.WrongType.At(expr.Range(), "A %s is needed here, not a %s.", want.FriendlyNameForConstraint(), v.Type().FriendlyName())
	}
	return converted, nil
}

func emptyBody() hcl.Body { return &hclsyntax.Body{Attributes: hclsyntax.Attributes{}} }
