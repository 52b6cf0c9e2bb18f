package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from anywhere fit for a screen: control characters and
// those that reorder or hide text are shown as escapes. Line breaks stay, tabs
// become spaces.
func clean(text string) string {
	if isClean(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\n':
			b.WriteByte('\n')
		case r == '\t':
			b.WriteString("    ")
		case r == '\r' && strings.HasPrefix(text[size:], "\n"):
		case deceives(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}

func isClean(text string) bool {
	for _, r := range text {
		if r == utf8.RuneError || r == '\t' || (r != '\n' && deceives(r)) {
			return false
		}
	}
	return true
}

// deceives says whether a rune can move the cursor, reorder text or hide in it.
func deceives(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		r == '\u2028' || r == '\u2029' // line and paragraph separators
}

// oneLine is clean for text that has one line to stand on: its lines are joined
// by single spaces.
func oneLine(text string) string {
	text = clean(text)
	if !strings.Contains(text, "\n") {
		return text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}

// plainForms are the ASCII forms of what our own text and common prose use.
var plainForms = strings.NewReplacer(
	"✓", "+", "✗", "x", "▸", ">", "…", "...", "→", "->", "←", "<-", "·", "-",
	"–", "-", "—", "-", "×", "x", "≥", ">=", "≤", "<=",
	"“", `"`, "”", `"`, "‘", "'", "’", "'", "\u00a0", " ", "│", "|",
	"µ", "u", "μ", "u", // the sign of micro and the letter that is written for it
)

// ascii writes text with ASCII letters alone: a terminal that speaks no UTF-8
// would show rubbish where it can show a question mark.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, plainForms.Replace(text))
}
