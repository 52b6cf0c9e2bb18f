package store

import (
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
)

// Durations tells how long the steps of a runbook took in the newest runs, at
// most that many of them, by address. Only steps that acted and ended done
// count, and only runs that one process ended: a resumed run waited meanwhile.
// Records that cannot be read are passed over; `runs verify` tells of them.
func (s *Store) Durations(runbook string, runs int) (map[string][]time.Duration, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	took := make(map[string][]time.Duration)
	for _, id := range ids {
		if runs == 0 {
			break
		}
		if s.durations(id, runbook, took) {
			runs--
		}
	}
	return took, nil
}

// durations adds one run's; false where it is no run that counts.
func (s *Store) durations(id, runbook string, took map[string][]time.Duration) bool {
	acted, asked := make(map[string]bool), make(map[string]bool)
	here := make(map[string]time.Duration)
	starts, ended := 0, false
	for e, err := range journal.Read(s.journal(id)) {
		if err != nil {
			return false
		}
		switch e.Type {
		case event.RunStarted:
			if starts++; starts > 1 || e.Start == nil || e.Start.Runbook != runbook {
				return false
			}
		case event.ActionStarted:
			acted[e.Step] = true
		case event.StepWaiting:
			asked[e.Step] = asked[e.Step] || e.WaitsFor == "person"
		case event.StepFinished:
			if e.Status == "done" && acted[e.Step] && !asked[e.Step] {
				here[e.Step] = time.Duration(e.DurationSeconds * float64(time.Second))
			}
		case event.RunFinished:
			ended = true
		}
	}
	if !ended || len(here) == 0 {
		return false
	}
	for step, d := range here {
		took[step] = append(took[step], d)
	}
	return true
}
