package runbook

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/providers/schema"
)

// decodeNotice decodes a notify or an escalation.
func (l *loader) decodeNotice(block *hclsyntax.Block) {
	name, ok := l.label(block, "name")
	n := &Notice{Kind: block.Type, Name: name, Range: block.DefRange()}
	if n.Kind == notifyBlock.Name {
		l.checkWords(block.Body, notifyBlock)
		n.On = l.tells(block)
	} else {
		l.checkWords(block.Body, escalationBlock)
		if l.required(block, "after") != nil {
			if d := l.duration(block.Body, "after", false); d != nil {
				n.After = *d
			}
		}
		if attr := block.Body.Attributes["when"]; attr != nil {
			n.When = attr.Expr
		}
	}
	n.Action = l.ownAction(block)
	if ok && l.declare(n.Kind, name, n.Range) {
		l.rb.Notices = append(l.rb.Notices, n)
	}
}

// tells reads what a notify tells of.
func (l *loader) tells(block *hclsyntax.Block) []string {
	if l.required(block, "on") == nil {
		return nil
	}
	v, at, ok := l.value(block.Body, "on", cty.List(cty.String))
	if !ok {
		return nil
	}
	var said []string
	for _, item := range v.AsValueSlice() {
		switch {
		case item.IsNull() || !slices.Contains(Tells(), item.AsString()):
			word := ""
			if !item.IsNull() {
				word = item.AsString()
			}
			d := diag.InvalidArgument.At(at, "\"on\" takes %s, not %q.", list(quoted(Tells()), "and"), word)
			l.add(diag.Suggest(d, diag.Nearest(word, Tells())))
		default:
			said = append(said, item.AsString())
		}
	}
	if v.LengthInt() == 0 {
		l.add(diag.InvalidArgument.At(at, "\"on\" is empty, so nobody is told anything. It takes %s.", list(quoted(Tells()), "and")))
	}
	return slices.DeleteFunc(Tells(), func(word string) bool { return !slices.Contains(said, word) })
}

// visitNotice looks at what a notice refers to: to what is known whatever has
// become of the steps.
func (l *loader) visitNotice(n *Notice) {
	sc := scope{owner: n.Kind + " " + n.Name, place: "a " + n.Kind, static: true, notice: true}
	if n.Kind == escalationBlock.Name {
		sc.place = "an escalation"
	}
	if n.When != nil {
		l.visit(n.When, sc)
	}
	l.visitOperation(n.Action, sc)
}

// notice checks what tells people: nobody is there to answer it.
func (v *validator) notice(n *Notice) {
	spec := v.operation(n.Action, schema.Action)
	if spec != nil && spec.Asks {
		v.add(diag.Conflict.At(n.Action.LabelRange, "%s asks a person, and %s only tells.", n.Action.Type(), n.Address()))
	}
}
