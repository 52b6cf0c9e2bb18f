package engine

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
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

// changes are the files that are not as they were. Secrets in them do not count:
// they may have been replaced since.
func changes(file string, sources map[string]source, start *event.Start) []Change {
	now, then, digests := beside(file, sources), beside(start.File, start.Sources), beside(start.File, start.Digests)
	var changed []Change
	for name, source := range now {
		if digests[name] != source.digest {
			changed = append(changed, Change{File: name, Before: then[name], After: source.text})
		}
	}
	for name := range digests {
		if _, there := now[name]; !there {
			changed = append(changed, Change{File: name, Before: then[name]})
		}
	}
	slices.SortFunc(changed, func(a, b Change) int { return strings.Compare(a.File, b.File) })
	return changed
}

// replaced are the providers that are not those which a run was started with.
// then has none where their identities are not on record.
func replaced(then, now map[string]string) []Change {
	var changed []Change
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if then[name] != now[name] && then[name] != "" {
			changed = append(changed, Change{File: "provider " + name, Before: then[name] + "\n", After: now[name] + "\n"})
		}
	}
	return changed
}

// beside names files from the folder of the runbook's own file.
func beside[T any](file string, files map[string]T) map[string]T {
	folder := filepath.Dir(file)
	named := make(map[string]T, len(files))
	for name, of := range files {
		if short, err := filepath.Rel(folder, filepath.FromSlash(name)); err == nil {
			name = filepath.ToSlash(short)
		}
		named[name] = of
	}
	return named
}
