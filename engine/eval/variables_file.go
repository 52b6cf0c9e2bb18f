package eval

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// file takes the values of one .vars.hcl file: arguments only, each named after
// a variable.
func (g *gatherer) file(path string) {
	body, diags := runbook.ParseFile(path)
	g.diags = append(g.diags, diags...)
	if body == nil {
		return
	}
	for _, b := range body.Blocks {
		g.add(diag.WrongShape.At(b.TypeRange, "A file of variables holds arguments only: write %s = … with an equals sign.", b.Type))
	}
	for _, attr := range runbook.SortedAttributes(body) {
		v, ok := g.rb.Variables[attr.Name]
		if !ok {
			g.undeclared(attr.Name, attr.NameRange.Filename, attr.NameRange.Ptr())
			continue
		}
		if v.Reached {
			g.attribute(v, attr)
		}
	}
}

func (g *gatherer) attribute(v *runbook.Variable, attr *hclsyntax.Attribute) {
	at := attr.Expr.Range()
	if refs := runbook.References(attr.Expr); len(refs) > 0 {
		g.spoil(v.Name)
		g.add(diag.NotConstant.At(refs[0].Range, "A file of variables holds values: write them out, without references."))
		return
	}
	value, diags := evaluateAlone(attr.Expr)
	if diags.HasErrors() {
		g.spoil(v.Name)
		g.diags = append(g.diags, diags...)
		return
	}
	g.given[v.Name] = given{value: value, from: fmt.Sprintf("%s:%d", at.Filename, at.Start.Line), at: rangePtr(at)}
}

func rangePtr(r hcl.Range) *hcl.Range { return &r }
