package cli

import (
	"errors"

	"github.com/runbook-engine/runbook/cmd/runbook/internal/ui"
	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/event"
)

// screen shows a run as it goes, and at its end.
type screen struct {
	app   *app
	json  bool
	sink  event.Sink
	recap *ui.Recap

	before func() // called before every event; nil: nothing is
	store  string // where the run is kept, if not in the store of the working directory
}

func (a *app) screen(json bool) *screen {
	s := &screen{app: a, json: json, recap: &ui.Recap{}}
	if json {
		s.sink = ui.NewEvents(a.out)
	} else {
		s.sink = ui.NewLines(a.out, a.style(a.out), a.zone())
	}
	return s
}

// attend has the screen say how to answer what waits, where the run stays for it.
func (s *screen) attend(stays bool) {
	if lines, ok := s.sink.(*ui.Lines); ok {
		lines.Attended = stays
	}
}

// Emit implements event.Sink.
func (s *screen) Emit(e event.Event) error {
	if s.before != nil {
		s.before()
	}
	return errors.Join(s.recap.Emit(e), s.sink.Emit(e))
}

// close shows the last screen of a run that there is.
func (s *screen) close(result engine.Result) error {
	if s.json || result.Run == "" {
		return nil
	}
	return ui.WriteRecap(s.app.out, s.app.style(s.app.out), s.recap, result.Seal)
}
