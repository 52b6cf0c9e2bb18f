package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/store"
)

// logReader gives back what the steps of a run logged, attempt by attempt.
type logReader struct {
	store *store.Store
	run   string
	files map[string]*stepLog
}

// stepLog is a step's log, read up to where the record has pinned it.
type stepLog struct {
	file   *os.File // nil: the step has logged nothing
	reader *bufio.Reader
	bytes  int64
}

func newLogReader(st *store.Store, run string) *logReader {
	return &logReader{store: st, run: run, files: map[string]*stepLog{}}
}

func (l *logReader) close() {
	for _, log := range l.files {
		if log.file != nil {
			_ = log.file.Close() // only read
		}
	}
}

// replay emits the lines that an attempt logged, before the event of its end.
func (l *logReader) replay(finished event.Event, sink event.Sink) error {
	if finished.Attempt == nil || finished.Attempt.Log == nil {
		return nil
	}
	log, err := l.open(finished.Step)
	if err != nil {
		return err
	}
	return log.emit(finished, finished.Attempt.Log.Bytes, sink)
}

// rest emits what steps logged in attempts whose end is not on record, as of the
// time of the event at.
func (l *logReader) rest(steps []string, at event.Event, sink event.Sink) error {
	for _, step := range steps {
		log, err := l.open(step)
		if err != nil {
			return err
		}
		at.Step = step
		if err := log.emit(at, -1, sink); err != nil {
			return err
		}
	}
	return nil
}

func (l *logReader) open(step string) (*stepLog, error) {
	if log := l.files[step]; log != nil {
		return log, nil
	}
	log := &stepLog{}
	file, err := os.Open(l.store.LogPath(l.run, step))
	switch {
	case err == nil:
		log.file, log.reader = file, bufio.NewReader(file)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the log of %s: %w", step, err)
	}
	l.files[step] = log
	return log, nil
}

// emit emits lines until the log is read up to the byte to; -1: to its end.
func (l *stepLog) emit(at event.Event, to int64, sink event.Sink) error {
	for l.reader != nil && (to < 0 || l.bytes < to) {
		line, err := l.reader.ReadString('\n')
		l.bytes += int64(len(line))
		if line != "" {
			logged := event.Event{
				FormatVersion: event.FormatVersion, Seq: at.Seq, Time: at.Time, Run: at.Run,
				Type: event.Log, Step: at.Step, Message: strings.TrimSuffix(line, "\n"),
			}
			if failed := sink.Emit(logged); failed != nil {
				return failed
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the log of %s: %w", at.Step, err)
		}
	}
	return nil
}
