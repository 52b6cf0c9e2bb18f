package engine

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
)

// events reads a run's record from its beginning.
func events(kept *store.Run) ([]event.Event, error) {
	var history []event.Event
	for e, err := range kept.Events() {
		if err != nil {
			return nil, err
		}
		history = append(history, e)
	}
	return history, nil
}

// bounds are the first start and the last finish on record; nil where missing.
func bounds(history []event.Event) (first, finished *event.Event) {
	for i := range history {
		switch e := &history[i]; {
		case e.Type == event.RunStarted && first == nil:
			first = e
		case e.Type == event.RunStarted:
			finished = nil
		case e.Type == event.RunFinished:
			finished = e
		}
	}
	return first, finished
}

// accepted is the last start that holds sources: those the run was begun with,
// or those that a resume took in their place.
func accepted(history []event.Event) *event.Start {
	var last *event.Start
	for i := range history {
		if e := &history[i]; e.Type == event.RunStarted && e.Start != nil && (last == nil || e.Start.Sources != nil) {
			last = e.Start
		}
	}
	return last
}

// whereabouts is the path of a run's runbook from wherever we are now.
func whereabouts(start *event.Start) string {
	if start.Dir == "" {
		return start.File
	}
	path := filepath.Join(start.Dir, filepath.Base(start.File))
	working, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(working, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

// changes names the files that are not as they were.
func changes(rb *runbook.Runbook, start *event.Start) []string {
	now, then := beside(rb.File, sources(rb)), beside(start.File, start.Sources)
	var changed []string
	for name, text := range now {
		if before, there := then[name]; !there || before != text {
			changed = append(changed, name)
		}
	}
	for name := range then {
		if _, there := now[name]; !there {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}

// beside names sources from the folder of the runbook's own file.
func beside(file string, sources map[string]string) map[string]string {
	folder := filepath.Dir(file)
	texts := make(map[string]string, len(sources))
	for name, text := range sources {
		if short, err := filepath.Rel(folder, filepath.FromSlash(name)); err == nil {
			name = filepath.ToSlash(short)
		}
		texts[name] = text
	}
	return texts
}
