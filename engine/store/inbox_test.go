package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/runbook-engine/runbook/engine/store"
)

func TestAnswersAreReadInOrder(t *testing.T) {
	s := newStore(t)
	r := newRun(t, s, "r")
	diff(t, []store.Answer(nil), must[[]store.Answer](t)(r.Answers()))
	answers := []store.Answer{
		{Step: "step.b", By: "ada", Time: began},
		{Step: `step.a["../k"]`, By: "bob", Note: "looked at it", Time: began},
		{Step: "step.a", By: "ada", Values: map[string]string{"run_id": "7"}, Time: began.Add(time.Microsecond)},
		{Step: "step.a", Question: 12, By: "ada", Time: began.Add(-time.Hour)}, // the clock was set back
	}
	for _, i := range []int{3, 2, 0, 1, 1} {
		check(t, s.Answer("r", answers[i]))
	}
	// A process that was killed while answering leaves this.
	check(t, os.WriteFile(filepath.Join(r.Dir(), "inbox/.x.json.tmp-1"), []byte("{"), 0o600))
	diff(t, []store.Answer{answers[1], answers[0], answers[2], answers[3]}, must[[]store.Answer](t)(r.Answers()))

	var missing *store.NotFoundError
	if err := s.Answer("nobody", answers[0]); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
