package protocol

import (
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

// pointer is the path as a JSON Pointer. A path into a set ends at the set,
// whose elements have no place of their own.
func pointer(path cty.Path) string {
	var b strings.Builder
	for _, step := range path {
		var name string
		switch step := step.(type) {
		case cty.GetAttrStep:
			name = step.Name
		case cty.IndexStep:
			switch step.Key.Type() {
			case cty.String:
				name = step.Key.AsString()
			case cty.Number:
				name = step.Key.AsBigFloat().Text('f', -1)
			default:
				return b.String()
			}
		}
		b.WriteByte('/')
		b.WriteString(pointerEscape.Replace(name))
	}
	return b.String()
}

// markAt marks what the JSON Pointer points to. Where it points nowhere, the
// last part that exists is marked: rather too much than too little.
func markAt(v cty.Value, p string) cty.Value {
	if p == "" || p[0] != '/' || v.IsNull() {
		return v.Mark(schema.Sensitive)
	}
	name, rest, more := strings.Cut(p[1:], "/")
	if more {
		rest = "/" + rest
	}
	name = pointerUnescape.Replace(name)
	v, marks := v.Unmark()
	marked, ok := replaceAt(v, name, rest)
	if !ok {
		return v.WithMarks(marks).Mark(schema.Sensitive)
	}
	return marked.WithMarks(marks)
}

// replaceAt is v with one element marked, if v has it.
func replaceAt(v cty.Value, name, rest string) (cty.Value, bool) {
	t := v.Type()
	switch {
	case t.IsObjectType() || t.IsMapType():
		elements := v.AsValueMap()
		element, ok := elements[name]
		if !ok {
			return v, false
		}
		elements[name] = markAt(element, rest)
		if t.IsMapType() {
			return cty.MapVal(elements), true
		}
		return cty.ObjectVal(elements), true
	case t.IsListType() || t.IsTupleType():
		elements := v.AsValueSlice()
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(elements) {
			return v, false
		}
		elements[i] = markAt(elements[i], rest)
		if t.IsListType() {
			return cty.ListVal(elements), true
		}
		return cty.TupleVal(elements), true
	}
	return v, false
}
