package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

// program is an expression as a program of jq, which reads $result, $run, $check,
// $step, and by $ENV what secrets it needs.
type program struct {
	text    string
	secrets []*secret
}

// translator writes one expression for jq. Whatever is known is written out, and
// all text in JSON, so that nothing in a runbook can become code.
type translator struct {
	*reading
	x       eval.Extra
	step    *runbook.Step // whose self it is; nil: nobody's
	key     string        // of its instance
	gives   []string      // fields of result; nil: there is no result
	locals  map[string]string
	secrets []*secret
	depth   int
	nodes   int
	soft    bool // for people: a list or an object is shown, and no mistake in a text
}

// unsaid is why an expression cannot be written for jq.
type unsaid struct{ error }

func (t *translator) fail(format string, args ...any) string {
	panic(unsaid{fmt.Errorf(format, args...)})
}

// program translates an expression; an error says what stands in the way.
func (t translator) program(expr hcl.Expression) (p program, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			u, ours := reason.(unsaid)
			if !ours {
				panic(reason)
			}
			err = u.error
		}
	}()
	if t.x.Result == cty.NilVal {
		t.x.Result = cty.DynamicVal
	}
	text := t.expr(expr)
	if len(text) > longest {
		return p, errors.New("the expression is too large for a shell")
	}
	return program{text: text, secrets: t.secrets}, nil
}

// Bounds of one expression, that of its locals included. A program is an argument
// of jq's, and Linux takes no longer ones.
const (
	deepest  = 200
	longest  = 64 << 10
	mostKnow = 5000 // nodes
)

func (t *translator) expr(expr hcl.Expression) string {
	t.nodes++
	if t.depth++; t.depth > deepest || t.nodes > mostKnow {
		return t.fail("the expression is too large for a shell")
	}
	defer func() { t.depth-- }()
	before := t.slow
	if len(t.locals) == 0 {
		if v, ok := t.known(expr, t.x); ok {
			return t.literal(v)
		}
	}
	if t.slow > before || t.slow > patienceWithSlow {
		return t.fail("the expression takes too long to evaluate")
	}
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		return t.expr(e.Expression)
	case *hclsyntax.LiteralValueExpr:
		return t.literal(e.Val)
	case *hclsyntax.TemplateWrapExpr:
		return t.expr(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		word := "text"
		if t.soft {
			word = "shown"
		}
		parts := make([]string, len(e.Parts))
		for i, part := range e.Parts {
			parts[i] = "(" + t.expr(part) + " | " + word + ")"
		}
		return "(" + strings.Join(append(parts, `""`), " + ") + ")"
	case *hclsyntax.ScopeTraversalExpr:
		return t.traversal(e.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		if index, ok := e.Source.(*hclsyntax.IndexExpr); ok {
			return t.instance(index, e.Traversal)
		}
		return t.rest(t.expr(e.Source), e.Traversal)
	case *hclsyntax.IndexExpr:
		return t.instance(e, nil)
	case *hclsyntax.ConditionalExpr:
		return fmt.Sprintf("(if (%s | truth) then %s else %s end)", t.expr(e.Condition), t.expr(e.TrueResult), t.expr(e.FalseResult))
	case *hclsyntax.BinaryOpExpr:
		return t.binary(e)
	case *hclsyntax.UnaryOpExpr:
		if e.Op == hclsyntax.OpLogicalNot {
			return "(" + t.expr(e.Val) + " | truth | not)"
		}
		return "(" + t.expr(e.Val) + " | number | -.)"
	case *hclsyntax.FunctionCallExpr:
		return t.function(e)
	case *hclsyntax.TupleConsExpr:
		return t.tuple(e.Exprs)
	case *hclsyntax.ObjectConsExpr:
		return t.object(e)
	case *hclsyntax.ForExpr:
		return t.loop(e)
	case *hclsyntax.SplatExpr:
		return t.splat(e)
	case *hclsyntax.AnonSymbolExpr:
		return t.locals[anonymous]
	}
	return t.fail("it holds what no shell evaluates")
}

// anonymous is the element of a splat among the names of a scope.
const anonymous = "*"

func (t *translator) literal(v cty.Value) string {
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return t.fail("%v", err)
	}
	var whole bytes.Buffer
	if err := json.Compact(&whole, text); err != nil {
		return t.fail("%v", err)
	}
	return "(" + whole.String() + ")"
}

func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always can be
	return strings.TrimSuffix(b.String(), "\n")
}

func (t *translator) tuple(exprs []hclsyntax.Expression) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = t.expr(e)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (t *translator) object(e *hclsyntax.ObjectConsExpr) string {
	parts := make([]string, len(e.Items))
	for i, item := range e.Items {
		key := item.KeyExpr
		name := ""
		if wrapped, ok := key.(*hclsyntax.ObjectConsKeyExpr); ok {
			key = wrapped.Wrapped
			if keyword := hcl.ExprAsKeyword(wrapped.Wrapped); keyword != "" && !wrapped.ForceNonLiteral {
				name = quoted(keyword)
			}
		}
		if name == "" {
			name = t.expr(key) + " | text"
		}
		parts[i] = "(" + name + "): " + t.expr(item.ValueExpr)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (t *translator) binary(e *hclsyntax.BinaryOpExpr) string {
	left, right := t.expr(e.LHS), t.expr(e.RHS)
	switch e.Op {
	case hclsyntax.OpLogicalAnd:
		return fmt.Sprintf("((%s | truth) and (%s | truth))", left, right)
	case hclsyntax.OpLogicalOr:
		return fmt.Sprintf("((%s | truth) or (%s | truth))", left, right)
	case hclsyntax.OpEqual:
		return fmt.Sprintf("(%s == %s)", left, right)
	case hclsyntax.OpNotEqual:
		return fmt.Sprintf("(%s != %s)", left, right)
	}
	symbols := map[*hclsyntax.Operation]string{
		hclsyntax.OpGreaterThan: ">", hclsyntax.OpGreaterThanOrEqual: ">=", hclsyntax.OpLessThan: "<", hclsyntax.OpLessThanOrEqual: "<=",
		hclsyntax.OpAdd: "+", hclsyntax.OpSubtract: "-", hclsyntax.OpMultiply: "*", hclsyntax.OpDivide: "/", hclsyntax.OpModulo: "%",
	}
	symbol, ok := symbols[e.Op]
	if !ok {
		return t.fail("it holds an operator that no shell evaluates")
	}
	return fmt.Sprintf("((%s | number) %s (%s | number))", left, symbol, right)
}

// scope translates with names of its own.
func (t *translator) scope(names map[string]string, within func() string) string {
	before := t.locals
	t.locals = map[string]string{}
	for name, variable := range before {
		t.locals[name] = variable
	}
	for name, variable := range names {
		t.locals[name] = variable
	}
	defer func() { t.locals = before }()
	return within()
}

func (t *translator) loop(e *hclsyntax.ForExpr) string {
	if e.Group {
		return t.fail("it groups by a for expression")
	}
	n := len(t.locals)
	key, value := fmt.Sprintf("$k%d", n), fmt.Sprintf("$v%d", n)
	names := map[string]string{e.ValVar: value}
	if e.KeyVar != "" {
		names[e.KeyVar] = key
	}
	collection := t.expr(e.CollExpr)
	return t.scope(names, func() string {
		body := t.expr(e.ValExpr)
		if e.KeyExpr != nil {
			body = fmt.Sprintf("{key: (%s | text), value: %s}", t.expr(e.KeyExpr), body)
		}
		if e.CondExpr != nil {
			body = fmt.Sprintf("if (%s | truth) then %s else empty end", t.expr(e.CondExpr), body)
		}
		all := fmt.Sprintf("[%s | pairs | .key as %s | .value as %s | %s]", collection, key, value, body)
		if e.KeyExpr != nil {
			all += " | from_entries"
		}
		return "(" + all + ")"
	})
}

func (t *translator) splat(e *hclsyntax.SplatExpr) string {
	source := t.expr(e.Source)
	value := fmt.Sprintf("$v%d", len(t.locals))
	return t.scope(map[string]string{anonymous: value}, func() string {
		return fmt.Sprintf("[%s | listed | .[] as %s | %s]", source, value, t.expr(e.Each))
	})
}

func (t *translator) rest(of string, traversal hcl.Traversal) string {
	for _, step := range traversal {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			of += " | at(" + quoted(s.Name) + ")"
		case hcl.TraverseIndex:
			of += " | at(" + t.literal(s.Key) + ")"
		default:
			return t.fail("it is read in a way that no shell knows")
		}
	}
	return "(" + of + ")"
}

// instance is step.x[KEY].rest and check.x[KEY].rest as well as any other index.
func (t *translator) instance(e *hclsyntax.IndexExpr, rest hcl.Traversal) string {
	if of, ok := e.Collection.(*hclsyntax.ScopeTraversalExpr); ok && len(of.Traversal) == 2 {
		if root := of.Traversal.RootName(); root == "step" || root == "check" {
			name, _ := of.Traversal[1].(hcl.TraverseAttr)
			t.mayRead(root, name.Name, rest)
			return t.rest(fmt.Sprintf("$%s | at(%s) | at(%s)", root, quoted(name.Name), t.expr(e.Key)), rest)
		}
	}
	return t.rest(t.expr(e.Collection)+" | at("+t.expr(e.Key)+")", rest)
}

func (t *translator) traversal(traversal hcl.Traversal) string {
	root := traversal.RootName()
	if variable, ok := t.locals[root]; ok {
		return t.rest(variable, traversal[1:])
	}
	name := ""
	if len(traversal) > 1 {
		if attr, ok := traversal[1].(hcl.TraverseAttr); ok {
			name = attr.Name
		}
	}
	switch root {
	case "result":
		if t.gives == nil || name == "" || !slices.Contains(append([]string{"ok", "summary"}, t.gives...), name) {
			return t.fail("no command tells result.%s", name)
		}
		return t.rest("$result", traversal[1:])
	case "run":
		return t.rest("$run", traversal[1:])
	case "self":
		if t.step == nil || len(traversal) < 2 {
			break
		}
		t.mayRead("step", t.step.Name, traversal[1:])
		of := "$step | at(" + quoted(t.step.Name) + ")"
		if t.step.ForEach != nil {
			of += " | at(" + quoted(t.key) + ")"
		}
		return t.rest(of, traversal[1:])
	case "step", "check":
		if name == "" {
			break
		}
		rest := traversal[2:]
		if root == "step" && t.forEach(name) {
			if len(rest) == 1 && t.attribute(rest) == "status" {
				return "($step | at(" + quoted(name) + ") | worst)"
			}
			if len(rest) == 0 {
				break
			}
			if _, ok := rest[0].(hcl.TraverseIndex); !ok {
				break
			}
			t.mayRead(root, name, rest[1:])
		} else if c := t.rb.Checks[name]; root == "check" && c != nil && c.ForEach != nil && len(rest) > 0 {
			t.mayRead(root, name, rest[1:])
		} else {
			t.mayRead(root, name, rest)
		}
		return t.rest("$"+root+" | at("+quoted(name)+")", rest)
	case "var":
		for _, s := range t.book.secrets {
			if v := t.rb.Variables[name]; v != nil && s.variable == name && v.Sensitive && len(traversal) == 2 {
				t.secrets = append(t.secrets, s)
				return "($ENV." + s.env + ")"
			}
		}
	case "local":
		if l := t.rb.Locals[name]; l != nil {
			before := t.locals
			t.locals = nil
			of := t.expr(l.Expr)
			t.locals = before
			return t.rest(of, traversal[2:])
		}
	}
	if v, ok := t.known(&hclsyntax.ScopeTraversalExpr{Traversal: traversal, SrcRange: traversal.SourceRange()}, t.x); ok {
		return t.literal(v)
	}
	return t.fail("no shell knows %s", root)
}

func (t *translator) forEach(step string) bool {
	s := t.stepNamed(step)
	return s != nil && s.ForEach != nil
}

func (t *translator) attribute(rest hcl.Traversal) string {
	if len(rest) > 0 {
		if attr, ok := rest[0].(hcl.TraverseAttr); ok {
			return attr.Name
		}
	}
	return ""
}

// mayRead refuses what the commands of a step or check do not tell, so that try
// takes nothing for missing that merely was not looked at.
func (t *translator) mayRead(root, name string, rest hcl.Traversal) {
	var op *runbook.Operation
	kind := schema.Probe
	at := slices.IndexFunc(rest, func(s hcl.Traverser) bool {
		attr, ok := s.(hcl.TraverseAttr)
		return ok && attr.Name == "result"
	})
	if at < 0 {
		if len(rest) == 0 {
			t.fail("it takes all of %s.%s at once", root, name)
		}
		return
	}
	switch s := t.stepNamed(name); {
	case root == "check" && t.rb.Checks[name] != nil:
		op = t.probeOf(&t.rb.Checks[name].Assertion)
	case s == nil:
		return
	case at == 0 && s.Action != nil:
		op, kind = s.Action, schema.Action
	case at == 0 && s.Probe != nil:
		op = s.Probe
	case at == 0 && s.Call != nil:
		return // outputs: those that cannot be told are not there
	case at == 2:
		assertion := t.attribute(rest[1:])
		for _, a := range s.Assertions() {
			if a.Name == assertion {
				op = t.probeOf(a)
			}
		}
	}
	field := t.attribute(rest[at+1:])
	if op == nil || field == "" || !slices.Contains(append([]string{"ok", "summary"}, t.givenBy(op, kind)...), field) {
		t.fail("no command tells the field %q of the result of %s.%s", field, root, name)
	}
}

// probeOf is what an assertion asks in the end.
func (r *reading) probeOf(a *runbook.Assertion) *runbook.Operation {
	for !a.All && len(a.Checks) == 1 && r.rb.Checks[a.Checks[0].Name] != nil {
		a = &r.rb.Checks[a.Checks[0].Name].Assertion
	}
	return a.Probe
}

// givenBy lists the fields that an operation's command tells.
func (r *reading) givenBy(op *runbook.Operation, kind schema.Kind) []string {
	h, err := r.byHand(op, kind, eval.Extra{EachKey: cty.StringVal(r.text(0, "key")), EachValue: cty.StringVal(r.text(0, "value"))})
	if err != nil {
		return nil
	}
	return h.Gives
}

func (r *reading) stepNamed(name string) *runbook.Step {
	for _, s := range r.rb.Steps {
		if s.Name == name {
			return s
		}
	}
	return nil
}
