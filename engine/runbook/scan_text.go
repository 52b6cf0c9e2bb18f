package runbook

import (
	"bytes"
	"unicode/utf8"
)

// quoted scans one character of a quoted template, or the start of what it
// interpolates.
func (s *scanner) quoted() {
	switch c := s.src[s.at]; c {
	case '"':
		s.pop(len(s.stack) - 1)
		s.at++
	case '\\':
		s.at++
		if s.at < len(s.src) && s.src[s.at] != '\n' && s.src[s.at] != '\r' {
			s.at++
		}
	case '$', '%':
		s.sequence(c)
	default:
		s.at++
		s.top().text++
	}
}

// line ends a part of a template that the parser joins to the part before it.
func (s *scanner) line() {
	s.count()
	t := s.top()
	t.lines++
	t.parts++
	t.text++
	t.copied += t.text
}

// sequence scans a dollar or percent sign inside a template.
func (s *scanner) sequence(c byte) {
	switch {
	case s.peek(1) == c && s.peek(2) == '{': // $${ stands for ${
		s.line()
		s.at += 3
	case s.peek(1) == '{':
		if c == '%' {
			s.directive()
		}
		s.count()
		t := s.top()
		t.parts, t.text = t.parts+2, 0
		s.push(frame{open: openTemplate, joined: true})
		s.at += 2
	default:
		s.line()
		s.at++
	}
}

// directive counts how deep %{if} and %{for} nest: the parser recurses into
// them though no bracket stays open.
func (s *scanner) directive() {
	rest := bytes.TrimLeft(bytes.TrimPrefix(s.src[s.at+2:min(len(s.src), s.at+64)], []byte("~")), " \t\r\n")
	switch {
	case bytes.HasPrefix(rest, []byte("end")):
		if s.top().chain > 0 {
			s.link(-1)
		}
	case !bytes.HasPrefix(rest, []byte("else")):
		s.link(1)
	}
}

// beginHeredoc scans <<EOT and its newline, and says whether that is there.
func (s *scanner) beginHeredoc() bool {
	i := s.at + 2
	if i < len(s.src) && s.src[i] == '-' {
		i++
	}
	start := i
	for i < len(s.src) && s.src[i] < utf8.RuneSelf && (isNameByte(s.src[i]) || s.src[i] == '-' && i > start) {
		i++
	}
	end := i
	if i < len(s.src) && s.src[i] == '\r' {
		i++
	}
	if end == start || '0' <= s.src[start] && s.src[start] <= '9' || i >= len(s.src) || s.src[i] != '\n' {
		return false
	}
	s.push(frame{open: openHeredoc, marker: s.src[start:end]})
	s.at = i + 1
	s.endHeredoc()
	return true
}

// endHeredoc ends a heredoc whose marker stands on the line that begins here.
// The newline after it is code again.
func (s *scanner) endHeredoc() {
	marker := s.top().marker
	if marker == nil {
		return
	}
	end := bytes.IndexByte(s.src[s.at:], '\n')
	if end >= 0 && bytes.Equal(bytes.TrimSpace(s.src[s.at:s.at+end]), marker) {
		s.pop(len(s.stack) - 1)
		s.at += end
	}
}

// heredoc scans one character of a heredoc.
func (s *scanner) heredoc() {
	switch c := s.src[s.at]; c {
	case '$', '%':
		s.sequence(c)
	case '\n':
		s.line()
		s.at++
		s.endHeredoc()
	default:
		s.at++
		s.top().text++
	}
}
