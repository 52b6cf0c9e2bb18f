package store

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
)

// Run is a run that this process attends; no other process can open it until
// Close. Its methods may be called from several goroutines.
type Run struct {
	id       string
	dir      string
	journal  *journal.Journal
	recovery journal.Recovery

	mu       sync.Mutex
	lease    *Lease
	logs     map[string]*log
	attempts map[string]*os.File // found free, and kept so
}

// NewRun makes a run. An empty id stands for a new one; an id that is taken is
// fs.ErrExist.
func (s *Store) NewRun(id string) (*Run, error) {
	if id != "" {
		return s.newRun(id)
	}
	for {
		r, err := s.newRun(s.NextID())
		if !errors.Is(err, fs.ErrExist) {
			return r, err
		}
	}
}

func (s *Store) newRun(id string) (*Run, error) {
	if !validID(id) {
		return nil, fmt.Errorf("make run: %q cannot be an ID", id)
	}
	if err := s.prepare("runs"); err != nil {
		return nil, fmt.Errorf("make run %s: %w", id, err)
	}
	dir := s.path("runs", id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make run %s: %w", id, err)
	}
	for _, folder := range []string{"logs", "attempts"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			return nil, fmt.Errorf("make run %s: %w", id, err)
		}
	}
	j, err := journal.Create(s.journal(id))
	if err == nil {
		err = syncFolder(s.path("runs"))
	}
	if err != nil {
		return nil, fmt.Errorf("make run %s: %w", id, err)
	}
	return &Run{id: id, dir: dir, journal: j}, nil
}

// Discard is Close for a run in which nothing has begun: of one with nothing on
// record nothing is left.
func (r *Run) Discard() error {
	if r.journal.Seal() != "" {
		return r.Close()
	}
	return errors.Join(os.RemoveAll(r.dir), r.Close())
}

// AttendedError says that another process attends the run.
type AttendedError struct {
	Holder       // Runbook is empty where the record does not tell yet who it is
	Err    error // a *journal.BusyError
}

func (e *AttendedError) Error() string {
	who := ""
	if e.Runbook != "" {
		who = fmt.Sprintf(" since %s by %s on %s (process %d)", e.Since.UTC().Format(time.RFC3339), e.Operator, e.Host, e.PID)
	}
	return fmt.Sprintf("run %s is attended%s: `runbook runs show %[1]s` shows it; an interrupt of that process ends it", e.Run, who)
}

func (e *AttendedError) Unwrap() error { return e.Err }

// OpenRun goes on with a run. The error is a *NotFoundError where there is no
// such ID, an *AttendedError where another process attends the run, and a
// *journal.CorruptError where its record is damaged.
func (s *Store) OpenRun(id string) (*Run, error) {
	dir, err := s.find(id)
	if err != nil {
		return nil, err
	}
	j, recovery, err := journal.Open(s.journal(id))
	var busy *journal.BusyError
	if errors.As(err, &busy) {
		return nil, s.attended(id, busy)
	}
	if err != nil {
		return nil, fmt.Errorf("open run %s: %w", id, err)
	}
	return &Run{id: id, dir: dir, journal: j, recovery: recovery}, nil
}

// attended reads who attends a run off its record. That somebody does is known;
// who it is, as far as it can be read.
func (s *Store) attended(id string, busy error) *AttendedError {
	attended := &AttendedError{Holder: Holder{Run: id}, Err: busy}
	for e, err := range journal.Read(s.journal(id)) {
		if err != nil {
			break
		}
		if start := e.Start; start != nil {
			attended.Holder = Holder{Run: id, Runbook: start.Runbook, Operator: start.Operator, Host: start.Host, PID: start.PID, Since: e.Time}
		}
	}
	return attended
}

// Events replays the record of a run from its beginning, without locking or
// changing anything; see journal.Read. A result whose file is missing or altered
// ends it like damage.
func (s *Store) Events(id string) (iter.Seq2[event.Event, error], error) {
	dir, err := s.find(id)
	if err != nil {
		return nil, err
	}
	return withResults(dir, journal.Read(s.journal(id))), nil
}

// find returns the folder of a run.
func (s *Store) find(id string) (string, error) {
	if !validID(id) {
		return "", &NotFoundError{Ref: id}
	}
	dir := s.path("runs", id)
	err := trust(dir)
	if err == nil {
		_, err = os.Lstat(s.journal(id))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", &NotFoundError{Ref: id}
	}
	if err != nil {
		return "", fmt.Errorf("find run %s: %w", id, err)
	}
	return dir, nil
}

// ID returns the run's ID.
func (r *Run) ID() string { return r.id }

// Dir returns the run's folder, an absolute path.
func (r *Run) Dir() string { return r.dir }

// Recovery tells what OpenRun had to cut from the record.
func (r *Run) Recovery() journal.Recovery { return r.recovery }

// Journal returns the run's record. Append on the Run also minds the lease.
func (r *Run) Journal() *journal.Journal { return r.journal }

// Events replays the run's record from its beginning, as Store.Events does.
func (r *Run) Events() iter.Seq2[event.Event, error] {
	return withResults(r.dir, journal.Read(r.journal.Path()))
}

// Hold makes every later Append depend on the lease. The lease stays the
// caller's to close or release.
func (r *Run) Hold(lease *Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease = lease
}

// Append makes events durable, all or none; see journal.Journal.Append. Results
// of more than 1 MiB go into files of their own first. Where the run's locks are
// no longer this process's the error is a *LostError and nothing is written.
func (r *Run) Append(events ...event.Event) error {
	r.mu.Lock()
	lease := r.lease
	r.mu.Unlock()
	if lease != nil {
		if err := lease.Check(); err != nil {
			return err
		}
	}
	events, err := r.setAside(events)
	if err != nil {
		return err
	}
	return r.journal.Append(events...)
}

// Close lets other processes attend the run. Its locks stay as they are.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.journal.Close()
	for _, l := range r.logs {
		err = errors.Join(err, l.close())
	}
	for _, f := range r.attempts {
		err = errors.Join(err, f.Close())
	}
	r.logs, r.attempts = nil, nil
	return err
}
