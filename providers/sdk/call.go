package sdk

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Call is one operation in progress. Safe for concurrent use. What is logged
// after the operation has returned is dropped.
type Call struct {
	op     schema.Operation
	groups *groups
	lock   *os.File // the attempt lock, nil where there is none

	mu      sync.Mutex
	emit    func(protocol.Event) // nil once the operation has returned
	streams []*stream
}

// Logf writes a line to the step's log.
func (c *Call) Logf(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	for line := range strings.SplitSeq(text, "\n") {
		c.send(protocol.Event{Text: line})
	}
}

// Progress says how far the work is; a total of 0 means that it is not known.
func (c *Call) Progress(done, total float64, format string, args ...any) {
	c.send(protocol.Event{Text: fmt.Sprintf(format, args...), Progress: true, Done: done, Total: total})
}

func (c *Call) send(e protocol.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(e)
}

// say sends; mu is held.
func (c *Call) say(e protocol.Event) {
	if c.emit != nil {
		c.emit(e)
	}
}

func (c *Call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.streams {
		s.end()
	}
	c.emit = nil
}

// Unknown reports whether the argument is not known yet. Only Describe meets
// such arguments.
func (c *Call) Unknown(argument string) bool { return slices.Contains(c.op.Unknown, argument) }

// Key is the idempotency key: the same for every attempt that may stand for the
// same work. Actions only.
func (c *Call) Key() string { return c.op.Key }

// Limit is the step's bound on a unit that the action counts.
func (c *Call) Limit(unit string) (int64, bool) {
	n, ok := c.op.Limits[unit]
	return n, ok
}

// Answers is what a person answered to the Question of Ask, and whether anybody
// was asked yet.
func (c *Call) Answers() (cty.Value, bool) { return c.op.Answers, c.op.Answers != cty.NilVal }
