package journal

import (
	"io"
	"iter"

	"github.com/runbook-engine/runbook/engine/event"
)

// VerifyFrom verifies a journal that is not on the machine's file system.
func VerifyFrom(path string, r io.Reader) (Report, error) { return verify(path, r, nil) }

// Group seals lines, each ending in a newline, as group number of a journal
// whose last seal is previous. It returns the group and its seal.
func Group(previous string, number int64, lines []byte) ([]byte, string) {
	r := records{bytes: lines}
	for i, c := range lines {
		if c == '\n' {
			r.ends = append(r.ends, i+1)
		}
	}
	s := sealOf(previous, number, r)
	return append(lines[:len(lines):len(lines)], s.line()...), s.SHA256
}

// ReadFrom is Read of what r holds.
func ReadFrom(r io.Reader) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) { replay("journal.jsonl", r, yield) }
}
