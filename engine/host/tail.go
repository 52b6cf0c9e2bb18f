package host

import (
	"bytes"
	"strings"
	"sync"
)

// tailLines is how much of a provider's stderr is kept to tell why it died.
const tailLines = 20

// maxTailLine bounds one of those lines.
const maxTailLine = 2 << 10

// tail keeps the last lines that were written to it. Safe for concurrent use.
type tail struct {
	each func(line string) // called for each complete line; nil: nobody

	mu      sync.Mutex
	lines   []string
	current []byte
}

// Write implements io.Writer and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte{'\n'})
		t.current = append(t.current, part[:min(len(part), maxTailLine-min(len(t.current), maxTailLine))]...)
		if ended {
			t.end()
		}
		rest = after
	}
	return len(p), nil
}

func (t *tail) end() {
	line := string(t.current)
	t.current = t.current[:0]
	if strings.TrimSpace(line) == "" {
		return
	}
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-tailLines):]
	if t.each != nil {
		t.each(line)
	}
}

// text is the last lines, the newest last.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.current) > 0 {
		t.end()
	}
	return strings.Join(t.lines, "\n")
}
