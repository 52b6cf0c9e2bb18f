package redact

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// unknownText stands for a value that a plan cannot know.
const unknownText = "(not known yet)"

// Display is v for people, on one line, as it would be written in HCL, with
// sensitive parts as (sensitive). Control characters come out escaped.
func Display(v cty.Value) string {
	var b strings.Builder
	display(&b, v)
	return b.String()
}

func display(b *strings.Builder, v cty.Value) {
	switch {
	case v == cty.NilVal:
		b.WriteString("null")
		return
	case v.HasMark(Sensitive):
		b.WriteString(Text)
		return
	}
	v, _ = v.Unmark()
	switch {
	case !v.IsKnown():
		b.WriteString(unknownText)
	case v.IsNull():
		b.WriteString("null")
	case v.Type() == cty.String:
		b.WriteString(strconv.Quote(v.AsString()))
	case v.Type() == cty.Number:
		b.WriteString(v.AsBigFloat().Text('f', -1))
	case v.Type() == cty.Bool:
		b.WriteString(strconv.FormatBool(v.True()))
	case v.Type().IsObjectType() || v.Type().IsMapType():
		displayEntries(b, v)
	case v.CanIterateElements():
		displayElements(b, v)
	default:
		b.WriteString("(" + v.Type().FriendlyName() + ")")
	}
}

func displayEntries(b *strings.Builder, v cty.Value) {
	open := "{ "
	for key, element := range v.Elements() {
		b.WriteString(open)
		open = ", "
		if name := key.AsString(); hclsyntax.ValidIdentifier(name) {
			b.WriteString(name)
		} else {
			b.WriteString(strconv.Quote(name))
		}
		b.WriteString(" = ")
		display(b, element)
	}
	if open == "{ " {
		b.WriteString("{}")
		return
	}
	b.WriteString(" }")
}

func displayElements(b *strings.Builder, v cty.Value) {
	b.WriteByte('[')
	separator := ""
	for _, element := range v.Elements() {
		b.WriteString(separator)
		separator = ", "
		display(b, element)
	}
	b.WriteByte(']')
}
