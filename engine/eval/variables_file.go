package eval

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// file takes the values of one .vars.hcl file: arguments only, each named after
// a variable. What is wrong with it is said by name alone: its lines may hold
// secrets, also under a name that was mistyped.
func (g *gatherer) file(path string) {
	body, diags := g.parse(path)
	for _, d := range diags {
		g.add(discreet(d))
	}
	if body == nil {
		return
	}
	for _, b := range body.Blocks[:min(len(body.Blocks), diag.MaxListed+1)] {
		g.add(discreet(diag.WrongShape.At(b.TypeRange, "A file of variables holds arguments only: write %s = … with an equals sign.", b.Type)))
	}
	for _, attr := range runbook.SortedAttributes(body) {
		if g.diags.Full() {
			return
		}
		v, ok := g.rb.Variables[attr.Name]
		if !ok {
			diag.WithholdSource(g.undeclared(attr.Name, attr.NameRange.Filename, attr.NameRange.Ptr()))
			continue
		}
		if v.Reached {
			g.attribute(v, attr)
		}
	}
}

// parsed is a file as it was read.
type parsed struct {
	body  *hclsyntax.Body
	diags hcl.Diagnostics
}

// parse reads a file once for all runbooks of a run: a call with a for_each asks
// for the same one again and again.
func (g *gatherer) parse(path string) (*hclsyntax.Body, hcl.Diagnostics) {
	if known, ok := g.src.parsed[path]; ok {
		return known.body, known.diags
	}
	body, diags := runbook.ParseFile(path)
	if g.src.parsed != nil {
		g.src.parsed[path] = parsed{body, diags}
	}
	return body, diags
}

func (g *gatherer) attribute(v *runbook.Variable, attr *hclsyntax.Attribute) {
	at := attr.NameRange
	if len(runbook.References(attr.Expr)) > 0 {
		g.spoil(v.Name)
		g.add(discreet(diag.NotConstant.At(at, "A file of variables holds values: write that of %q out, without references. Text stands in quotes.", v.Name)))
		return
	}
	value, diags := evaluateAlone(attr.Expr)
	if diags.HasErrors() {
		g.spoil(v.Name)
		for _, d := range diags {
			d.Subject, d.Context, d.Expression, d.EvalContext = &at, nil, nil, nil
			if v.Sensitive {
				d.Detail = fmt.Sprintf("The value of %q cannot be evaluated. Why is not said, since it is sensitive.", v.Name)
			}
			g.add(discreet(d))
		}
		return
	}
	g.given[v.Name] = given{value: value, from: fmt.Sprintf("%s:%d", at.Filename, at.Start.Line), at: &at, discreet: true}
}

// discreet keeps what a diagnostic quotes of a file of variables, and the lines
// that it points at, from being shown.
func discreet(d *hcl.Diagnostic) *hcl.Diagnostic {
	if said := diag.Suggestion(d); said != "" {
		d.Detail = strings.ReplaceAll(d.Detail, said, redact.Text)
		diag.WithSuggestion(d, "")
	}
	return diag.WithholdSource(d)
}
