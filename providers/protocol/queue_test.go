package protocol

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
)

// sent is what comes through a queue that nobody reads before it is closed.
func sent(t *testing.T, events []Event) []Event {
	t.Helper()
	q := newEventQueue()
	for _, e := range events {
		q.add(e)
	}
	q.close()
	var through []Event
	err := q.drain(func(w *wire.ActEvent) error {
		through = append(through, decodeEvent(w))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return through
}

func TestQueueKeepsWhatEventsAre(t *testing.T) {
	events := []Event{
		{Text: "a"},
		{Text: "b", Stream: "stdout", Partial: true},
		{Text: "between", Stream: "stderr"},
		{Text: "", Stream: "stdout"},
		{Text: "half", Progress: true, Done: 1, Total: 2},
	}
	if diff := cmp.Diff(events, sent(t, events)); diff != "" {
		t.Error(diff)
	}
}

// A line that has lost a part loses its rest: what comes after the gap would
// be taken for what follows on the part before it.
func TestQueueDropsTheRestOfALine(t *testing.T) {
	full := strings.Repeat("x", MaxLogLine)
	filling := make([]Event, 0, maxQueue/MaxLogLine)
	for range cap(filling) - 1 {
		filling = append(filling, Event{Text: full})
	}
	long := Event{Text: full + "cut", Stream: "stdout", Partial: true}
	for name, c := range map[string]struct{ events, want []Event }{
		"a part too long for a message": {
			[]Event{long, {Text: "12", Stream: "stdout", Partial: true}, {Text: "", Stream: "stdout"}, {Text: "next", Stream: "stdout"}},
			[]Event{
				{Text: full, Stream: "stdout", Partial: true, Dropped: 3},
				{Text: "next", Stream: "stdout", Dropped: 4},
			},
		},
		"its end is dropped": {
			[]Event{long, {Text: "", Stream: "stdout"}, {Text: "other", Stream: "stderr"}, {Text: "next", Stream: "stdout"}},
			[]Event{
				{Text: full, Stream: "stdout", Partial: true, Dropped: 3},
				{Text: "other", Stream: "stderr", Dropped: 1},
				{Text: "next", Stream: "stdout"},
			},
		},
		"a full queue": {
			append(filling[:len(filling):len(filling)],
				Event{Text: "begins", Stream: "stdout", Partial: true},
				Event{Text: full, Stream: "stdout", Partial: true},
				Event{Text: "ends", Stream: "stdout"},
				Event{Text: "next", Stream: "stdout"}),
			append(filling[:len(filling):len(filling)],
				Event{Text: "begins", Stream: "stdout", Partial: true},
				Event{Text: "next", Stream: "stdout", Dropped: MaxLogLine + 1 + 4 + 1}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, sent(t, c.events)); diff != "" {
				t.Errorf("%.2000s", diff)
			}
		})
	}
}
