package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// valuesOf says what the references in a diagnostic's expression stood for, one
// line each, where the diagnostic carries the scope it was evaluated in.
// Sensitive values are never said.
func valuesOf(diag *hcl.Diagnostic) []string {
	if diag.Expression == nil || diag.EvalContext == nil {
		return nil
	}
	var lines []string
	for _, traversal := range diag.Expression.Variables() {
		value, diags := traversal.TraverseAbs(diag.EvalContext)
		if diags.HasErrors() {
			continue
		}
		line := shorten(traversalText(traversal), longestText) + " " + summarize(value)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// traversalText writes a reference as its author would: var.hosts[0].name.
func traversalText(traversal hcl.Traversal) string {
	var b strings.Builder
	for _, part := range traversal {
		switch part := part.(type) {
		case hcl.TraverseRoot:
			b.WriteString(part.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + part.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + keyText(part.Key) + "]")
		default:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

func keyText(key cty.Value) string {
	switch {
	case key.IsMarked() || !key.IsKnown() || key.IsNull():
		return "…"
	case key.Type() == cty.String:
		return strconv.Quote(key.AsString())
	case key.Type() == cty.Number:
		return key.AsBigFloat().Text('f', -1)
	}
	return "…"
}

// longestText is how much of a text value, and of a reference, a diagnostic
// quotes.
const longestText = 60

// summarize says what a value is in a few words.
func summarize(value cty.Value) string {
	switch {
	case value.IsMarked():
		return "is (sensitive)"
	case !value.IsKnown():
		return "is not known yet"
	case value.IsNull():
		return "is null"
	}
	kind := value.Type()
	switch {
	case kind == cty.String:
		return "is " + strconv.Quote(shorten(value.AsString(), longestText))
	case kind == cty.Number:
		return "is " + value.AsBigFloat().Text('f', -1)
	case kind == cty.Bool:
		return fmt.Sprintf("is %t", value.True())
	case kind.IsObjectType():
		return "is an object with " + Plural(len(kind.AttributeTypes()), "attribute")
	case kind.IsCollectionType() || kind.IsTupleType():
		return "is a " + strings.Fields(kind.FriendlyName())[0] + " with " + Plural(value.LengthInt(), "element")
	}
	return "is a " + kind.FriendlyName()
}

// shorten cuts text to at most limit runes, the last one then an ellipsis.
func shorten(text string, limit int) string {
	n, cut := 0, 0 // cut is where the last rune that fits begins
	for at := range text {
		if n == limit {
			return text[:cut] + "…"
		}
		n, cut = n+1, at
	}
	return text
}
