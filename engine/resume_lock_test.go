package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A resume that cannot begin leaves the run as it was: its attempt may still be
// at work in a backend, and nobody else may come near it.
func TestResumeThatCannotBeginKeepsTheLocks(t *testing.T) {
	intent := event.Event{Type: event.ActionStarted, Step: "step.a", Attempt: &event.Attempt{Number: 1, Action: "fake.set"}}
	held := []schema.Effect{{Resource: "redis://h:6379/0", Mode: schema.Write}, {Resource: "runbook:left", Mode: schema.Write}}
	for name, spoil := range map[string]func(t *testing.T, l *left){
		"its inbox cannot be read": func(t *testing.T, l *left) {
			must(t, os.WriteFile(filepath.Join(l.store.Dir(), "runs", l.id, "inbox"), nil, 0o600))
		},
		"its target is gone": func(t *testing.T, l *left) {
			must(t, os.WriteFile(l.file, []byte("runbook \"left\" {}\nstep \"b\" {}\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := leave(t, "runbook \"left\" {}\nstep \"a\" {}\n", func(s *event.Start) { s.Targets = []string{"step.a"} }, intent)
			spoil(t, l)
			if result, err := l.resume(t.Context(), func(o *ResumeOptions) { o.AcceptChanges = true }); err == nil {
				t.Fatalf("it was resumed: %+v", result)
			}
			if diff := cmp.Diff(held, l.holds(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
