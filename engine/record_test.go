package engine

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/bundled"
	"github.com/runbook-engine/runbook/providers/schema"
)

// left is a run on record that some process has left half-way.
type left struct {
	engine *Engine
	store  *store.Store
	id     string
	file   string
}

// leave puts a run on record: it was begun with the source, as change has it,
// did what events say, and holds its locks.
func leave(t *testing.T, source string, change func(*event.Start), events ...event.Event) *left {
	t.Helper()
	dir := t.TempDir()
	l := &left{engine: New(Options{Catalog: bundled.NewCatalog(bundled.Providers(), "core"), StoreDir: filepath.Join(dir, store.Folder)}), id: "20260117-030000-aaaa", file: filepath.Join(dir, "left.hcl")}
	must(t, os.WriteFile(l.file, []byte(source), 0o600))
	rb, diags := runbook.Load(l.file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := l.engine.open(t.Context(), rb, Inputs{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	defer s.Close()
	begun, err := l.engine.start(t.Context(), s, nil)
	must(t, err)
	begun.Approved = true
	if change != nil {
		change(&begun)
	}
	l.store, err = l.engine.Store()
	must(t, err)
	kept, err := l.store.NewRun(l.id)
	must(t, err)
	events = append([]event.Event{{Type: event.RunStarted, Start: &begun}}, events...)
	for i := range events {
		events[i].Seq, events[i].Run = int64(i+1), l.id
	}
	must(t, kept.Append(events...))
	must(t, kept.Close())
	lease, err := l.store.Acquire(t.Context(), store.Holder{Run: l.id, Runbook: rb.Name}, []schema.Effect{{Resource: "redis://h:6379/0", Mode: schema.Write}}, 0)
	must(t, err)
	lease.Close()
	return l
}

// journal is the file that holds its record.
func (l *left) journal() string { return filepath.Join(l.store.Dir(), "runs", l.id, "journal.jsonl") }

// resume goes on with the run, away from a terminal.
func (l *left) resume(ctx context.Context, change func(*ResumeOptions)) (Result, error) {
	opts := ResumeOptions{ApplyOptions: ApplyOptions{Screen: nowhere{}}}
	if change != nil {
		change(&opts)
	}
	result, diags, err := l.engine.Resume(ctx, l.id, opts)
	if diags.HasErrors() {
		return result, diags
	}
	return result, err
}

// holds tells what the run still holds.
func (l *left) holds(t *testing.T) []schema.Effect {
	t.Helper()
	claims, err := l.store.List()
	must(t, err)
	for _, c := range claims {
		if c.Run == l.id {
			return c.Effects
		}
	}
	return nil
}

type nowhere struct{}

func (nowhere) Emit(event.Event) error { return nil }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
