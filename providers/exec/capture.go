package exec

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// outputLimit bounds what is kept of each of a program's streams.
const outputLimit = 1 << 20

// capture keeps the first and the last half of a limit of bytes, and hands all
// of it on. Safe for concurrent use.
type capture struct {
	limit int
	log   io.Writer // nil: nobody is told

	mu      sync.Mutex
	head    []byte
	tail    []byte // at most twice half a limit, cut when it grows over
	dropped int
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(p)
	if c.log != nil {
		return c.log.Write(p)
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

// text is what was kept, and whether something was left out. The cut is made
// between words: the engine finds a secret only where all of it is there.
func (c *capture) text() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tail, dropped := c.tail, c.dropped
	if over := len(tail) - c.limit/2; over > 0 {
		tail, dropped = tail[over:], dropped+over
	}
	if dropped == 0 {
		return strings.TrimRight(string(c.head)+string(tail), "\n"), false
	}
	head := c.head[:1+bytes.LastIndexAny(c.head, blanks)]
	begin := bytes.IndexAny(tail, blanks)
	if begin < 0 {
		begin = len(tail)
	}
	dropped += len(c.head) - len(head) + begin
	return fmt.Sprintf("%s… %d bytes left out …%s", head, dropped, strings.TrimRight(string(tail[begin:]), "\n")), true
}

// blanks part words.
const blanks = " \t\r\n"
