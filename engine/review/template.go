package review

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// language is one that an argument is written in.
type language struct {
	name  string
	quote string // the function that makes a value safe in it; empty: none does
	safe  string // how a value gets in otherwise
}

// templates reports what is filled into the SQL, the scripts and the program
// names of an operation.
func (r *reading) templates(op *runbook.Operation, say say) {
	sql := language{"SQL", "sqlquote_identifier", `write $1 and params = [%s]`}
	for _, name := range []string{"sql", "where"} {
		if expr := argument(op, name); expr != nil && op.Provider == "postgres" {
			r.filled(expr, sql, say)
		}
	}
	if op.Type() != "exec.run" {
		return
	}
	if script := argument(op, "script"); script != nil {
		r.filled(script, language{"a shell script", "shellquote", `write "$VALUE" and env = { VALUE = %s }`}, say)
	}
	if argv, ok := argument(op, "argv").(*hclsyntax.TupleConsExpr); ok && len(argv.Exprs) > 0 {
		r.filled(argv.Exprs[0], language{"the name of a program", "", "write the name out, and give %s as an argument of its own"}, say)
		if len(argv.Exprs) > 2 {
			if words := r.commandLine(argv); isShell(words[0]) && words[1] == "-c" {
				r.filled(argv.Exprs[2], language{"a shell script", "shellquote", `write "$1", and give %s after it, behind a word for $0`}, say)
			}
		}
	}
}

// commandLine are the words of an argv as far as they are written out.
func (r *reading) commandLine(argv *hclsyntax.TupleConsExpr) []string {
	words := make([]string, len(argv.Exprs))
	for i, expr := range argv.Exprs {
		words[i] = r.script(expr)
	}
	return words
}

// filled reports every value that a template fills in unquoted, in the expression
// or in a local that it uses.
func (r *reading) filled(expr hcl.Expression, in language, say say) {
	seen := map[string]bool{}
	pending := []hcl.Expression{expr}
	for len(pending) > 0 {
		expr := pending[0]
		pending = pending[1:]
		for _, part := range parts(expr) {
			if call, ok := part.(*hclsyntax.FunctionCallExpr); ok && in.quote != "" && call.Name == in.quote {
				continue
			}
			value := r.text(part)
			safe := fmt.Sprintf(in.safe, value)
			if in.quote != "" {
				safe += fmt.Sprintf("; where it is a name and no value, ${%s(%s)}", in.quote, value)
				if in.quote == "shellquote" {
					safe = fmt.Sprintf(in.safe, value) + ", or ${shellquote(" + value + ")} outside quotes"
				}
			}
			say(part.Range(), "%s is filled into %s, where it is read as part of it. Instead %s.", value, in.name, safe)
		}
		for _, ref := range runbook.References(expr) {
			if local := r.rb.Locals[ref.Name]; ref.Root == "local" && local != nil && !seen[ref.Name] {
				seen[ref.Name] = true
				pending = append(pending, local.Expr)
			}
		}
	}
}

// parts are the values that the templates within an expression fill in.
func parts(expr hcl.Expression) []hclsyntax.Expression {
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return nil
	}
	var found []hclsyntax.Expression
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.TemplateWrapExpr:
			found = append(found, n.Wrapped)
		case *hclsyntax.TemplateExpr:
			for _, part := range n.Parts {
				if _, literal := part.(*hclsyntax.LiteralValueExpr); !literal {
					found = append(found, part)
				}
			}
		}
		return nil
	})
	return found
}
