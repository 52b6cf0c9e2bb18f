package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// UsedError means that a saved plan has become a run already.
type UsedError struct {
	Run string // empty: it cannot be told which
}

// Error implements error.
func (e *UsedError) Error() string {
	return fmt.Sprintf("the plan has become run %s already, and it is good for one: plan again", e.Run)
}

// UsePlan notes that a saved plan becomes a run: the one that a digest stands
// for, once. The error is a *UsedError where it has become one before, also by a
// process that runs at the same time.
func (s *Store) UsePlan(digest, run string) error {
	if err := s.prepare("plans"); err != nil {
		return err
	}
	path := s.usedPlan(digest)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &UsedError{Run: usedBy(path)}
	}
	if err != nil {
		return fmt.Errorf("use plan: %w", err)
	}
	_, err = f.WriteString(run + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("use plan: %w", err)
	}
	return nil
}

// PlanUsed tells which run a saved plan has become; nil: none yet.
func (s *Store) PlanUsed(digest string) *UsedError {
	path := s.usedPlan(digest)
	if _, err := os.Lstat(path); err != nil {
		return nil
	}
	return &UsedError{Run: usedBy(path)}
}

// usedPlan is the file that tells which run a plan has become.
func (s *Store) usedPlan(digest string) string {
	return s.path("plans", filepath.Base(strings.TrimPrefix(digest, "sha256:"))+".run")
}

// usedBy is the run that a plan has become.
func usedBy(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "(unknown)"
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if run := strings.TrimSpace(string(text)); err == nil && run != "" {
		return run
	}
	return "(unknown)"
}
