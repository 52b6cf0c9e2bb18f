// Package address holds the addresses of steps: step.x, step.x["k"] for an
// instance, step.x[*] for instances that are not known yet, and
// step.x.step.y for the steps of a called runbook. Addresses are parsed,
// printed and compared here; what they point at is left to others.
package address

import (
	"fmt"
	"strings"
)

// Step is the address of a step. The zero value is no address. Addresses are
// values; none is changed after Parse.
type Step struct {
	parts []Part
}

// Part is one level of an address: a step, and which of its instances.
type Part struct {
	Name  string
	Key   string // of the instance, where Which is One
	Which Instances
}

// Instances says which instances of a step are meant.
type Instances int

// The ways of naming instances.
const (
	Plain Instances = iota // the step itself: step.x
	One                    // one instance: step.x["k"]
	Any                    // instances that are not known yet: step.x[*]
)

// New returns the address of a step in the outermost runbook.
func New(name string) Step { return Step{parts: []Part{{Name: name}}} }

// Instance is the address of one instance of the step that s names.
func (s Step) Instance(key string) Step { return s.last(Part{Key: key, Which: One}) }

// Unknown is the address of the instances, not known yet, of the step that s
// names.
func (s Step) Unknown() Step { return s.last(Part{Which: Any}) }

func (s Step) last(p Part) Step {
	parts := append([]Part(nil), s.parts...)
	p.Name = parts[len(parts)-1].Name
	parts[len(parts)-1] = p
	return Step{parts: parts}
}

// Step is the address of a step in the runbook that s calls.
func (s Step) Step(name string) Step {
	return Step{parts: append(s.parts[:len(s.parts):len(s.parts)], Part{Name: name})}
}

// Parts lists the levels of the address, outermost first. The caller must not
// change them.
func (s Step) Parts() []Part { return s.parts }

// String prints the address as Parse reads it.
func (s Step) String() string {
	var b strings.Builder
	for i, p := range s.parts {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString("step.")
		b.WriteString(p.Name)
		switch p.Which {
		case One:
			b.WriteByte('[')
			b.WriteString(quote(p.Key))
			b.WriteByte(']')
		case Any:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// Compare orders addresses level by level: by name, then plain before
// instances by key before unknown ones; a step before those it calls.
func Compare(a, b Step) int {
	for i := range min(len(a.parts), len(b.parts)) {
		p, q := a.parts[i], b.parts[i]
		if c := strings.Compare(p.Name, q.Name); c != 0 {
			return c
		}
		if p.Which != q.Which {
			return int(p.Which) - int(q.Which)
		}
		if c := strings.Compare(p.Key, q.Key); c != 0 {
			return c
		}
	}
	return len(a.parts) - len(b.parts)
}

// Parse reads an address such as step.x, step.x["k"] or step.x.step.y.
func Parse(text string) (Step, error) {
	var s Step
	rest := text
	for {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, "step."); !ok {
			return Step{}, fmt.Errorf("%q is no step address: it is written step.NAME", text)
		}
		n := 0
		for n < len(rest) && isNameByte(rest[n], n == 0) {
			n++
		}
		if n == 0 {
			return Step{}, fmt.Errorf("%q is no step address: a name must follow \"step.\"", text)
		}
		part := Part{Name: rest[:n]}
		rest = rest[n:]
		if strings.HasPrefix(rest, "[") {
			key, after, err := parseKey(rest)
			if err != nil {
				return Step{}, fmt.Errorf("%q is no step address: %w", text, err)
			}
			part.Key, part.Which, rest = key.Key, key.Which, after
		}
		s.parts = append(s.parts, part)
		if rest == "" {
			return s, nil
		}
		if rest, ok = strings.CutPrefix(rest, "."); !ok {
			return Step{}, fmt.Errorf("%q is no step address: unexpected %q", text, rest)
		}
	}
}

func isNameByte(c byte, first bool) bool {
	switch {
	case c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		return true
	case c == '-' || '0' <= c && c <= '9':
		return !first
	}
	return false
}

// Of is the address of these levels, outermost first.
func Of(parts ...Part) Step { return Step{parts: parts} }
