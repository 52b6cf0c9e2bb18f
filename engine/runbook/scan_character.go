package runbook

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/text/unicode/runenames"

	"github.com/runbook-engine/runbook/engine/diag"
)

// characters reports the characters that no file may hold, wherever they stand,
// and words whose letters are not all what they look like.
func (s *scanner) characters() {
	w := wording{scanner: s}
	for i := 0; i < len(s.src) && len(s.diags) < maxFound; {
		c := s.src[i]
		if c < utf8.RuneSelf && (c >= ' ' && c < 0x7f || c == '\n' || c == '\t') {
			w.ascii(i, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(s.src[i:])
		if what := forbidden(r, size, s.src[i:]); what != "" {
			s.diags = append(s.diags, diag.ForbiddenCharacter.At(s.position(i, size), "%s may not stand in a file: it hides what a reader would need to see. %s", what, instead(r, size)))
			w.end(i)
		} else {
			w.rune(i, r)
		}
		i += size
	}
	if len(s.diags) < maxFound {
		w.end(len(s.src))
	}
}

// forbidden names what r is, or is empty where it is allowed.
func forbidden(r rune, size int, rest []byte) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return "A byte that is not UTF-8"
	case r == '\r':
		if len(rest) > 1 && rest[1] == '\n' {
			return ""
		}
		return "A carriage return without a newline"
	case unicode.IsControl(r):
		return "The control character " + codePoint(r)
	case unicode.Is(unicode.Bidi_Control, r):
		return "The character " + codePoint(r) + ", which changes the direction of writing,"
	case r == 0xfeff:
		return "The byte order mark U+FEFF"
	case r >= 0xe0000 && r <= 0xe007f:
		return "The tag character " + codePoint(r)
	case invisible(r):
		return "The invisible character " + codePoint(r)
	}
	return ""
}

// invisible tells characters that show nothing, or only change how others look.
// The two selectors that ask for an emoji or for text are harmless.
func invisible(r rune) bool {
	switch {
	case r < 0xad, r == 0xfe0e, r == 0xfe0f:
		return false
	case r == 0x2028, r == 0x2029, r == 0x2800: // separators of lines and paragraphs; an empty Braille cell
		return true
	}
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

// codePoint is a character as the Unicode standard names it: U+200B (ZERO WIDTH SPACE).
func codePoint(r rune) string {
	name := runenames.Name(r)
	if name == "" || strings.HasPrefix(name, "<") {
		return fmt.Sprintf("U+%04X", r)
	}
	return fmt.Sprintf("U+%04X (%s)", r, name)
}

func instead(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return "Save the file as UTF-8."
	case r > 0xffff:
		return fmt.Sprintf("Remove it, or write it as \"\\U%08X\" in a quoted string.", r)
	case r == 0xfeff:
		return "Save the file without it."
	}
	return fmt.Sprintf("Remove it, or write it as \"\\u%04X\" in a quoted string.", r)
}

// notASCII is about a word outside text that other letters are in. Text that
// was pasted from a chat often brings its quotes along.
func notASCII(word []byte, at hcl.Range) *hcl.Diagnostic {
	if bytes.ContainsAny(word, "“”„‟″‘’‚‛′") {
		return diag.ForbiddenCharacter.At(at, "These are typographic quotes. HCL knows straight ones only: \".")
	}
	odd := ""
	for _, r := range string(word) {
		if r > unicode.MaxASCII {
			odd = codePoint(r)
			break
		}
	}
	return diag.ForbiddenCharacter.At(at, "Names are made of ASCII letters, digits, underscores and hyphens; this one holds %s. Other characters belong in quotes or in comments.", odd)
}
