package runbook

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

// characters reports the characters that no file may hold, wherever they stand.
func (s *scanner) characters() {
	for i := 0; i < len(s.src) && len(s.diags) < maxFound; {
		c := s.src[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(s.src[i:])
		if what := forbidden(r, size, s.src[i:]); what != "" {
			s.diags = append(s.diags, diag.ForbiddenCharacter.At(s.position(i, size), "%s may not stand in a file: it hides what a reader would need to see. %s", what, instead(r, size)))
		}
		i += size
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
	case r < ' ', r >= 0x7f && r < 0xa0:
		return fmt.Sprintf("The control character U+%04X", r)
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return fmt.Sprintf("The character U+%04X, which changes the direction of writing,", r)
	case r == 0xfeff:
		return "The byte order mark U+FEFF"
	case r == 0x00ad, r == 0x180e, r >= 0x200b && r <= 0x200d, r >= 0x2060 && r <= 0x2064, r == 0x2028, r == 0x2029:
		return fmt.Sprintf("The invisible character U+%04X", r)
	case r >= 0xe0000 && r <= 0xe007f:
		return fmt.Sprintf("The tag character U+%05X", r)
	}
	return ""
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
	return diag.ForbiddenCharacter.At(at, "Names are made of ASCII letters, digits, underscores and hyphens. Other characters belong in quotes or in comments.")
}
