package runbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// SchemaSource knows what providers take and give. An error means that the
// provider cannot be used. A source that also has Providers() []string lets
// Validate suggest a name that was probably meant.
type SchemaSource interface {
	Schema(provider string) (*schema.Provider, error)
}

// Validate checks a loaded runbook against the schemas of its providers: that
// providers, probes and actions exist, their arguments and the parts of their
// results too, that constant arguments fit, and that limits name what is
// counted. It reports every mistake in one pass. The runbook may be one that
// Load found mistakes in; where there were more than are listed, it reports none.
func Validate(rb *Runbook, schemas SchemaSource) hcl.Diagnostics {
	if rb.overfull {
		return nil
	}
	known := map[string]*schema.Provider{}
	var found diag.List
	for _, each := range rb.Tree() {
		validate(each, schemas, known, &found)
	}
	sortDiagnostics(rb.Files, found.Taken())
	return found.Diagnostics()
}

// validate checks one runbook of a tree of calls. Schemas are asked for once.
func validate(rb *Runbook, schemas SchemaSource, known map[string]*schema.Provider, found *diag.List) {
	v := &validator{rb: rb, source: schemas, known: known, steps: map[string]*Step{}, diags: found}
	for _, s := range rb.Steps {
		v.steps[s.Name] = s
	}
	v.load()
	for _, ref := range slices.Sorted(maps.Keys(rb.Providers)) {
		v.provider(rb.Providers[ref])
	}
	for _, name := range slices.Sorted(maps.Keys(rb.Checks)) {
		v.assertion(&rb.Checks[name].Assertion, nil)
	}
	for _, s := range rb.Steps {
		v.step(s)
	}
	for _, n := range rb.Notices {
		v.notice(n)
	}
	for _, o := range rb.Outputs {
		v.results(References(o.Value), nil, nil)
	}
}

type validator struct {
	rb     *Runbook
	source SchemaSource
	known  map[string]*schema.Provider // nil: cannot be used, and that is reported
	steps  map[string]*Step
	diags  *diag.List
}

func (v *validator) add(d *hcl.Diagnostic) { v.diags.Add(d) }

// load asks for every schema first: a check may look with another's probe, and
// a step read the result of one written below it.
func (v *validator) load() {
	var ops []*Operation
	for _, name := range slices.Sorted(maps.Keys(v.rb.Checks)) {
		ops = append(ops, v.rb.Checks[name].Probe)
	}
	for _, s := range v.rb.Steps {
		ops = append(append(ops, s.Actions()...), s.Probe)
		for _, a := range s.Assertions() {
			ops = append(ops, a.Probe)
		}
	}
	for _, n := range v.rb.Notices {
		ops = append(ops, n.Action)
	}
	for _, ref := range slices.Sorted(maps.Keys(v.rb.Providers)) {
		v.schema(v.rb.Providers[ref].Name, v.rb.Providers[ref].Range)
	}
	for _, op := range ops {
		if op != nil {
			v.schema(op.Provider, op.LabelRange)
		}
	}
}

// schema is a provider's schema; nil where it cannot be used, which is reported
// once.
func (v *validator) schema(name string, at hcl.Range) *schema.Provider {
	if s, ok := v.known[name]; ok {
		return s
	}
	s, err := v.source.Schema(name)
	if err != nil {
		d := diag.UnknownProvider.At(at, "The provider %q cannot be used: %s.", name, strings.TrimSuffix(err.Error(), "."))
		if lister, ok := v.source.(interface{ Providers() []string }); ok {
			diag.Suggest(d, diag.Nearest(name, lister.Providers()))
		}
		v.add(d)
		s = nil
	}
	v.known[name] = s
	return s
}

func (v *validator) provider(p *Provider) {
	if s := v.schema(p.Name, p.Range); s != nil {
		v.arguments(fmt.Sprintf("provider %q", p.Name), p.Body.(*hclsyntax.Body), s.Config, p.Range)
	}
}

func (v *validator) step(s *Step) {
	action := v.operation(s.Action, schema.Action)
	v.operation(s.Probe, schema.Probe)
	if action != nil && s.Limit != nil {
		v.limit(s.Limit, s.Action, action)
	}
	for _, f := range s.Fallbacks {
		if spec := v.operation(f.Action, schema.Action); spec != nil && s.Limit != nil {
			v.limit(s.Limit, f.Action, spec)
		}
	}
	if s.Rollback != nil {
		v.operation(s.Rollback.Action, schema.Action)
	}
	own := v.own(s)
	for _, expr := range []hcl.Expression{s.When, s.ForEach, s.Limit} {
		if expr != nil {
			v.results(References(expr), nil, nil)
		}
	}
	for _, op := range append(s.Actions(), s.Probe) {
		if op != nil {
			v.results(BodyReferences(op.Body), nil, own)
		}
	}
	for _, a := range s.Assertions() {
		v.assertion(a, own)
	}
}

// assertion checks one assertion; self are the schemas of its step's operations.
func (v *validator) assertion(a *Assertion, self []*schema.OperationSchema) {
	looked := v.operation(a.Probe, schema.Probe)
	if a.Probe != nil {
		v.results(BodyReferences(a.Probe.Body), nil, self)
	}
	if a.Probe == nil && !a.All {
		looked = v.probeOf(a)
	}
	for _, expr := range []hcl.Expression{a.Assert, a.Message} {
		if expr != nil {
			v.results(References(expr), looked, self)
		}
	}
}

// probeOf is the schema of the probe that an assertion looks with, through
// check = too; nil where there is none or it is not known.
func (v *validator) probeOf(a *Assertion) *schema.OperationSchema {
	for range len(v.rb.Checks) + 1 { // checks can be made of each other, which Load reports
		if a.Probe != nil {
			return v.spec(a.Probe, schema.Probe)
		}
		if len(a.Checks) != 1 || a.All || v.rb.Checks[a.Checks[0].Name] == nil {
			return nil
		}
		a = &v.rb.Checks[a.Checks[0].Name].Assertion
	}
	return nil
}

// operation checks a probe or action and returns its schema; nil where there is
// none.
func (v *validator) operation(op *Operation, kind schema.Kind) *schema.OperationSchema {
	if op == nil {
		return nil
	}
	s := v.schema(op.Provider, op.LabelRange)
	if s == nil {
		return nil
	}
	o := s.Operation(kind, op.Name)
	if o == nil {
		v.add(unknownOperation(op, kind, s))
		return nil
	}
	v.configured(op, s)
	v.arguments(fmt.Sprintf("%s %q", kind, op.Type()), op.Body.(*hclsyntax.Body), o.Arguments, op.Range)
	return o
}

// configured reports an operation whose provider needs a block and has none.
func (v *validator) configured(op *Operation, s *schema.Provider) {
	if op.Ref != op.Provider || v.rb.Providers[op.Ref] != nil || v.rb.incomplete {
		return
	}
	var needed []string
	for _, a := range s.Config.Attributes {
		if a.Required {
			needed = append(needed, a.Name)
		}
	}
	if len(needed) > 0 {
		v.add(diag.MissingBlock.At(op.LabelRange, "The provider %q needs a block that sets %s: provider %q { … }", op.Provider, list(quoted(needed), "and"), op.Provider))
	}
}

func unknownOperation(op *Operation, kind schema.Kind, s *schema.Provider) *hcl.Diagnostic {
	other := schema.Probe
	if kind == schema.Probe {
		other = schema.Action
	}
	if s.Operation(other, op.Name) != nil {
		what := "it changes something; only a step's action may"
		if other == schema.Probe {
			what = "it only looks; write probe where the answer is wanted"
		}
		return diag.UnknownOperation.At(op.LabelRange, "%q is a provider's %s, not %s: %s.", op.Type(), other, strings.ToLower(article(string(kind))), what)
	}
	var names []string
	for _, o := range s.Operations {
		if o.Kind == kind {
			names = append(names, op.Provider+"."+o.Name)
		}
	}
	d := diag.UnknownOperation.At(op.LabelRange, "The provider %q has no %s %q.", op.Provider, kind, op.Name)
	if near := diag.Nearest(op.Type(), names); near != "" {
		return diag.Suggest(d, near)
	}
	if len(names) > 0 {
		d.Detail += fmt.Sprintf(" It has %s.", list(names, "and"))
	}
	return d
}

// arguments checks a body of arguments against what is taken.
func (v *validator) arguments(what string, body *hclsyntax.Body, takes schema.Object, at hcl.Range) {
	var names []string
	for i := range takes.Attributes {
		a := &takes.Attributes[i]
		names = append(names, a.Name)
		attr := body.Attributes[a.Name]
		switch {
		case attr != nil:
			v.fits(a, attr.Expr)
		case a.Required:
			v.add(diag.MissingArgument.At(at, "%s needs the argument %q: %s", what, a.Name, a.Doc))
		}
	}
	for _, attr := range SortedAttributes(body) {
		if v.diags.Full() {
			return
		}
		if takes.Attribute(attr.Name) != nil {
			continue
		}
		d := diag.UnknownArgument.At(attr.NameRange, "%s has no argument %q.", what, attr.Name)
		switch near := diag.Nearest(attr.Name, names); {
		case near != "":
			diag.Suggest(d, near)
		case len(names) == 0:
			d.Detail += " It takes none."
		default:
			d.Detail += fmt.Sprintf(" It takes %s.", list(names, "and"))
		}
		v.add(d)
	}
}

// fits reports a constant that its argument cannot take.
func (v *validator) fits(a *schema.Attribute, expr hclsyntax.Expression) {
	if _, found := notConstant(expr); found {
		return
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		v.diags.Add(diag.Adopt(diag.InvalidArgument, diags)...)
		return
	}
	if value.IsNull() {
		if a.Required {
			v.add(diag.InvalidArgument.At(expr.Range(), "The argument %q is required, and this is null.", a.Name))
		}
		return
	}
	if _, err := convertConstant(value, a.Type); err != nil {
		v.add(diag.WrongType.At(expr.Range(), "The argument %q takes a %s: %s.", a.Name, a.Type.FriendlyNameForConstraint(), strings.TrimSuffix(err.Error(), ".")))
	}
}
