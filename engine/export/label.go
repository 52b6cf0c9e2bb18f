package export

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mitchellh/go-wordwrap"
)

// How long a text may be in a drawing: what is longer ends in an ellipsis.
const (
	lineWidth = 40
	maxLines  = 3
)

// wrap breaks a text into the lines of a label. Empty: none.
func wrap(text string) []string {
	text = tidy(text)
	if text == "" {
		return nil
	}
	lines := strings.Split(wordwrap.WrapString(text, lineWidth), "\n")
	if len(lines) > maxLines {
		lines = lines[:maxLines]
		lines[maxLines-1] += " …"
	}
	for i, line := range lines {
		lines[i] = shorten(line, lineWidth+2)
	}
	return lines
}

// shorten cuts a line that has no place to break.
func shorten(line string, most int) string {
	if utf8.RuneCountInString(line) <= most {
		return line
	}
	return string([]rune(line)[:most-1]) + "…"
}

// tidy makes a text one line of printable characters.
func tidy(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
