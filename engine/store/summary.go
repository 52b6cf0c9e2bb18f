package store

import (
	"path/filepath"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
)

// Outcomes of a Summary beside those of run_finished.
const (
	Running = "running" // a process attends the run
	Crashed = "crashed" // none does, and it has not said how the run ended
	Damaged = "damaged" // the record cannot be read, or has no beginning

	Cancelled = "cancelled" // nobody goes on with it
)

// Summary is a run in a line.
type Summary struct {
	ID          string         `json:"id"`
	Runbook     string         `json:"runbook"`
	Title       string         `json:"title,omitempty"`
	File        string         `json:"file"`
	Environment string         `json:"environment,omitempty"`
	Operator    string         `json:"operator"` // who began it
	Host        string         `json:"host"`
	Started     time.Time      `json:"started"`           // zero where the record has no beginning
	Finished    time.Time      `json:"finished,omitzero"` // zero while it runs, and where it crashed
	Outcome     string         `json:"outcome"`
	Steps       map[string]int `json:"steps"`            // how many ended with which status
	Damage      string         `json:"damage,omitempty"` // why the outcome is damaged
}

// Over tells whether the run can need nothing any more: it has ended, and no
// outcome in it is unknown.
func (s Summary) Over() bool {
	switch s.Outcome {
	case "succeeded", "failed", "blocked", "rolled_back", Cancelled:
		return s.Steps["unknown"] == 0
	}
	return false
}

// Runs lists the runs, newest first, by one pass over each record. A run whose
// record is damaged is listed with what could be read.
func (s *Store) Runs() ([]Summary, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	summaries := make([]Summary, len(ids))
	for i, id := range ids {
		summaries[i] = s.summarize(id)
	}
	return summaries, nil
}

// Summary tells of one run.
func (s *Store) Summary(id string) (Summary, error) {
	if _, err := s.find(id); err != nil {
		return Summary{}, err
	}
	return s.summarize(id), nil
}

func (s *Store) summarize(id string) Summary {
	// Asked first: a run that ends meanwhile is then seen to have ended.
	attended, err := journal.Attended(s.journal(id))
	sum := Summary{ID: id, Steps: map[string]int{}}
	if err == nil {
		err = trust(filepath.Dir(s.journal(id)))
	}
	statuses := map[string]string{}
	for e, failed := range journal.Read(s.journal(id)) {
		if err != nil {
			break
		}
		if failed != nil {
			err = failed
			break
		}
		switch e.Type {
		case event.RunStarted:
			sum.begin(e)
		case event.StepFinished:
			statuses[e.Step] = e.Status
		case event.RunFinished:
			if sum.Outcome, sum.Finished = e.Outcome, e.Time; e.Cancelled {
				sum.Outcome = Cancelled
			}
		}
	}
	for _, status := range statuses {
		sum.Steps[status]++
	}
	switch {
	case err != nil:
		sum.Outcome, sum.Damage = Damaged, err.Error()
	case sum.Outcome != "":
	case attended:
		sum.Outcome = Running
	case sum.Started.IsZero():
		sum.Outcome, sum.Damage = Damaged, "nothing in its record is sealed: it was emptied, or its process was killed before the run had begun"
	default:
		sum.Outcome = Crashed
	}
	return sum
}

// begin takes in a run_started, the first or that of a resume.
func (s *Summary) begin(e event.Event) {
	s.Outcome, s.Finished = "", time.Time{}
	if !s.Started.IsZero() || e.Start == nil {
		return
	}
	s.Started = e.Time
	s.Runbook, s.Title, s.File = e.Start.Runbook, e.Start.Title, e.Start.File
	s.Environment, s.Operator, s.Host = e.Start.Environment, e.Start.Operator, e.Start.Host
}
