package rehearse

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/address"
	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// File is one NAME_test.hcl with the runbook that it tests.
type File struct {
	Path       string
	Runbook    *runbook.Runbook
	Variables  map[string]cty.Value
	Invariants []*Invariant // of every test
	Tests      []*Test      // source order

	blocks []*hclsyntax.Block // its mocks
}

// Test is one `test` block.
type Test struct {
	Name       string
	Variables  map[string]cty.Value
	Approve    map[string]bool // addresses
	CrashAfter string          // an address; empty: it does not crash
	Expect     Expect
	Invariants []*Invariant // its own
	Range      hcl.Range

	blocks []*hclsyntax.Block // its mocks
}

// Expect is an `expect` block. What is nil or empty is not looked at.
type Expect struct {
	Outcome   string
	Status    map[string]string // by address
	Calls     map[string]int    // by operation
	Order     []string          // addresses, as they acted
	BlockedBy string            // a step, or one of its preconditions
	Message   string            // is part of what some step, or the run, says
}

// RunbookOf is the runbook that a file of tests lies beside.
func RunbookOf(path string) string { return strings.TrimSuffix(path, "_test.hcl") + ".hcl" }

// Load reads a file of tests of a valid runbook. All mistakes that need no
// schema are reported; with an error the file must not be run.
func Load(path string, rb *runbook.Runbook) (*File, hcl.Diagnostics) {
	body, diags := runbook.ParseFile(path)
	if body == nil {
		return nil, diags
	}
	d := &decoder{rb: rb, diags: diags}
	f := &File{Path: path, Runbook: rb}
	d.words("file of tests", body, []string{"variables"}, []string{"mock", "invariant", "test"})
	f.Variables = d.variables(body)
	names := map[string]bool{}
	for _, block := range body.Blocks {
		switch block.Type {
		case "mock":
			f.blocks = append(f.blocks, block)
		case "invariant":
			f.Invariants = d.distinct(f.Invariants, d.invariant(block))
		case "test":
			t := d.test(block)
			if names[t.Name] {
				d.add(diag.Duplicate.At(block.DefRange(), "The file already has a test %q.", t.Name))
			}
			names[t.Name] = true
			f.Tests = append(f.Tests, t)
		}
	}
	for _, t := range f.Tests {
		all := f.Invariants
		for _, inv := range t.Invariants {
			all = d.distinct(all[:len(all):len(all)], inv)
		}
	}
	return f, d.diags
}

type decoder struct {
	rb    *runbook.Runbook
	diags hcl.Diagnostics
}

func (d *decoder) add(problem *hcl.Diagnostic) { d.diags = append(d.diags, problem) }

// words reports what does not belong into a block.
func (d *decoder) words(kind string, body *hclsyntax.Body, arguments, blocks []string) {
	for _, attr := range runbook.SortedAttributes(body) {
		if !slices.Contains(arguments, attr.Name) {
			p := diag.UnknownArgument.At(attr.NameRange, "A %s has no argument %q; it takes %s.", kind, attr.Name, strings.Join(arguments, ", "))
			d.add(diag.Suggest(p, diag.Nearest(attr.Name, arguments)))
		}
	}
	for _, block := range body.Blocks {
		if !slices.Contains(blocks, block.Type) {
			p := diag.UnknownBlock.At(block.TypeRange, "A %s has no block %q.", kind, block.Type)
			d.add(diag.Suggest(p, diag.Nearest(block.Type, blocks)))
		}
	}
}

func (d *decoder) test(block *hclsyntax.Block) *Test {
	t := &Test{Range: block.DefRange(), Approve: map[string]bool{}}
	if len(block.Labels) == 1 {
		t.Name = block.Labels[0]
	} else {
		d.add(diag.InvalidLabel.At(block.DefRange(), "A test block needs a name: test \"name\" { … }"))
	}
	body := block.Body
	d.words("test", body, []string{"variables", "approve", "crash_after"}, []string{"mock", "invariant", "expect"})
	t.Variables = d.variables(body)
	if attr := body.Attributes["approve"]; attr != nil {
		for _, address := range d.references(attr.Expr) {
			t.Approve[address] = d.step(address, attr.Expr.Range())
		}
	}
	if attr := body.Attributes["crash_after"]; attr != nil {
		if t.CrashAfter = d.reference(attr.Expr); t.CrashAfter != "" {
			d.step(t.CrashAfter, attr.Expr.Range())
		}
	}
	expected := false
	for _, b := range body.Blocks {
		switch b.Type {
		case "mock":
			t.blocks = append(t.blocks, b)
		case "invariant":
			if inv := d.invariant(b); inv != nil {
				t.Invariants = append(t.Invariants, inv)
			}
		case "expect":
			if expected {
				d.add(diag.Duplicate.At(b.DefRange(), "The test already has an expect block."))
			}
			expected = true
			t.Expect = d.expect(b.Body)
		}
	}
	if !expected {
		d.add(diag.MissingBlock.At(block.DefRange(), "A test that expects nothing proves nothing: expect { outcome = … }"))
	}
	return t
}

func (d *decoder) variables(body *hclsyntax.Body) map[string]cty.Value {
	attr := body.Attributes["variables"]
	if attr == nil {
		return nil
	}
	v, ok := d.value(attr, "variables", cty.DynamicPseudoType)
	if !ok {
		return nil
	}
	if !v.Type().IsObjectType() {
		d.add(diag.WrongType.At(attr.Expr.Range(), "\"variables\" takes an object: { name = value }."))
		return nil
	}
	values := v.AsValueMap()
	declared := slices.Sorted(maps.Keys(d.rb.Variables))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if d.rb.Variables[name] == nil {
			p := diag.UndeclaredVariable.At(attr.Expr.Range(), "The runbook declares no variable %q.", name)
			d.add(diag.Suggest(p, diag.Nearest(name, declared)))
		}
	}
	return values
}

// value evaluates what is written out, without references.
func (d *decoder) value(attr *hclsyntax.Attribute, name string, want cty.Type) (cty.Value, bool) {
	if refs := runbook.References(attr.Expr); len(refs) > 0 {
		d.add(diag.NotConstant.At(refs[0].Range, "%q is written out, without references.", name))
		return cty.NilVal, false
	}
	v, problem := constant(attr.Expr, want)
	if problem != nil {
		d.add(problem)
		return cty.NilVal, false
	}
	return v, true
}

// references reads [step.a, step.b].
func (d *decoder) references(expr hcl.Expression) []string {
	items, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		d.add(diag.InvalidReference.At(expr.Range(), "A list of steps is needed, such as [step.a, step.b]."))
		return nil
	}
	var all []string
	for _, item := range items {
		if name := d.reference(item); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// reference reads step.a or step.a.goal.b; empty: that is reported.
func (d *decoder) reference(expr hcl.Expression) string {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		d.add(diag.InvalidReference.At(expr.Range(), "A reference is needed, such as step.a, without quotes."))
		return ""
	}
	name := t.RootName()
	for _, part := range t[1:] {
		switch part := part.(type) {
		case hcl.TraverseAttr:
			name += "." + part.Name
		case hcl.TraverseIndex:
			if part.Key.Type() != cty.String {
				d.add(diag.InvalidReference.At(expr.Range(), "The instances of a step have strings for keys: step.a[\"key\"]."))
				return ""
			}
			name += index(part.Key.AsString())
		default:
			d.add(diag.InvalidReference.At(expr.Range(), "A reference such as step.a takes names and keys only."))
			return ""
		}
	}
	return name
}

// step reports an address that cannot be a step's.
func (d *decoder) step(address string, at hcl.Range) bool {
	if d.rb.Has(address) {
		return true
	}
	var all []string
	for _, p := range places(d.rb, "") {
		if strings.HasPrefix(p, "step.") && d.rb.Has(p) {
			all = append(all, p)
		}
	}
	d.add(diag.Suggest(diag.UnknownName.At(at, "There is no %s in %s.", address, d.rb.File), diag.Nearest(address, all)))
	return false
}

// places are all that `at` and blocked_by may name, without the keys of
// instances; under is the step that calls the runbook.
func places(rb *runbook.Runbook, under string) []string {
	var all []string
	if under == "" {
		for _, each := range rb.Tree() {
			for name := range each.Checks {
				all = append(all, "check."+name)
			}
		}
	}
	for _, s := range rb.Steps {
		all = append(all, under+s.Address())
		for _, assertions := range [][]*runbook.Assertion{s.Preconditions, s.Goals, s.Verifies} {
			for _, a := range assertions {
				all = append(all, under+a.Place)
			}
		}
		if s.Call != nil && s.Call.Runbook != nil {
			all = append(all, places(s.Call.Runbook, under+s.Address()+".")...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// keys matches what says which instance of a step or check is meant.
var keys = regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`)

// plainly is a place without the keys of instances.
func plainly(place string) string { return keys.ReplaceAllString(place, "") }

// index is the key of an instance as addresses have it.
func index(key string) string {
	return strings.TrimPrefix(address.New("x").Instance(key).String(), "step.x")
}

// place reports a name that is no place's.
func (d *decoder) place(name string, at hcl.Range) {
	if all := places(d.rb, ""); !slices.Contains(all, plainly(name)) {
		d.add(diag.Suggest(diag.UnknownName.At(at, "There is no %s in %s.", name, d.rb.File), diag.Nearest(name, all)))
	}
}

func (d *decoder) expect(body *hclsyntax.Body) Expect {
	var e Expect
	d.words("expect", body, []string{"outcome", "status", "calls", "order", "blocked_by", "message"}, nil)
	for _, attr := range runbook.SortedAttributes(body) {
		at := attr.Expr.Range()
		switch attr.Name {
		case "outcome":
			e.Outcome = d.word(attr, []string{"succeeded", "failed", "blocked", "waiting", "interrupted"})
		case "message":
			if v, ok := d.value(attr, attr.Name, cty.String); ok {
				e.Message = v.AsString()
			}
		case "blocked_by":
			if e.BlockedBy = d.reference(attr.Expr); e.BlockedBy != "" {
				d.place(e.BlockedBy, at)
			}
		case "order":
			e.Order = d.references(attr.Expr)
			for _, address := range e.Order {
				d.step(address, at)
			}
		case "status":
			if v, ok := d.value(attr, attr.Name, cty.Map(cty.String)); ok {
				e.Status = map[string]string{}
				for address, status := range v.AsValueMap() {
					d.step(address, at)
					e.Status[address] = text(status)
					if words := runbook.Statuses(); !slices.Contains(words, text(status)) {
						p := diag.InvalidArgument.At(at, "%q is no status of a step; there are %s.", text(status), strings.Join(words, ", "))
						d.add(diag.Suggest(p, diag.Nearest(text(status), words)))
					}
				}
			}
		case "calls":
			if v, ok := d.value(attr, attr.Name, cty.Map(cty.Number)); ok {
				e.Calls = map[string]int{}
				for operation, n := range v.AsValueMap() {
					d.operation(operation, at)
					if n.IsNull() {
						continue
					}
					count, _ := n.AsBigFloat().Int64()
					e.Calls[operation] = int(count)
				}
			}
		}
	}
	return e
}

func (d *decoder) word(attr *hclsyntax.Attribute, words []string) string {
	v, ok := d.value(attr, attr.Name, cty.String)
	if !ok {
		return ""
	}
	if !slices.Contains(words, text(v)) {
		p := diag.InvalidArgument.At(attr.Expr.Range(), "%q takes %s, not %q.", attr.Name, strings.Join(words, ", "), text(v))
		d.add(diag.Suggest(p, diag.Nearest(text(v), words)))
	}
	return text(v)
}

// operation finds an operation of the runbook's; nil: that is reported.
func (d *decoder) operation(name string, at hcl.Range) *use {
	uses := operations(d.rb)
	if u := uses[name]; u != nil {
		return u
	}
	p := diag.UnknownOperation.At(at, "The runbook uses no %s.", name)
	d.add(diag.Suggest(p, diag.Nearest(name, slices.Sorted(maps.Keys(uses)))))
	return nil
}

func text(v cty.Value) string {
	if v.IsNull() || !v.IsKnown() {
		return fmt.Sprint(nil)
	}
	return v.AsString()
}
