package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/runbook-engine/runbook/engine/event"
)

// log is what one step has said so far.
type log struct {
	path  string // below the run's folder
	file  *os.File
	bytes int64
	sum   hash.Hash
	err   error // sticky
}

// Log appends a line to the step's log. It is durable once Pin has named it.
func (r *Run) Log(step, line string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, err := r.log(step)
	if err != nil {
		return fmt.Errorf("log of %s: %w", step, err)
	}
	if l.file == nil && l.err == nil {
		l.file, l.err = openLog(filepath.Join(r.dir, l.path), os.O_CREATE)
	}
	if err := l.append(strings.TrimSuffix(line, "\n") + "\n"); err != nil {
		return fmt.Errorf("log of %s: %w", step, err)
	}
	return nil
}

// Pin names what the step's log holds so far, once that is on the disk. It is
// nil where nothing was logged. The path is relative to the run's folder.
func (r *Run) Pin(step string) (*event.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, err := r.log(step)
	if err == nil {
		err = l.sync(r.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", step, err)
	}
	if l.bytes == 0 {
		return nil, nil
	}
	return &event.File{Path: filepath.ToSlash(l.path), Bytes: l.bytes, SHA256: hex.EncodeToString(l.sum.Sum(nil))}, nil
}

// LogPath returns where the log of a step of a run is kept. Not every step has
// one.
func (s *Store) LogPath(id, step string) string {
	return s.path("runs", id, logPath(step))
}

func logPath(step string) string { return filepath.Join("logs", fileName(step)+".log") }

// log returns the step's log, having read what an earlier process left of it.
func (r *Run) log(step string) (*log, error) {
	if l := r.logs[step]; l != nil {
		return l, nil
	}
	l := &log{path: logPath(step), sum: sha256.New()}
	f, err := openLog(filepath.Join(r.dir, l.path), 0)
	if err == nil {
		l.bytes, err = io.Copy(l.sum, f)
		err = errors.Join(err, f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if r.logs == nil {
		r.logs = make(map[string]*log)
	}
	r.logs[step] = l
	return l, nil
}

func openLog(path string, flags int) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|syscall.O_NOFOLLOW|flags, 0o600)
}

func (l *log) append(line string) error {
	if l.err != nil {
		return l.err
	}
	n, err := l.file.WriteString(line)
	l.sum.Write([]byte(line[:n]))
	l.bytes += int64(n)
	l.err = err
	return err
}

// sync makes durable what was appended and gives the descriptor back: a run may
// have more steps than a process may have files.
func (l *log) sync(dir string) error {
	if l.file == nil || l.err != nil {
		return l.err
	}
	l.err = errors.Join(l.file.Sync(), l.close())
	if l.err == nil {
		l.err = syncFolder(filepath.Dir(filepath.Join(dir, l.path)))
	}
	return l.err
}

func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}
