package ui

import (
	"encoding/json"
	"fmt"

	"github.com/runbook-engine/runbook/engine/plan"
)

// answer is the symbol and colour of an assertion's answer; nil is "not known".
func answer(holds *bool) (string, color) {
	switch {
	case holds == nil:
		return "?", yellow
	case *holds:
		return "✓", green
	default:
		return "✗", red
	}
}

// verb says an assertion's answer in words.
func verb(holds *bool) string {
	switch {
	case holds == nil:
		return "could not be looked at"
	case *holds:
		return "holds"
	default:
		return "does not hold"
	}
}

func decisionSymbol(decision string) string {
	switch decision {
	case "run":
		return "▸"
	case "satisfied":
		return "✓"
	case "blocked":
		return "✗"
	case "deferred":
		return "…"
	default: // skipped
		return "-"
	}
}

func decisionColor(decision string) color {
	switch decision {
	case "run":
		return cyan
	case "satisfied":
		return green
	case "blocked":
		return red
	case "deferred":
		return yellow
	default: // skipped
		return dim
	}
}

func outcomeColor(outcome string) color {
	switch outcome {
	case plan.NothingToDo:
		return green
	case plan.Blocked:
		return red
	default:
		return bold
	}
}

// statusMark is the symbol and colour of a step's status (language.md).
func statusMark(status string) (string, color) {
	switch status {
	case "done", "satisfied", "rolled_back":
		return "✓", green
	case "skipped", "not_run":
		return "-", dim
	case "interrupted":
		return "!", yellow
	default: // blocked, failed, unknown, rollback_failed
		return "✗", red
	}
}

// statusOrder is every status of a step, the good ones first.
func statusOrder() []string {
	return []string{
		"done", "satisfied", "skipped", "rolled_back", "not_run",
		"blocked", "interrupted", "failed", "unknown", "rollback_failed",
	}
}

// endedBadly says whether a status is none of those that end well, and not
// merely the consequence of another step's.
func endedBadly(status string) bool {
	switch status {
	case "done", "satisfied", "skipped", "not_run", "rolled_back", "":
		return false
	}
	return true
}

// named is "name: message", or whichever of the two there is.
func named(name, message string) string {
	switch {
	case message == "":
		return name
	case name == "":
		return message
	}
	return name + ": " + message
}

// suffix sets text apart from what stands before it.
func suffix(text string) string {
	if text == "" {
		return ""
	}
	return "  " + text
}

// valueText writes a JSON value as people read it: text bare, all else as JSON.
func valueText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("(no JSON: %v)", err)
	}
	return string(data)
}
