package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Lease is one process's hold on a run's locks. It is good until another process
// takes the run over or the locks are released.
type Lease struct {
	store *Store
	run   string
	epoch int64

	mu   sync.Mutex
	seen *os.File // the table that the lease was last found in; nil: none
	info fs.FileInfo
}

// Epoch is higher in every process that attends the run after this one.
func (l *Lease) Epoch() int64 { return l.epoch }

// Check fails with a *LostError where the lease is no longer good. It costs one
// system call while nobody changes the locks.
func (l *Lease) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unchanged() {
		return nil
	}
	l.forget()
	f, err := os.Open(l.store.table())
	if errors.Is(err, fs.ErrNotExist) {
		return &LostError{Run: l.run}
	}
	if err != nil {
		return fmt.Errorf("check the lease: %w", err)
	}
	t, err := decodeTable(f)
	if err == nil {
		err = l.good(&t)
	}
	if err == nil {
		l.info, err = f.Stat()
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.seen = f
	return nil
}

// unchanged tells whether the table is the one that was seen. Each change makes
// a new file, and no other file can have the number of one that is open.
func (l *Lease) unchanged() bool {
	if l.seen == nil {
		return false
	}
	now, err := os.Stat(l.store.table())
	return err == nil && os.SameFile(l.info, now)
}

func (l *Lease) forget() {
	if l.seen != nil {
		_ = l.seen.Close() // was only read
		l.seen = nil
	}
}

func (l *Lease) good(t *table) error {
	claim := t.claim(l.run)
	if claim == nil {
		return &LostError{Run: l.run}
	}
	if claim.Epoch != l.epoch {
		return &LostError{Run: l.run, To: claim}
	}
	return nil
}

// Extend takes more resources for the run, all or none, as Acquire does. It
// fails with a *LostError where the lease is no longer good.
func (l *Lease) Extend(ctx context.Context, effects []schema.Effect, wait time.Duration) error {
	err := l.store.insist(ctx, wait, func(t *table) error {
		if err := l.good(t); err != nil {
			return err
		}
		if err := l.store.clear(t, l.run, effects); err != nil {
			return err
		}
		claim := *t.claim(l.run)
		claim.Effects = union(claim.Effects, effects)
		t.put(claim)
		return nil
	})
	if err != nil {
		return fmt.Errorf("lock more: %w", err)
	}
	return nil
}

// Release frees the run's locks, since the run is over; that they are free
// already is no error. Where another process has taken the run over they stay,
// and the error is a *LostError.
func (l *Lease) Release(ctx context.Context) error {
	err := l.store.change(ctx, func(t *table) error {
		if claim := t.claim(l.run); claim != nil && claim.Epoch != l.epoch {
			return &LostError{Run: l.run, To: claim}
		}
		t.drop(l.run)
		return nil
	})
	l.Close()
	if err != nil {
		return fmt.Errorf("release the locks: %w", err)
	}
	return nil
}

// Close ends this process's use of the lease; the run keeps its locks.
func (l *Lease) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
}
