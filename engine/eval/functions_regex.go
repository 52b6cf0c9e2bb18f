package eval

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// RE2 patterns are matched in time that grows with the text, but also with the
// program that a pattern is compiled to, which a few nested repetitions make huge,
// and in memory that grows with its groups. A match cannot be interrupted.
const (
	maxPattern = 10_000          // bytes
	maxGroups  = 100             // of a pattern
	maxProgram = 10_000          // instructions
	maxMatch   = 100_000_000     // instructions times bytes of text
	maxSearch  = time.Second / 2 // for every match
)

// patternBound refuses a pattern that is too large to match a text by. One that
// is no pattern passes: the function itself says so.
func patternBound(pattern, text string) error {
	if len(pattern) > maxPattern {
		return function.NewArgErrorf(0, "a pattern has at most %d characters", maxPattern)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	if parsed.MaxCap() > maxGroups {
		return function.NewArgErrorf(0, "a pattern has at most %d groups", maxGroups)
	}
	program, err := syntax.Compile(parsed.Simplify())
	switch {
	case err != nil:
		return nil
	case len(program.Inst) > maxProgram:
		return function.NewArgError(0, errors.New("the pattern is too large: its repetitions multiply"))
	case len(program.Inst)*len(text) > maxMatch:
		return fmt.Errorf("the pattern is too large for a text of %d bytes: it may be so only for a shorter one", len(text))
	}
	return nil
}

func regexBound(args []cty.Value) error { return patternBound(str(args[0]), str(args[1])) }

func regexallBound(args []cty.Value) error { return everyBound(str(args[0]), str(args[1])) }

// everyBound is patternBound for functions that look for every match. To find the
// next one may take looking at all that is left of the text.
func everyBound(pattern, text string) (err error) {
	if err := patternBound(pattern, text); err != nil {
		return err
	}
	re, invalid := regexp.Compile(pattern)
	if invalid != nil {
		return nil // the function itself says so
	}
	type enough struct{ error }
	defer func() {
		if r := recover(); r != nil {
			stop, ours := r.(enough)
			if !ours {
				panic(r)
			}
			err = stop.error
		}
	}()
	deadline, matches := time.Now().Add(maxSearch), 0
	re.ReplaceAllStringFunc(text, func(string) string { // the one search that can be stopped
		if matches++; matches > maxElements {
			panic(enough{tooMany(matches)})
		}
		if time.Now().After(deadline) {
			panic(enough{errors.New("it takes too long to find every match")})
		}
		return ""
	})
	return nil
}
