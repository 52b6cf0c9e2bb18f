// Package journal keeps the record of a run: an append-only file of events, one
// JSON object a line, in numbered groups. Each group is closed by a seal line
// that chains it to the group before, and is on the disk before Append returns.
//
// The package finds damage and says where; it mends nothing. It does not know
// what the events mean: replay into a run's state belongs to engine/apply, and
// where journals live to engine/store. docs/adr/0004-journal-format.md states
// the format.
package journal

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"

	"github.com/runbook-engine/runbook/engine/event"
)

// Journal is an open journal. No other process has it open. Its methods may be
// called from several goroutines.
type Journal struct {
	path string
	file File

	mu      sync.Mutex // guards next, failure and seal
	next    *batch     // collects events until its leader takes it; nil: none
	failure error      // sticky: once set, nothing is written any more
	seal    string

	writing sync.Mutex // held by the one goroutine that writes; guards what follows
	size    int64      // of the sealed part of the file
	groups  int64
}

// Option changes how a journal is opened.
type Option func(*options)

type options struct {
	fs FileSystem
}

// On keeps the journal on fs instead of the machine's own file system.
func On(fs FileSystem) Option {
	return func(o *options) { o.fs = fs }
}

func apply(opts []Option) options {
	o := options{fs: disk{}}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Create begins an empty journal at path, which must not exist, with mode 0600.
// When it returns, the file's entry in its folder is on the disk.
func Create(path string, opts ...Option) (*Journal, error) {
	o := apply(opts)
	file, err := o.fs.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	if err := o.fs.SyncFolder(path); err != nil {
		return nil, errors.Join(fmt.Errorf("create journal: %w", err), file.Close())
	}
	return &Journal{path: path, file: file}, nil
}

// Recovery tells in what state Open found a journal.
type Recovery struct {
	Records int64  // in sealed groups
	Groups  int64  // sealed
	Seal    string // the last one; empty where no group is sealed

	Cut       int64  // bytes of a last group without a right seal; 0: there was none
	CutOffset int64  // where they began
	CutFile   string // where they are kept now
}

// Open opens the journal at path to go on with it. It checks every seal. A last
// group without a right one was never acknowledged by Append: it is cut off,
// kept in a file beside the journal, and told of in the Recovery. Whatever else
// does not check out is a *CorruptError and left as it is. A *BusyError means
// that another process has the journal open.
func Open(path string, opts ...Option) (*Journal, Recovery, error) {
	o := apply(opts)
	file, err := o.fs.Open(path)
	if err != nil {
		return nil, Recovery{}, fmt.Errorf("open journal: %w", err)
	}
	j, recovery, err := resume(o.fs, path, file)
	if err != nil {
		return nil, recovery, errors.Join(err, file.Close())
	}
	return j, recovery, nil
}

func resume(fs FileSystem, path string, file File) (*Journal, Recovery, error) {
	s := newScanner(path, io.NewSectionReader(file, 0, math.MaxInt64))
	var last span
	for s.next() {
		last = s.group.span
	}
	found := Recovery{Records: s.records, Groups: s.groups, Seal: s.seal}
	if s.err != nil {
		return nil, found, s.err
	}
	if s.torn > 0 {
		found.Cut, found.CutOffset = s.torn, s.sealed
		kept, err := cut(fs, path, file, span{offset: s.sealed, size: s.torn})
		if err != nil {
			return nil, found, fmt.Errorf("open journal: set an unsealed group aside: %w", err)
		}
		found.CutFile = kept
	}
	if err := settle(fs, path, file, last); err != nil {
		return nil, found, fmt.Errorf("open journal: sync the last group: %w", err)
	}
	return &Journal{path: path, file: file, seal: s.seal, size: s.sealed, groups: s.groups}, found, nil
}

// Seal returns the last seal: 64 hexadecimal digits that stand for everything
// appended so far. It is empty where nothing has been.
func (j *Journal) Seal() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seal
}

// Path returns where the journal is.
func (j *Journal) Path() string { return j.path }

// Close waits for the group that is being written, then gives the journal up to
// other processes. Appends that come later fail with ErrClosed. Closing twice is
// no error.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	closed := errors.Is(j.failure, ErrClosed)
	if !closed {
		j.failure = errors.Join(ErrClosed, j.failure)
	}
	j.mu.Unlock()
	if closed {
		return nil
	}
	return j.file.Close()
}

// Append records events, in their order, all or none. When it returns nil they
// are on the disk, as is all that was appended before. Calls made at the same
// time share a group, and one sync.
//
// An error of type *WriteError is final: the file's state is not known, so
// nothing is tried again and every later Append returns that same error. Any
// other error means that these events could not be written as JSON and nothing
// has happened.
func (j *Journal) Append(events ...event.Event) error {
	lines, err := encode(events)
	if err != nil {
		return fmt.Errorf("append to journal: %w", err)
	}
	b, leads, err := j.join(lines)
	if err != nil || b == nil {
		return err
	}
	if !leads {
		<-b.written
		return b.err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	runtime.Gosched() // whom the last group woke may have more to write: a fuller group
	b.err = j.write(j.take(b))
	close(b.written)
	return b.err
}
