package rehearse

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

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
	Answers    Answers
	CrashAfter string // an address; empty: it does not crash
	Expect     Expect
	Invariants []*Invariant // its own
	Range      hcl.Range

	body   *hclsyntax.Body
	blocks []*hclsyntax.Block // its mocks
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
	d := &decoder{rb: rb}
	d.diags.Add(diags...)
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
	return f, d.diags.Diagnostics()
}

type decoder struct {
	rb    *runbook.Runbook
	diags diag.List

	places     []string        // what at and blocked_by may name, once it is asked for
	operations map[string]*use // likewise
}

func (d *decoder) add(problem *hcl.Diagnostic) { d.diags.Add(problem) }

// words reports what does not belong into a block.
func (d *decoder) words(kind string, body *hclsyntax.Body, arguments, blocks []string) {
	for _, attr := range runbook.SortedAttributes(body) {
		if !slices.Contains(arguments, attr.Name) && !d.diags.Full() {
			p := diag.UnknownArgument.At(attr.NameRange, "A %s has no argument %q; it takes %s.", kind, attr.Name, strings.Join(arguments, ", "))
			d.add(diag.Suggest(p, diag.Nearest(attr.Name, arguments)))
		}
	}
	for _, block := range body.Blocks {
		if !slices.Contains(blocks, block.Type) && !d.diags.Full() {
			p := diag.UnknownBlock.At(block.TypeRange, "A %s has no block %q.", kind, block.Type)
			d.add(diag.Suggest(p, diag.Nearest(block.Type, blocks)))
		}
	}
}

func (d *decoder) test(block *hclsyntax.Block) *Test {
	t := &Test{Range: block.DefRange(), Approve: map[string]bool{}, body: block.Body}
	if len(block.Labels) == 1 {
		t.Name = block.Labels[0]
	} else {
		d.add(diag.InvalidLabel.At(block.DefRange(), "A test block needs a name: test \"name\" { … }"))
	}
	body := block.Body
	d.words("test", body, []string{"variables", "approve", "answers", "crash_after"}, []string{"mock", "invariant", "expect"})
	t.Variables = d.variables(body)
	if attr := body.Attributes["approve"]; attr != nil {
		for _, address := range d.references(attr.Expr) {
			t.Approve[address] = d.step(address, attr.Expr.Range())
		}
	}
	d.answers(t)
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
