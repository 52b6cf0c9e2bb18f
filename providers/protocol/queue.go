package protocol

import (
	"sync"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
)

// maxQueue is how many bytes of events wait for a slow engine.
const maxQueue = 1 << 20

// eventQueue stands between an action and the stream, so that one that logs
// faster than the engine reads is not held up: what does not fit is dropped and
// counted.
type eventQueue struct {
	mu      sync.Mutex
	ready   *sync.Cond
	events  []Event
	bytes   int
	dropped int64
	lost    map[string]bool // streams whose line has lost a part, and so its rest
	closed  bool
}

func newEventQueue() *eventQueue {
	q := &eventQueue{lost: map[string]bool{}}
	q.ready = sync.NewCond(&q.mu)
	return q
}

// add never waits. Of a line that comes in parts and loses one, the rest is
// dropped too: the engine could not tell what it belongs to.
func (q *eventQueue) add(e Event) {
	var cut int64
	e.Text, cut = cutLine(e.Text)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped += cut + e.Dropped
	size := len(e.Text) + 64
	dropped := q.closed || q.bytes+size > maxQueue || q.lost[e.Stream] && !e.Progress
	switch {
	case e.Progress:
	case e.Partial && (dropped || cut > 0):
		q.lost[e.Stream] = true
	default:
		delete(q.lost, e.Stream)
	}
	if dropped {
		q.dropped += int64(len(e.Text)) + 1 // its newline: an empty one counts too
		return
	}
	e.Dropped, q.dropped = q.dropped, 0
	q.events = append(q.events, e)
	q.bytes += size
	q.ready.Signal()
}

// close lets drain end once it has sent what is queued.
func (q *eventQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dropped > 0 {
		q.events = append(q.events, Event{Dropped: q.dropped})
	}
	q.closed = true
	q.ready.Signal()
}

// drain sends until the queue is closed and empty, or sending fails.
func (q *eventQueue) drain(send func(*wire.ActEvent) error) error {
	for {
		events, more := q.take()
		for _, e := range events {
			if err := send(encodeEvent(e)); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

func (q *eventQueue) take() (events []Event, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.events) == 0 && !q.closed {
		q.ready.Wait()
	}
	events, q.events, q.bytes = q.events, nil, 0
	return events, !q.closed
}

func encodeEvent(e Event) *wire.ActEvent {
	if e.Progress {
		return &wire.ActEvent{Event: &wire.ActEvent_Progress{Progress: &wire.Progress{
			Done: e.Done, Total: e.Total, Text: e.Text, Dropped: e.Dropped,
		}}}
	}
	return &wire.ActEvent{Event: &wire.ActEvent_Log{Log: &wire.Log{
		Text: e.Text, Stream: e.Stream, Partial: e.Partial, Dropped: e.Dropped,
	}}}
}
