package ui

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/runbook-engine/runbook/providers/schema"
)

// dateTime is how a moment is written in lists.
const dateTime = "2006-01-02 15:04:05"

// RunSummary is a run in a line.
type RunSummary struct {
	ID          string         `json:"id"`
	Runbook     string         `json:"runbook"`
	Title       string         `json:"title,omitempty"`
	File        string         `json:"file"`
	Environment string         `json:"environment,omitempty"`
	Operator    string         `json:"operator"`
	Host        string         `json:"host"`
	Started     time.Time      `json:"started"`
	Finished    time.Time      `json:"finished,omitzero"`
	Outcome     string         `json:"outcome"` // that of run_finished, or running, crashed, damaged
	Steps       map[string]int `json:"steps"`   // how many ended with which status
	Damage      string         `json:"damage,omitempty"`
}

// WriteRuns lists runs, one a line.
func WriteRuns(w io.Writer, style Style, zone *time.Location, runs []RunSummary) error {
	p := &page{style: style}
	if len(runs) == 0 {
		p.linef("No runs yet.")
	}
	names := 0
	for _, run := range runs {
		names = max(names, utf8.RuneCountInString(run.Runbook))
	}
	for _, run := range runs {
		if c := (&Recap{outcome: run.Outcome}).endColor(); run.Started.IsZero() { // its record does not say more
			p.linef("%s  %s  %s", p.paint(bold, run.ID), strings.Repeat(" ", len(dateTime)), p.paint(c, words(run.Outcome)))
		} else {
			p.linef("%s  %s  %s  %s  %s %s", p.paint(bold, run.ID), run.Started.In(zone).Format(dateTime),
				p.paint(c, pad(words(run.Outcome), len("rolled back"))), pad(run.Runbook, names),
				p.paint(dim, "by "+run.Operator+":"), endedTally(run))
		}
		if run.Damage != "" {
			p.item(4, p.paint(red, "✗"), run.Damage)
		}
	}
	return p.flush(w)
}

// endedTally counts the steps of a run that have ended.
func endedTally(run RunSummary) string {
	if len(run.Steps) == 0 && run.Outcome != "succeeded" {
		return "no step has ended"
	}
	return statusTally(run.Steps)
}

// statusTally counts steps by status: "1 done, 2 satisfied".
func statusTally(steps map[string]int) string {
	var parts []string
	for _, status := range statusOrder() {
		if n := steps[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words(status)))
		}
	}
	if len(parts) == 0 {
		return "no steps"
	}
	return strings.Join(parts, ", ")
}

// WriteRunsJSON lists runs as one JSON document (docs/schemas/runs.json).
func WriteRunsJSON(w io.Writer, runs []RunSummary) error {
	if runs == nil {
		runs = []RunSummary{}
	}
	return writeJSON(w, struct {
		FormatVersion string       `json:"format_version"`
		Runs          []RunSummary `json:"runs"`
	}{FormatVersion, runs})
}

// Verification is what checking the record of one run found.
type Verification struct {
	Run     string
	Records int64
	Groups  int64
	Logs    int    // how many logs were compared
	Results int    // how many results that have a file of their own
	Seal    string // the last one
	Torn    int64  // bytes at the end that are not sealed
	Err     error  // nil: the record is what was written
}

// WriteVerification writes a line on one record.
func WriteVerification(w io.Writer, style Style, v Verification) error {
	p := &page{style: style}
	if v.Err != nil {
		p.linef("%s %s  %s", p.paint(red, "✗"), p.paint(bold, v.Run), v.Err.Error())
		return p.flush(w)
	}
	text := fmt.Sprintf("%s in %s, %s, ", Plural(int(v.Records), "record"), Plural(int(v.Groups), "group"), Plural(v.Logs, "log"))
	if v.Results > 0 {
		text += Plural(v.Results, "large result") + ", "
	}
	text += "sealed " + v.Seal
	p.linef("%s %s  %s", p.paint(green, "✓"), p.paint(bold, v.Run), text)
	if v.Torn > 0 {
		p.item(4, p.paint(yellow, "!"), Plural(int(v.Torn), "byte")+" at its end are not sealed: being written, or cut off by a crash")
	}
	return p.flush(w)
}

// Lock is what one run holds against others.
type Lock struct {
	Run      string          `json:"run"`
	Runbook  string          `json:"runbook"`
	Operator string          `json:"operator"`
	Host     string          `json:"host"`
	PID      int             `json:"pid"`
	Since    time.Time       `json:"since"`
	Effects  []schema.Effect `json:"effects"`
}

// WriteLocks lists what runs hold against each other.
func WriteLocks(w io.Writer, style Style, zone *time.Location, locks []Lock) error {
	p := &page{style: style}
	if len(locks) == 0 {
		p.linef("Nothing is locked.")
	}
	for _, lock := range locks {
		p.linef("%s  %s since %s, by %s on %s (process %d)", p.paint(bold, lock.Run), lock.Runbook,
			lock.Since.In(zone).Format(dateTime), lock.Operator, lock.Host, lock.PID)
		for _, effect := range lock.Effects {
			p.linef("    %s %s", pad(string(effect.Mode), len("delete")), effect.Resource)
		}
	}
	return p.flush(w)
}

// WriteLocksJSON lists locks as one JSON document (docs/schemas/locks.json).
func WriteLocksJSON(w io.Writer, locks []Lock) error {
	if locks == nil {
		locks = []Lock{}
	}
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Locks         []Lock `json:"locks"`
	}{FormatVersion, locks})
}
