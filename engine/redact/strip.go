package redact

import (
	"strings"
	"unicode/utf8"
)

// stripper drops what a terminal would obey and a reader would not see: escape
// sequences, control characters but newline and tab, and the characters that
// turn or hide text. Bytes that are not UTF-8 become U+FFFD. It keeps its place
// between chunks.
type stripper struct {
	state   stripState
	partial []byte // the first bytes of a rune
}

type stripState int

const (
	plain         stripState = iota
	escape                   // after ESC
	csi                      // ESC [ … final byte
	stringCommand            // ESC ] … BEL or ESC \
	stringEscape             // ESC within such
)

// add appends what is visible of chunk to out. A newline ends every sequence:
// one that never ends would swallow the whole log.
func (s *stripper) add(out, chunk []byte) []byte {
	if len(s.partial) > 0 {
		chunk = append(s.partial, chunk...)
		s.partial = nil
	}
	for len(chunk) > 0 {
		if !utf8.FullRune(chunk) {
			s.partial = append([]byte(nil), chunk...)
			return out
		}
		r, size := utf8.DecodeRune(chunk)
		chunk = chunk[size:]
		if s.visible(r) {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

// end gives up on a rune that was never completed.
func (s *stripper) end(out []byte) []byte {
	if len(s.partial) > 0 && s.state == plain {
		out = utf8.AppendRune(out, utf8.RuneError)
	}
	s.partial, s.state = nil, plain
	return out
}

func (s *stripper) visible(r rune) bool {
	switch {
	case r == '\n' && s.state != plain:
		s.state = plain
		return true
	case s.state == escape:
		s.state = afterEscape(r)
		return false
	case s.state == csi:
		if r >= '@' && r <= '~' {
			s.state = plain
		}
		return false
	case s.state == stringCommand:
		if r == '\a' || r == '\u009c' {
			s.state = plain
		}
		if r == '\x1b' {
			s.state = stringEscape
		}
		return false
	case s.state == stringEscape:
		s.state = stringCommand
		if r == '\\' {
			s.state = plain
		}
		return false
	case r == '\x1b':
		s.state = escape
		return false
	case r == '\u009b':
		s.state = csi
		return false
	}
	return !hidden(r)
}

func afterEscape(r rune) stripState {
	switch {
	case r == '[':
		return csi
	case r == ']' || r == 'P' || r == 'X' || r == '^' || r == '_':
		return stringCommand
	case r >= ' ' && r <= '/': // intermediate bytes, such as ESC ( B
		return escape
	}
	return plain
}

func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || r >= 0x7f && r <= 0x9f:
		return true
	case r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e:
		return true // zero-width and bidirectional
	case r >= 0x2060 && r <= 0x2069 || r == 0xfeff || r == 0x061c || r == 0x00ad:
		return true
	case r >= 0xe0000 && r <= 0xe007f: // tag characters
		return true
	}
	return r == 0x2028 || r == 0x2029
}

func strip(s string) string {
	if isPlain(s) {
		return s
	}
	var st stripper
	return string(st.end(st.add(make([]byte, 0, len(s)), []byte(s))))
}

func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r == utf8.RuneError || r == '\x1b' || hidden(r)
	}) < 0
}
