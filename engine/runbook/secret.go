package runbook

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// warnOfSecret warns of a sensitive value that is written out as a default. The
// file is no secret: it is in version control. The warning points at the block,
// since the lines it points at are shown.
func (l *loader) warnOfSecret(v *Variable, given cty.Value) {
	if !v.Sensitive || given.IsNull() {
		return
	}
	if t := given.Type(); t == cty.String && given.AsString() == "" || !t.IsPrimitiveType() && given.LengthInt() == 0 {
		return
	}
	l.add(diag.SecretInFile.WarnAt(v.Range, "The variable %q is sensitive, but its default can be read by whoever reads this file. Leave it out, and give the value by env, by file or by RUNBOOK_VAR_%s.", v.Name, v.Name))
}

// Secrets lists the expressions of one runbook whose values must not be shown:
// defaults of sensitive variables, arguments that a schema calls sensitive, what
// a call gives to sensitive variables, and what is wrapped in sensitive(). A
// provider without a schema has none.
func Secrets(rb *Runbook, schemas SchemaSource) []hclsyntax.Expression {
	f := &secretFinder{schemas: schemas}
	for _, name := range slices.Sorted(maps.Keys(rb.Variables)) {
		if v := rb.Variables[name]; v.Sensitive {
			f.add(v.DefaultExpr)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rb.Locals)) {
		f.wrapped(rb.Locals[name].Expr)
	}
	for _, ref := range slices.Sorted(maps.Keys(rb.Providers)) {
		p := rb.Providers[ref]
		if s, err := schemas.Schema(p.Name); err == nil {
			f.body(p.Body, s.Config)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rb.Checks)) {
		f.operation(rb.Checks[name].Probe, schema.Probe)
	}
	for _, step := range rb.Steps {
		for _, op := range step.Actions() {
			f.operation(op, schema.Action)
		}
		f.operation(step.Probe, schema.Probe)
		for _, a := range step.Assertions() {
			f.operation(a.Probe, schema.Probe)
		}
		if step.Call == nil || step.Call.Runbook == nil {
			continue
		}
		for _, given := range step.Call.Variables {
			if v := step.Call.Runbook.Variables[given.Name]; v != nil && v.Sensitive {
				f.add(given.Value)
			}
			f.wrapped(given.Value)
		}
	}
	for _, n := range rb.Notices {
		f.operation(n.Action, schema.Action)
	}
	return f.found
}

type secretFinder struct {
	schemas SchemaSource
	found   []hclsyntax.Expression
}

func (f *secretFinder) add(expr hcl.Expression) {
	if expr, ok := expr.(hclsyntax.Expression); ok {
		f.found = append(f.found, expr)
	}
}

func (f *secretFinder) operation(op *Operation, kind schema.Kind) {
	if op == nil {
		return
	}
	var takes schema.Object
	if s, err := f.schemas.Schema(op.Provider); err == nil {
		if o := s.Operation(kind, op.Name); o != nil {
			takes = o.Arguments
		}
	}
	f.body(op.Body, takes)
}

func (f *secretFinder) body(body hcl.Body, takes schema.Object) {
	for _, attr := range SortedAttributes(body.(*hclsyntax.Body)) {
		if a := takes.Attribute(attr.Name); a != nil && a.Sensitive {
			f.add(attr.Expr)
		}
		f.wrapped(attr.Expr)
	}
}

// wrapped finds calls of sensitive().
func (f *secretFinder) wrapped(expr hcl.Expression) {
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return
	}
	hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "sensitive" {
			f.add(call)
		}
		return nil
	})
}

// Public is the text of every file of a runbook and of what it calls, without
// what is written out where a secret belongs: in place of each text and number
// there, and in the locals that lead there, it says (sensitive). It is the same
// for the same files and schemas, whatever values the variables have.
func Public(rb *Runbook, schemas SchemaSource) map[string]string {
	written := map[string][]hcl.Range{}
	for _, each := range rb.Tree() {
		for _, r := range writtenSecrets(each, schemas) {
			written[r.Filename] = append(written[r.Filename], r)
		}
	}
	texts := make(map[string]string, len(rb.Sources))
	for name, source := range rb.Sources {
		texts[name] = withhold(source, written[name])
	}
	return texts
}

// writtenSecrets are the places of the literals in secrets, and in the locals
// that those are made of.
func writtenSecrets(rb *Runbook, schemas SchemaSource) []hcl.Range {
	var places []hcl.Range
	seen := map[string]bool{}
	pending := Secrets(rb, schemas)
	for len(pending) > 0 {
		expr := pending[0]
		pending = pending[1:]
		hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
			if literal, ok := n.(*hclsyntax.LiteralValueExpr); ok && (literal.Val.Type() == cty.String || literal.Val.Type() == cty.Number) {
				places = append(places, literal.SrcRange)
			}
			return nil
		})
		for _, r := range References(expr) {
			local := rb.Locals[r.Name]
			if r.Root != "local" || local == nil || seen[r.Name] {
				continue
			}
			seen[r.Name] = true
			if expr, ok := local.Expr.(hclsyntax.Expression); ok {
				pending = append(pending, expr)
			}
		}
	}
	return places
}

// withhold takes places out of a text. What ends a line goes on doing so.
func withhold(source []byte, places []hcl.Range) string {
	slices.SortFunc(places, func(a, b hcl.Range) int { return cmp.Compare(a.Start.Byte, b.Start.Byte) })
	var b bytes.Buffer
	at := 0
	for _, r := range places {
		from, to := max(r.Start.Byte, at), min(r.End.Byte, len(source))
		if from >= to || len(bytes.TrimSpace(source[from:to])) == 0 {
			continue
		}
		b.Write(source[at:from])
		b.WriteString(redact.Text)
		if source[to-1] == '\n' {
			b.WriteByte('\n')
		}
		at = to
	}
	b.Write(source[at:])
	return b.String()
}
