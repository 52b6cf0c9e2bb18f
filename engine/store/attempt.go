//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// AttemptLock returns the path of the file that is locked by whoever works at
// an attempt of a step: the provider, and the programs that it starts.
func (r *Run) AttemptLock(step string, attempt int) string {
	return filepath.Join(r.dir, "attempts", fmt.Sprintf("%s.%d.lock", fileName(step), attempt))
}

// AttemptFree tells whether nobody works at an attempt any more. An attempt that
// was found free stays so until Close: the lock is kept, and a provider that
// comes late cannot begin. Do not ask before the attempt's call has ended.
func (r *Run) AttemptFree(path string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts[path] != nil {
		return true, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return false, fmt.Errorf("ask who works at an attempt: %w", err)
	}
	err = tryLock(f)
	if err == nil {
		if r.attempts == nil {
			r.attempts = make(map[string]*os.File)
		}
		r.attempts[path] = f
		return true, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, f.Close()
	}
	return false, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
}

// tryLock locks f against other processes, or fails with EWOULDBLOCK.
func tryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
