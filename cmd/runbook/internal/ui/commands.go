package ui

import (
	"strings"
)

// ApproveCommand is the command that lets a waiting step of a run go on.
func ApproveCommand(run, step string) string {
	return "runbook approve " + run + " " + Quote(step)
}

// Quote writes a word as a POSIX shell reads it back.
func Quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, needsQuotes) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func needsQuotes(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_./:=@%+,", r)
}
