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

// marked is a tree of JSON Pointers: those that go on below a part, by the name
// of what they go on to.
type marked struct {
	whole bool // one ends here
	below map[string]*marked
}

// maxMarked bounds the parts of a tree: of a value with more of them, all is
// sensitive.
const maxMarked = 250_000

// add takes a pointer into the tree and says how many parts it has added. It is
// followed only as deep as a value can be.
func (m *marked) add(pointer string) (added int) {
	for depth := 0; depth <= maxDepth && pointer != "" && pointer[0] == '/'; depth++ {
		name, rest, more := strings.Cut(pointer[1:], "/")
		if more {
			rest = "/" + rest
		}
		name = pointerUnescape.Replace(name)
		if m.below == nil {
			m.below = map[string]*marked{}
		}
		if m.below[name] == nil {
			m.below[name] = &marked{}
			added++
		}
		m, pointer = m.below[name], rest
	}
	m.whole = true
	return added
}

// markAt marks what the JSON Pointers point to, all in one walk: there may be as
// many of them as the value has parts. Where one points nowhere, the last part
// that exists is marked: rather too much than too little.
func markAt(v cty.Value, pointers []string) cty.Value {
	if len(pointers) == 0 {
		return v
	}
	root, parts := &marked{}, 0
	for _, p := range pointers {
		if parts += root.add(p); parts > maxMarked {
			return v.Mark(schema.Sensitive)
		}
	}
	return root.mark(v)
}

func (m *marked) mark(v cty.Value) cty.Value {
	if len(m.below) == 0 || v.IsNull() {
		return v.Mark(schema.Sensitive)
	}
	found, all := m.markBelow(v)
	if m.whole || !all {
		return found.Mark(schema.Sensitive)
	}
	return found
}

// markBelow is v with parts marked, if it has them all.
func (m *marked) markBelow(v cty.Value) (cty.Value, bool) {
	t := v.Type()
	switch {
	case t.IsObjectType() || t.IsMapType():
		elements := v.AsValueMap()
		for name, below := range m.below {
			element, ok := elements[name]
			if !ok {
				return v, false
			}
			elements[name] = below.mark(element)
		}
		if t.IsMapType() {
			return cty.MapVal(elements), true
		}
		return cty.ObjectVal(elements), true
	case t.IsListType() || t.IsTupleType():
		elements := v.AsValueSlice()
		for name, below := range m.below {
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(elements) {
				return v, false
			}
			elements[i] = below.mark(elements[i])
		}
		if t.IsListType() {
			return cty.ListVal(elements), true
		}
		return cty.TupleVal(elements), true
	}
	return v, false
}
