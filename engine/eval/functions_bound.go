package eval

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Some functions of the standard library make a large value of small ones in
// one call, which no budget can interrupt, or recurse into what they are given.
// They are called only after their arguments were looked at.

const (
	maxProduced = 64 << 20 // bytes of text that one call may put together
	maxWidth    = 1000     // of a field in a format, and of an indent
	maxDigits   = 4096     // of a number that is written as text
	maxDepth    = 200      // of lists and objects inside one another

	maxArguments = 1000 // of functions that compare them with each other
)

// before returns f, refusing arguments that check refuses. Arguments that check
// sees may be unknown or null.
func before(f function.Function, check func(args []cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      f.Params(),
		VarParam:    f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := check(args); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// str is a known string argument, or empty.
func str(v cty.Value) string {
	v, _ = v.Unmark()
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return v.AsString()
	}
	return ""
}

// count is the number of elements of a known list, or 0.
func count(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsKnown() && !v.IsNull() && v.CanIterateElements() {
		return v.LengthInt()
	}
	return 0
}

// weight is how many bytes of text a value holds.
func weight(v cty.Value) int {
	m := meter{bytes: maxProduced}
	m.add(v)
	return maxProduced - m.bytes
}

func tooMuch(bytes int) error {
	if bytes > maxProduced {
		return fmt.Errorf("the result would be larger than %d MiB", maxProduced>>20)
	}
	return nil
}

func tooMany(elements int) error {
	if elements > maxElements {
		return errors.New("the result would have more than 100,000 elements")
	}
	return nil
}

// wideField matches a width or precision of four digits or more, and an
// argument number of as many.
var wideField = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)

func formatBound(args []cty.Value) error {
	format := strings.ReplaceAll(str(args[0]), "%%", "")
	if wideField.MatchString(format) {
		return function.NewArgErrorf(0, "a field is at most 999 characters wide")
	}
	widest := maxWidth
	for _, a := range args[1:] {
		widest = max(widest, weight(a))
	}
	return tooMuch(len(format) + strings.Count(format, "%")*widest)
}

// formatlistBound is formatBound for a function that formats as many times as
// its longest argument has elements, one of each at a time.
func formatlistBound(args []cty.Value) error {
	format := strings.ReplaceAll(str(args[0]), "%%", "")
	if wideField.MatchString(format) {
		return function.NewArgErrorf(0, "a field is at most 999 characters wide")
	}
	total, longest := 0, 1
	for _, a := range args[1:] {
		longest = max(longest, count(a))
	}
	for _, a := range args[1:] {
		if count(a) == 0 {
			total += weight(a) * longest
		} else {
			total += weight(a)
		}
		if total > maxProduced {
			break
		}
	}
	return tooMuch(longest*len(format) + total*max(1, strings.Count(format, "%")))
}

func indentBound(args []cty.Value) error {
	n, _ := args[0].Unmark()
	if !n.IsKnown() || n.IsNull() {
		return nil
	}
	f, _ := n.AsBigFloat().Float64()
	if f < 0 || f > maxWidth {
		return function.NewArgErrorf(0, "an indent is from 0 to %d spaces", maxWidth)
	}
	text := str(args[1])
	return tooMuch(len(text) + strings.Count(text, "\n")*int(f))
}

func joinBound(args []cty.Value) error {
	total, n := 0, 0
	for _, a := range args[1:] {
		total += weight(a)
		n += count(a)
	}
	return tooMuch(total + n*len(str(args[0])))
}

func splitBound(args []cty.Value) error {
	return tooMany(strings.Count(str(args[1]), str(args[0])) + 1)
}

// fewBound is for functions that find one type for all their arguments, by
// comparing each with each.
func fewBound(args []cty.Value) error {
	if len(args) > maxArguments {
		return fmt.Errorf("there are %d arguments; %d is the most", len(args), maxArguments)
	}
	return nil
}

// gatherBound is for functions whose result holds all elements of all
// arguments.
func gatherBound(args []cty.Value) error {
	if err := fewBound(args); err != nil {
		return err
	}
	n := 0
	for _, a := range args {
		n += count(a)
	}
	return tooMany(n)
}

func digitsBound(args []cty.Value) error {
	if len(str(args[0])) > maxDigits {
		return function.NewArgErrorf(0, "a number has at most %d digits", maxDigits)
	}
	return nil
}

func csvBound(args []cty.Value) error {
	text := str(args[0])
	header, _, _ := strings.Cut(text, "\n")
	rows := strings.Count(text, "\n")
	if columns := strings.Count(header, ",") + 1; rows*columns > 10*maxElements {
		return function.NewArgErrorf(0, "the table has more than %d cells", 10*maxElements)
	}
	return tooMany(rows)
}

// jsonBound looks at JSON before it is parsed: cty's decoder recurses without a
// bound, and a Go stack that overflows cannot be recovered from.
func jsonBound(args []cty.Value) error {
	text := str(args[0])
	depth, values, digits := 0, 0, 0
	inString, escaped := false, false
	for i := range len(text) {
		c := text[i]
		if inString {
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				inString = false
			}
			continue
		}
		if '0' <= c && c <= '9' {
			if digits++; digits > maxDigits {
				return function.NewArgErrorf(0, "a number has at most %d digits", maxDigits)
			}
			continue
		}
		digits = 0
		switch c {
		case '"':
			inString = true
		case '[', '{':
			if depth++; depth > maxDepth {
				return function.NewArgErrorf(0, "lists and objects are more than %d deep", maxDepth)
			}
			values++
		case ']', '}':
			depth--
		case ',':
			values++
		}
		if values > maxElements {
			return function.NewArgErrorf(0, "the document holds more than %d values", maxElements)
		}
	}
	return nil
}
