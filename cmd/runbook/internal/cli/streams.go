package cli

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// sturdy is a standard stream that outlives its reader. `apply | head -1` and a
// full disk behind `> log` must not stop a run half-way: after the first failed
// write the rest is dropped, and the failure is kept for the end. Safe for
// concurrent use.
type sturdy struct {
	mu     sync.Mutex
	w      io.Writer
	failed error
}

// Write never fails.
func (s *sturdy) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		_, s.failed = s.w.Write(data)
	}
	return len(data), nil
}

// err is the failure that output was lost to; nil where the reader merely
// wanted no more.
func (s *sturdy) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.failed, syscall.EPIPE) {
		return nil
	}
	return s.failed
}
