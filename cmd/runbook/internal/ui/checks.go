package ui

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/runbook-engine/runbook/engine/plan"
)

// WriteChecks writes the answers of named checks, one a line, and how many hold.
func WriteChecks(w io.Writer, style Style, checks []plan.Check) error {
	p := &page{style: style}
	width, holding := 0, 0
	for _, check := range checks {
		width = max(width, utf8.RuneCountInString(check.Name))
	}
	for _, check := range checks {
		symbol, c := answer(check.Holds)
		if symbol == "✓" {
			holding++
		}
		p.linef("%s %s  %s%s", p.paint(c, symbol), p.paint(bold, pad(check.Name, width)),
			p.paint(c, pad(verb(check.Holds), len("could not be looked at"))), suffix(check.Message))
	}
	c := green
	if holding < len(checks) {
		c = red
	}
	switch len(checks) {
	case 0:
		p.linef("There is no check to look at.")
	case 1:
		p.linef("%s", p.paint(c, fmt.Sprintf("%d of 1 check holds", holding)))
	default:
		p.linef("%s", p.paint(c, fmt.Sprintf("%d of %d checks hold", holding, len(checks))))
	}
	return p.flush(w)
}
