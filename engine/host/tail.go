package host

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/runbook-engine/runbook/engine/redact"
)

// tailLines is how much of a provider's stderr is kept to tell why it died.
const tailLines = 20

// maxTailLine bounds one of those lines.
const maxTailLine = 2 << 10

// tail keeps the last lines that were written to it, without secrets. Safe for
// concurrent use.
type tail struct {
	redactor *redact.Redactor
	each     func(line string) // called for each complete line; nil: nobody

	mu     sync.Mutex
	lines  []tailLine
	inputs []*tailInput
}

type tailLine struct {
	text string
	cut  bool
}

func newTail(r *redact.Redactor) *tail { return &tail{redactor: r} }

// writer is one of the ways in; it never fails. Each has its own line under way,
// and scrubs before that is cut: half a secret is not known for one.
func (t *tail) writer() io.Writer {
	in := &tailInput{tail: t}
	in.scrub = t.redactor.Writer(lineWriter{in})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inputs = append(t.inputs, in)
	return in
}

// tailInput is guarded by its tail's mutex.
type tailInput struct {
	tail  *tail
	scrub *redact.Writer
	line  tailLine
}

func (in *tailInput) Write(p []byte) (int, error) {
	in.tail.mu.Lock()
	defer in.tail.mu.Unlock()
	return in.scrub.Write(p)
}

// lineWriter takes what has been scrubbed.
type lineWriter struct{ in *tailInput }

func (w lineWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte{'\n'})
		l := &w.in.line
		room := maxTailLine - len(l.text)
		l.cut = l.cut || len(part) > room
		l.text += string(part[:min(len(part), room)])
		if ended {
			w.in.end()
		}
		rest = after
	}
	return len(p), nil
}

func (in *tailInput) end() {
	t, line := in.tail, in.line
	in.line = tailLine{}
	if strings.TrimSpace(line.text) == "" {
		return
	}
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-tailLines):]
	if t.each != nil {
		t.each(t.clean(line))
	}
}

// clean is a line without the secrets that have become known since it was
// written; of one that was cut, also without what may be the beginning of one.
func (t *tail) clean(line tailLine) string {
	if !line.cut {
		return t.redactor.Text(line.text)
	}
	var b strings.Builder
	_, _ = t.redactor.Writer(&b).Write([]byte(line.text)) // not closed: its end is not known
	return b.String() + "…"
}

// text is the last lines, the newest last. What may be the beginning of a secret
// at their very end is left out: whoever wrote it may have died over it.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, in := range t.inputs {
		in.end()
	}
	said := make([]string, len(t.lines))
	for i, line := range t.lines {
		said[i] = t.clean(line)
	}
	return strings.Join(said, "\n")
}
