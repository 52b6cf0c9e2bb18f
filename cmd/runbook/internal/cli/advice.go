package cli

import (
	"errors"

	"github.com/runbook-engine/runbook/engine"
)

// advised is an error together with what to do about it.
type advised struct {
	error
	advice string
}

func (e *advised) Unwrap() error { return e.error }

// advise adds to an error what its reader can do about it, in sentences.
func advise(err error, advice string) error { return &advised{err, advice} }

// adviceOf is what to do about an error: what was added to it by advise, or what
// goes for all of its kind; else empty.
func adviceOf(err error) string {
	var with *advised
	if errors.As(err, &with) {
		return with.advice
	}
	var stale *engine.StaleError
	if errors.As(err, &stale) {
		return "Nothing was done: plan again, and look at what is different now."
	}
	return ""
}
