package ui

import (
	"encoding/json"
	"io"

	"github.com/runbook-engine/runbook/engine/event"
)

// Events writes one JSON event a line (docs/schemas/event.json). It is an
// event.Sink.
type Events struct {
	encoder *json.Encoder
}

// NewEvents writes to w.
func NewEvents(w io.Writer) *Events {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return &Events{encoder: encoder}
}

// Emit writes the event, the runbook's text left out: the record keeps it, and
// a log has no use for it.
func (s *Events) Emit(e event.Event) error {
	if e.Start != nil && e.Start.Sources != nil {
		start := *e.Start
		start.Sources, start.Digests = nil, nil
		e.Start = &start
	}
	return s.encoder.Encode(e)
}
