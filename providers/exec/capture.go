package exec

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// outputLimit bounds what is kept of each of a program's streams.
const outputLimit = 1 << 20

// lineLimit bounds how long an unfinished line is waited for before it is
// logged as it stands.
const lineLimit = 32 << 10

// capture keeps the first and the last half of a limit of bytes, and hands
// whole lines on as they come. Safe for concurrent use.
type capture struct {
	limit int
	log   func(line string) // nil: lines are not handed on

	mu      sync.Mutex
	head    []byte
	tail    []byte // at most twice half a limit, cut when it grows over
	dropped int
	line    []byte
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(p)
	if c.log != nil {
		c.lines(p)
	}
	return len(p), nil
}

func (c *capture) keep(p []byte) {
	half := c.limit / 2
	if room := half - len(c.head); room > 0 {
		n := min(room, len(p))
		c.head = append(c.head, p[:n]...)
		p = p[n:]
	}
	c.tail = append(c.tail, p...)
	if over := len(c.tail) - half; len(c.tail) > c.limit {
		c.dropped += over
		c.tail = append(c.tail[:0], c.tail[over:]...)
	}
}

func (c *capture) lines(p []byte) {
	for len(p) > 0 {
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			c.line = append(c.line, p...)
			break
		}
		c.log(string(append(c.line, p[:n]...)))
		c.line, p = c.line[:0], p[n+1:]
	}
	if len(c.line) > lineLimit {
		c.log(string(c.line))
		c.line = c.line[:0]
	}
}

// text is what was kept, and whether something was left out. It logs a last
// line that had no newline.
func (c *capture) text() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log != nil && len(c.line) > 0 {
		c.log(string(c.line))
		c.line = nil
	}
	tail, dropped := c.tail, c.dropped
	if over := len(tail) - c.limit/2; over > 0 {
		tail, dropped = tail[over:], dropped+over
	}
	if dropped == 0 {
		return strings.TrimRight(string(c.head)+string(tail), "\n"), false
	}
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) {
		tail, dropped = tail[1:], dropped+1
	}
	head := strings.ToValidUTF8(string(c.head), "")
	return fmt.Sprintf("%s\n… %d bytes left out …\n%s", head, dropped, strings.TrimRight(string(tail), "\n")), true
}
