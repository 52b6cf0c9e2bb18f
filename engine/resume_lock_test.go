package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A resume that cannot begin leaves the run as it was: its attempt may still be
// at work in a backend, and nobody else may come near it.
func TestResumeThatCannotBeginKeepsTheLocks(t *testing.T) {
	intent := event.Event{Type: event.ActionStarted, Step: "step.a", Attempt: &event.Attempt{Number: 1, Action: "fake.set"}}
	held := []schema.Effect{{Resource: "redis://h:6379/0", Mode: schema.Write}, {Resource: "runbook:left", Mode: schema.Write}}
	for name, spoil := range map[string]func(t *testing.T, l *left){
		"its inbox cannot be read": func(t *testing.T, l *left) {
			must(t, os.WriteFile(filepath.Join(filepath.Dir(l.journal()), "inbox"), nil, 0o600))
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

// An edited runbook is checked as by apply, before anything comes of it.
func TestResumeValidatesWhatWasEdited(t *testing.T) {
	l := leave(t, "runbook \"left\" {}\nstep \"a\" {}\n", nil)
	before, err := os.ReadFile(l.journal())
	must(t, err)
	must(t, os.WriteFile(l.file, []byte("runbook \"left\" {}\nstep \"a\" {\n  action \"core.log\" {\n    massage = \"x\"\n  }\n}\n"), 0o600))
	_, err = l.resume(t.Context(), func(o *ResumeOptions) { o.AcceptChanges = true })
	if err == nil || !strings.Contains(err.Error(), `needs the argument "message"`) {
		t.Errorf("got %v", err)
	}
	after, err := os.ReadFile(l.journal())
	must(t, err)
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("something is on record of it: %s", diff)
	}
}

// Waiting for another run's locks ends with the first interrupt.
func TestInterruptEndsTheWaitForLocks(t *testing.T) {
	l := leave(t, "runbook \"left\" {}\nstep \"a\" {}\n", nil)
	must(t, l.store.Release(t.Context(), l.id))
	other, err := l.store.NewRun("")
	must(t, err)
	defer other.Close()
	lease, err := l.store.Acquire(t.Context(), store.Holder{Run: other.ID(), Runbook: "left"}, nil, 0)
	must(t, err)
	defer lease.Close()

	interrupted := make(chan struct{})
	rb, diags := runbook.Load(l.file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	_, _, err = l.engine.Apply(t.Context(), rb, ApplyOptions{
		Screen: nowhere{}, LockTimeout: new(time.Minute), Interrupt: interrupted,
		Planned: func(*plan.Plan) { close(interrupted) },
	})
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("apply: %v", err)
	}
	_, err = l.resume(t.Context(), func(o *ResumeOptions) { o.LockTimeout, o.Interrupt = new(time.Minute), interrupted })
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("resume: %v", err)
	}
}

// What the steps that are left are known to write is locked before any of them
// begins, all or none: in the middle of the run it would be too late.
func TestResumeTakesTheLocksOfWhatIsLeft(t *testing.T) {
	l := leave(t, `runbook "left" {}
step "a" {
  action "core.log" {
    message = "first"
  }
}
step "b" {
  action "exec.run" {
    argv    = ["true"]
    effects = [{ resource = "redis://h:6379/1" }]
  }
}
`, nil)
	must(t, l.store.Release(t.Context(), l.id))
	before, err := os.ReadFile(l.journal())
	must(t, err)
	other, err := l.store.NewRun("")
	must(t, err)
	defer other.Close()
	lease, err := l.store.Acquire(t.Context(), store.Holder{Run: other.ID(), Runbook: "other"}, []schema.Effect{{Resource: "redis://h:6379", Mode: schema.Write}}, 0)
	must(t, err)
	defer lease.Close()

	_, err = l.resume(t.Context(), nil)
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]schema.Effect(nil), l.holds(t)); diff != "" {
		t.Errorf("it holds a part: %s", diff)
	}
	after, err := os.ReadFile(l.journal())
	must(t, err)
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("it began: %s", diff)
	}
}
