package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Answer is what a person said to a step that waits, left for the process that
// attends the run, or for the next one.
type Answer struct {
	Step     string            `json:"step"`
	Question int64             `json:"question"` // the number of the event that asked
	By       string            `json:"by"`
	Note     string            `json:"note,omitempty"`
	Values   map[string]string `json:"values,omitempty"` // what was asked for, by name
	Time     time.Time         `json:"time"`
}

// Answer leaves an answer in the run's inbox, also while a process attends the
// run. It is on the disk when Answer returns nil.
func (s *Store) Answer(id string, answer Answer) error {
	dir, err := s.find(id)
	if err != nil {
		return err
	}
	inbox := filepath.Join(dir, "inbox")
	if err := makeFolder(inbox); err != nil {
		return fmt.Errorf("answer run %s: %w", id, err)
	}
	content, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("answer run %s: %w", id, err)
	}
	// Names sort by question, then by time; what shares one is the same answer said twice.
	name := fmt.Sprintf("%019d.%s.%s.json", answer.Question, answer.Time.UTC().Format("20060102-150405.000000000"), fileName(answer.Step+" "+answer.By))
	return WriteFile(filepath.Join(inbox, name), append(content, '\n'))
}

// Answers reads a run's inbox, by question, oldest first, also while a process
// attends the run. Answers stay in it: which of them still count is told by the
// record.
func (s *Store) Answers(id string) ([]Answer, error) {
	dir, err := s.find(id)
	if err != nil {
		return nil, err
	}
	return answersIn(dir, id)
}

// Answers reads the run's inbox, as Store.Answers does.
func (r *Run) Answers() ([]Answer, error) { return answersIn(r.dir, r.id) }

func answersIn(dir, id string) ([]Answer, error) {
	inbox := filepath.Join(dir, "inbox")
	if err := trust(inbox); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the inbox of run %s: %w", id, err)
	}
	entries, err := os.ReadDir(inbox) // sorted
	if err != nil {
		return nil, fmt.Errorf("read the inbox of run %s: %w", id, err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), ".json")
	})
	answers := make([]Answer, len(entries))
	for i, entry := range entries {
		content, err := os.ReadFile(filepath.Join(inbox, entry.Name()))
		if err == nil {
			err = json.Unmarshal(content, &answers[i])
		}
		if err != nil {
			return nil, fmt.Errorf("read the inbox of run %s: %s: %w", id, entry.Name(), err)
		}
	}
	return answers, nil
}
