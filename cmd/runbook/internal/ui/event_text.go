package ui

import (
	"fmt"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

func startText(e event.Event) string {
	if e.Rollback != "" {
		return named("is taken back", e.Title)
	}
	if e.Title == "" {
		return "started"
	}
	return e.Title
}

// ObservationText says what was observed: "goal fresh does not hold: …".
func ObservationText(o *event.Observation) string {
	if o == nil {
		return ""
	}
	if o.Kind == "capture" {
		if o.Failure != nil {
			return named("could not read "+o.Probe, failureText(o.Failure))
		}
		return named("read "+o.Probe, o.Message)
	}
	if o.Kind == "approval" {
		return named("approved by "+o.By, o.Note)
	}
	if o.Kind == "answer" {
		return named("answered by "+o.By, o.Message) + suffix(o.Note)
	}
	text := strings.TrimSpace(o.Kind+" "+o.Name) + " " + verb(o.Holds)
	if o.TakesBack {
		text = "rollback " + text
	}
	if o.Looks > 1 {
		text += fmt.Sprintf(" after %d looks", o.Looks)
	}
	message := o.Message
	if message == "" && o.Failure != nil {
		message = failureText(o.Failure)
	}
	return named(text, message)
}

func observedMark(o *event.Observation) (string, color) {
	if o == nil {
		return "", plain
	}
	if o.Kind == "capture" && o.Failure == nil {
		return "·", plain
	}
	symbol, c := answer(o.Holds)
	if c == red && o.Kind != "verify" {
		// A goal or a check that does not hold is news, not a failure.
		c = yellow
	}
	return symbol, c
}

func failureText(f *schema.Failure) string {
	if f == nil {
		return ""
	}
	return f.Error()
}

// attemptText says what is about to be done: "redis.flushdb, destructive, 42 keys".
func attemptText(a *event.Attempt) string {
	parts := []string{attemptName(a)}
	if a.Destructive {
		parts = append(parts, "destructive")
	}
	if impact := impactText(a.Impact); impact != "" {
		parts = append(parts, impact)
	}
	if a.Number > 1 {
		parts = append(parts, fmt.Sprintf("attempt %d", a.Number))
	}
	return strings.Join(parts, ", ")
}

// attemptName is an attempt's action, and which of the step's actions that is.
func attemptName(a *event.Attempt) string {
	switch {
	case a.TakesBack:
		return a.Action + " (rollback)"
	case a.Fallback != "":
		return a.Action + " (fallback " + a.Fallback + ")"
	}
	return a.Action
}

// stateText says how an attempt ended.
func stateText(state schema.State) string {
	switch state {
	case schema.Done:
		return "done"
	case schema.FailedClean:
		return "failed, nothing was changed"
	case schema.FailedPartial:
		return "failed, something may have been changed"
	case schema.Running:
		return "still running in the backend"
	case schema.Ask:
		return "asks a person"
	}
	return "ended without a word: nobody knows what it did"
}

// settledText says who settled an unknown outcome.
func settledText(by string) string {
	switch by {
	case "goal":
		return " (settled: its goal was looked at)"
	case "settle":
		return " (settled: the provider looked in the backend)"
	case "person":
		return " (settled by a person)"
	case "":
		return ""
	}
	return " (settled: " + by + ")"
}

func finishText(e event.Event) (symbol string, c color, text string) {
	a := e.Attempt
	if a == nil {
		return "", plain, e.Message
	}
	symbol, c = "✗", red
	if a.State == schema.Done {
		symbol, c = "✓", green
	}
	text = attemptName(a) + " " + stateText(a.State)
	if e.DurationSeconds > 0 {
		text += " in " + duration(e.DurationSeconds)
	}
	message := e.Message
	if message == "" {
		message = failureText(a.Failure)
	}
	return symbol, c, named(text+settledText(a.Settled), message)
}

// statusText says how a step ended: "done in 6.2s".
func statusText(e event.Event) string {
	text := words(e.Status)
	if e.DurationSeconds > 0 && e.Status != "skipped" && e.Status != "not_run" {
		text += " in " + duration(e.DurationSeconds)
	}
	return named(text, e.Message)
}

func progressText(e event.Event) string {
	text := fmt.Sprintf("%g", e.Done)
	if e.Total > 0 {
		text = fmt.Sprintf("%.0f%%", 100*e.Done/e.Total)
	}
	return named(text, e.Message)
}

func runFinishedText(e event.Event) string {
	if e.Cancelled {
		return "run " + e.Message
	}
	text := "run " + words(e.Outcome)
	if e.DurationSeconds > 0 {
		text += " in " + duration(e.DurationSeconds)
	}
	return named(text, e.Message)
}

func runColor(outcome string) color {
	switch outcome {
	case "failed", "rolled_back":
		return red
	default:
		return bold
	}
}

// words writes a JSON word for people: not_run → not run.
func words(word string) string {
	return strings.ReplaceAll(word, "_", " ")
}
