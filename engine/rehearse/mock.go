package rehearse

import (
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// mock answers one operation, or one check, at a place or everywhere.
type mock struct {
	operation string // feast.freshness, or check.bars
	at        string // empty: everywhere
	own       bool   // the test's, not its file's
	says      map[schema.Kind]*script
}

// script is what a mock says as a probe, or as an action.
type script struct {
	first answer
	after []after
}

// after is what a mock answers once an action has changed the world.
type after struct {
	action string
	at     string // only where this step has done it; empty: whichever
	answer answer
}

// answer is what a mock says.
type answer struct {
	returns cty.Value
	fails   string
	clean   bool // it failed, and changed nothing
	unknown bool
	takes   time.Duration
	impact  schema.Impact
}

// covers tells whether a mock is for a call at a place with these names.
func (m *mock) covers(places []string) bool {
	if m.at == "" {
		return true
	}
	for _, p := range places {
		if under(p, m.at) {
			return true
		}
	}
	return false
}

// under tells whether a place is another one, an instance of it, or a part.
func under(place, of string) bool {
	return place == of || strings.HasPrefix(place, of+".") || strings.HasPrefix(place, of+"[") || plainly(place) == of
}

// now is the answer by what has happened: of several afters the last counts.
func (s *script) now(happened func(after) bool) answer {
	a := s.first
	for _, next := range s.after {
		if happened(next) {
			a = next.answer
		}
	}
	return a
}
