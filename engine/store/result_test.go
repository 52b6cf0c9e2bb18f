package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

// large are events of which two share a result that is too large for the record,
// and one has a result that just is not.
func large() []event.Event {
	big, fits := quoted(1<<20+1), quoted(1<<20)
	return []event.Event{
		{FormatVersion: "1.0", Seq: 1, Time: began, Type: event.ActionFinished, Run: "r", Step: "step.x", Attempt: &event.Attempt{Number: 1, Action: "exec.run", Result: big}},
		{FormatVersion: "1.0", Seq: 2, Time: began, Type: event.Observed, Run: "r", Step: "step.y", Observation: &event.Observation{Kind: "capture", Name: "y", Result: big}},
		{FormatVersion: "1.0", Seq: 3, Time: began, Type: event.Observed, Run: "r", Step: "step.z", Observation: &event.Observation{Kind: "capture", Name: "z", Result: fits}},
	}
}

// quoted is a JSON string of so many bytes.
func quoted(bytes int) json.RawMessage {
	return json.RawMessage(`"` + strings.Repeat("r", bytes-2) + `"`)
}

// brief are copies of events with hashes in place of results.
func brief(events []event.Event) []event.Event {
	sum := func(result json.RawMessage) json.RawMessage {
		return json.RawMessage(fmt.Sprintf("%d %x", len(result), sha256.Sum256(result)))
	}
	events = slices.Clone(events)
	for i := range events {
		if a := events[i].Attempt; a != nil {
			short := *a
			short.Result = sum(a.Result)
			events[i].Attempt = &short
		}
		if o := events[i].Observation; o != nil {
			short := *o
			short.Result = sum(o.Result)
			events[i].Observation = &short
		}
	}
	return events
}

func replay(t *testing.T, s *store.Store) ([]event.Event, error) {
	t.Helper()
	events, err := s.Events("r")
	check(t, err)
	var got []event.Event
	for e, err := range events {
		if err != nil {
			return got, err
		}
		got = append(got, e)
	}
	return got, nil
}

func TestALargeResultHasAFileOfItsOwn(t *testing.T) {
	s := newStore(t)
	r := must[*store.Run](t)(s.NewRun("r"))
	given := large()
	check(t, r.Append(given...))
	diff(t, brief(large()), brief(given))
	var got []event.Event
	for e, err := range r.Events() {
		check(t, err)
		got = append(got, e)
	}
	diff(t, brief(large()), brief(got))
	check(t, r.Close())
	diff(t, brief(large()), brief(must[[]event.Event](t)(replay(t, s))))

	files := must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(r.Dir(), "results")))
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	path := filepath.Join(r.Dir(), "results", files[0].Name())
	if !bytes.Equal(quoted(1<<20+1), must[[]byte](t)(os.ReadFile(path))) {
		t.Error("the file does not hold the result")
	}
	diff(t, os.FileMode(0o600), must[os.FileInfo](t)(os.Stat(path)).Mode())
	record := must[[]byte](t)(os.ReadFile(filepath.Join(r.Dir(), "journal.jsonl")))
	if n := bytes.Count(record, []byte(files[0].Name())); n != 2 {
		t.Errorf("the record names the file %d times", n)
	}
	if len(record) > 1<<20+4096 {
		t.Errorf("the record has %d bytes", len(record))
	}
	logs, results, err := s.VerifyFiles("r")
	check(t, err)
	diff(t, [2]int{0, 2}, [2]int{logs, results})
}

func TestAMissingOrAlteredResultIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"missing": {os.Remove, "is missing"},
		"shorter": {func(path string) error { return os.Truncate(path, 100) }, "is not what was written"},
		"longer": {func(path string) error {
			return os.WriteFile(path, append(quoted(1<<20+1), ' '), 0o600)
		}, "is not what was written"},
		"altered": {func(path string) error {
			content := quoted(1<<20 + 1)
			content[1000] = 's'
			return os.WriteFile(path, content, 0o600)
		}, "is not what was written"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			r := newRun(t, s, "r", large()...)
			paths := must[[]string](t)(filepath.Glob(filepath.Join(r.Dir(), "results", "*.json")))
			check(t, c.spoil(paths[0]))
			want := "the result of step.x in event 1: results/" + filepath.Base(paths[0]) + " " + c.want
			if _, _, err := s.VerifyFiles("r"); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("verify: %v", err)
			}
			if _, err := replay(t, s); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("replay: %v", err)
			}
		})
	}
}

// What a record that somebody forged names is not read.
func TestAResultIsReadFromItsOwnFolderOnly(t *testing.T) {
	s := newStore(t)
	secret := filepath.Join(t.TempDir(), "secret")
	check(t, os.WriteFile(secret, []byte("x"), 0o600))
	sum := "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
	for i, path := range []string{secret, "../../../../secret", "results/" + sum + ".json/../../journal.jsonl"} {
		id := string(rune('a' + i))
		newRun(t, s, id, event.Event{FormatVersion: "1.0", Seq: 1, Time: began, Type: event.ActionFinished, Run: id, Step: "step.x",
			Attempt: &event.Attempt{Number: 1, ResultFile: &event.File{Path: path, Bytes: 1, SHA256: sum}}})
		if _, _, err := s.VerifyFiles(id); err == nil || !strings.Contains(err.Error(), "which is no file of a result") {
			t.Errorf("%s: %v", path, err)
		}
	}
	r := newRun(t, s, "linked", event.Event{FormatVersion: "1.0", Seq: 1, Time: began, Type: event.ActionFinished, Run: "linked", Step: "step.x",
		Attempt: &event.Attempt{Number: 1, ResultFile: &event.File{Path: "results/" + sum + ".json", Bytes: 1, SHA256: sum}}})
	check(t, os.Mkdir(filepath.Join(r.Dir(), "results"), 0o700))
	check(t, os.Symlink(secret, filepath.Join(r.Dir(), "results", sum+".json")))
	if _, _, err := s.VerifyFiles("linked"); err == nil {
		t.Error("a link was followed")
	}
}

// Where a large result cannot be kept, nothing of its group is on record.
func TestAResultThatCannotBeKeptIsNotOnRecord(t *testing.T) {
	s := newStore(t)
	r := newRun(t, s, "r")
	check(t, os.WriteFile(filepath.Join(r.Dir(), "results"), nil, 0o600)) // no folder can be made there
	if err := r.Append(large()...); err == nil || !strings.Contains(err.Error(), "keep the result of step.x") {
		t.Errorf("got %v", err)
	}
	diff(t, []event.Event(nil), must[[]event.Event](t)(replay(t, s)))
}
