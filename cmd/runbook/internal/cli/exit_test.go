package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/runbook-engine/runbook/engine"
	"github.com/runbook-engine/runbook/engine/store"
)

func TestErrorCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		say  bool
	}{
		{nil, 0, false},
		{endedWith(0), 0, false},
		{fmt.Errorf("plan: %w", ended(3)), 3, false},
		{errors.New("disk full"), 1, true},
		{fmt.Errorf("apply: %w", &store.LockedError{Conflicts: make([]store.Conflict, 1)}), 5, true},
		{fmt.Errorf("resume: %w", &store.AttendedError{}), 5, true},
		{fmt.Errorf("apply: %w", &engine.StaleError{Grew: []string{"step.x"}}), 6, true},
		{fmt.Errorf("apply: %w", engine.ErrInterrupted), 130, true},
		{context.Canceled, 130, true},
	} {
		if code, say := errorCode(c.err); code != c.code || say != c.say {
			t.Errorf("errorCode(%v) = %d, %t; want %d, %t", c.err, code, say, c.code, c.say)
		}
	}
}

func TestOutcomeCode(t *testing.T) {
	for outcome, want := range map[string]int{
		"succeeded": 0, "failed": 1, "blocked": 3, "waiting": 4, "interrupted": 130,
		"rolled_back": 1, engine.Declined: 1, "": 1,
	} {
		if got := outcomeCode(outcome); got != want {
			t.Errorf("outcomeCode(%q) = %d, want %d", outcome, got, want)
		}
	}
}
