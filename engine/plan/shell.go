package plan

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Shell prints an argv on one line so that bash reads it back. A $NAME standing
// for a secret, as a word of its own or at a word's end behind = or :, is left
// for the shell to fill in.
func Shell(argv []string) string {
	words := make([]string, len(argv))
	for i, w := range argv {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

const plainCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-"

var placeholder = regexp.MustCompile(`^(|[^$]*(?:=|:|: ))(\$[A-Za-z_][A-Za-z0-9_]*)$`)

func quote(word string) string {
	if parts := placeholder.FindStringSubmatch(word); parts != nil && !strings.ContainsFunc(word, unicode.IsControl) {
		before := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`").Replace(parts[1])
		return `"` + before + parts[2] + `"`
	}
	return Literal(word)
}

// Literal prints a text as one word of bash that stands for nothing but itself.
// It holds no NUL.
func Literal(word string) string {
	switch {
	case word == "":
		return "''"
	case strings.Trim(word, plainCharacters) == "":
		return word
	case strings.ContainsFunc(word, unicode.IsControl):
		return controlled(word)
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// controlled writes a word with line breaks and the like as $'…': left as they
// are, the screen would replace them, and the command would be another one.
func controlled(word string) string {
	var text strings.Builder
	for _, r := range word {
		switch {
		case r == '\n':
			text.WriteString(`\n`)
		case r == '\t':
			text.WriteString(`\t`)
		case r == '\r':
			text.WriteString(`\r`)
		case r == '\\' || r == '\'':
			text.WriteString(`\` + string(r))
		case r < 0x80 && unicode.IsControl(r):
			fmt.Fprintf(&text, `\x%02x`, r)
		default:
			text.WriteRune(r)
		}
	}
	return "$'" + text.String() + "'"
}
