package cli

import "errors"

// advised is an error together with what to do about it.
type advised struct {
	error
	advice string
}

func (e *advised) Unwrap() error { return e.error }

// advise adds to an error what its reader can do about it, in sentences.
func advise(err error, advice string) error { return &advised{err, advice} }

// adviceOf is what was added to an error by advise, or empty.
func adviceOf(err error) string {
	var with *advised
	if errors.As(err, &with) {
		return with.advice
	}
	return ""
}
