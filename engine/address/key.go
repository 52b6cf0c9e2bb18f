package address

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var errKey = errors.New("an instance is written [\"key\"]")

// quote writes a string as HCL does, so that an address can be pasted into a
// runbook: control characters escaped, starts of templates doubled.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// parseKey reads ["k"] or [*] and returns what follows.
func parseKey(text string) (Part, string, error) {
	if rest, ok := strings.CutPrefix(text, "[*]"); ok {
		return Part{Which: Any}, rest, nil
	}
	rest, ok := strings.CutPrefix(text, `["`)
	if !ok {
		return Part{}, "", errKey
	}
	var key strings.Builder
	for {
		switch {
		case rest == "":
			return Part{}, "", errors.New("the quotes are not closed")
		case strings.HasPrefix(rest, "$${"), strings.HasPrefix(rest, "%%{"):
			key.WriteString(rest[1:3])
			rest = rest[3:]
		case rest[0] == '\\':
			r, n, err := unescape(rest)
			if err != nil {
				return Part{}, "", err
			}
			key.WriteRune(r)
			rest = rest[n:]
		case rest[0] == '"':
			if rest, ok = strings.CutPrefix(rest, `"]`); !ok {
				return Part{}, "", errors.New("the bracket is not closed")
			}
			return Part{Key: key.String(), Which: One}, rest, nil
		default:
			_, n := utf8.DecodeRuneInString(rest)
			key.WriteString(rest[:n])
			rest = rest[n:]
		}
	}
}

// unescape reads the escape sequence that s begins with, and its length.
func unescape(s string) (rune, int, error) {
	if len(s) < 2 {
		return 0, 0, errors.New("the quotes are not closed")
	}
	digits := 0
	switch s[1] {
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	case '"', '\\':
		return rune(s[1]), 2, nil
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	if digits > 0 && len(s) >= 2+digits {
		n, err := strconv.ParseUint(s[2:2+digits], 16, 32)
		if err == nil && utf8.ValidRune(rune(n)) {
			return rune(n), 2 + digits, nil
		}
	}
	return 0, 0, fmt.Errorf("unknown escape sequence %q", s[:2])
}
