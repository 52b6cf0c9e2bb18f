package sdk

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/runbook-engine/runbook/providers/protocol"
)

// maxUnfinished bounds how long an unfinished line is waited for before it is
// logged as far as it goes.
const maxUnfinished = 32 << 10

// Stream is a writer into the step's log for an output of a program: "stdout" or
// "stderr". It logs whole lines as they come. A line that is long in coming is
// logged in parts that the engine knows to belong together, so that it finds a
// secret that was cut in two; parts given to Logf it would take for lines. A last
// line without a newline is logged when the operation returns. Writing never
// fails; the writer is safe for concurrent use.
func (c *Call) Stream(name string) io.Writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.streams {
		if known.name == name {
			return known
		}
	}
	s := &stream{call: c, name: name}
	c.streams = append(c.streams, s)
	return s
}

// stream is guarded by its call's mutex.
type stream struct {
	call *Call
	name string
	line []byte // not logged yet
	open bool   // a part of this line has been
}

func (s *stream) Write(p []byte) (int, error) {
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte{'\n'})
		s.line = append(s.line, part...)
		if ended {
			s.say(len(s.line), false)
		} else if len(s.line) > maxUnfinished {
			s.say(wholeRunes(s.line), true)
		}
		rest = after
	}
	return len(p), nil
}

// end logs what is not a whole line.
func (s *stream) end() {
	if s.open || len(s.line) > 0 {
		s.say(len(s.line), false)
	}
}

func (s *stream) say(n int, partial bool) {
	s.call.say(protocol.Event{Stream: s.name, Text: string(s.line[:n]), Partial: partial})
	s.line = append(s.line[:0], s.line[n:]...)
	s.open = partial
}

// wholeRunes is the length of text without a rune whose last bytes are missing.
func wholeRunes(text []byte) int {
	for n := len(text) - 1; n >= 0 && n > len(text)-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			if utf8.FullRune(text[n:]) {
				break
			}
			return n
		}
	}
	return len(text)
}
