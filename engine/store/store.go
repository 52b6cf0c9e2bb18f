// Package store is where runs, saved plans and locks live. This is the embedded
// store: files under .runbook in the repository, for one checkout on one
// machine. It keeps and finds; what a run's events mean is for engine/apply, and
// how they are sealed for engine/journal.
//
//	.runbook/runs/ID/journal.jsonl   the record
//	.runbook/runs/ID/logs/STEP.log   what steps have said
//	.runbook/runs/ID/results/        results too large for the record, by SHA-256
//	.runbook/runs/ID/attempts/       files locked while an attempt works
//	.runbook/runs/ID/inbox/          answers that people left
//	.runbook/plans/                  saved plans
//	.runbook/locks/                  what runs hold against each other
//
// Folders are made with mode 0700, and given it where they were there before;
// files are made with 0600. A store that somebody else owns or may write to is
// refused.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is the name of a store's folder.
const Folder = ".runbook"

// Store is a store that was found trustworthy. It may be used by several
// goroutines and several processes at once.
type Store struct {
	dir string
}

// Find says where the store for work in startDir is: in the nearest folder that
// holds a .git, else in startDir itself. It need not exist. Whoever comes by a
// symbolic link finds the same one.
func Find(startDir string) string {
	start, err := filepath.Abs(startDir)
	if err != nil {
		start = startDir
	}
	if real, err := filepath.EvalSymlinks(start); err == nil {
		start = real
	}
	for dir := start; ; {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return filepath.Join(dir, Folder)
		}
		above := filepath.Dir(dir)
		if above == dir {
			return filepath.Join(start, Folder)
		}
		dir = above
	}
}

// FindFor says where runs of the runbook in file are kept: where Find says for
// the folder that the file really lies in, wherever it is run from. So all who run
// it hold the same locks.
func FindFor(file string) string {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	return Find(filepath.Dir(file))
}

// Open opens the store in dir. A store that does not exist is empty; it is made
// when something is first kept, so that looking changes nothing. The error is an
// *UntrustedError where somebody else could have written to it.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{dir: dir}
	for _, folder := range []string{dir, s.path("runs"), s.path("plans"), s.path("locks")} {
		if err := trust(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	return s, nil
}

// Dir is the store's folder, an absolute path.
func (s *Store) Dir() string { return s.dir }

// Plans is the folder for saved plans; see WriteFile.
func (s *Store) Plans() string { return s.path("plans") }

func (s *Store) path(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

// prepare makes a folder of the store, and the store if need be. Git is told to
// look away, lest the record of a repair turn up as a change in the checkout.
func (s *Store) prepare(folder string) error {
	err := makeFolder(s.dir)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("runs cannot be kept here, RUNBOOK_STORE may name another folder: %w", err)
	}
	if err != nil {
		return err
	}
	ignore := s.path(".gitignore")
	if _, err := os.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
		if err := WriteFile(ignore, []byte("*\n")); err != nil {
			return err
		}
	}
	return makeFolder(s.path(folder))
}
