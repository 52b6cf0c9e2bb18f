package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/runbook-engine/runbook/engine/event"
)

// Read replays the journal at path from its beginning, events in sealed groups
// only, without locking or changing it. A last group that is not sealed is left
// out: its writer is still at it, or has crashed. An error ends the sequence; it
// is a *CorruptError where the journal is damaged, and everything before it was
// sound.
func Read(path string) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(event.Event{}, fmt.Errorf("read journal: %w", err))
			return
		}
		defer file.Close()
		replay(path, file, yield)
	}
}

func replay(path string, r io.Reader, yield func(event.Event, error) bool) {
	s := newScanner(path, r)
	for s.next() {
		for i := range s.group.records.ends {
			e, err := s.event(i)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
	if s.err != nil {
		yield(event.Event{}, s.err)
	}
}

// Report is what Verify found in order.
type Report struct {
	Records int64  // in sealed groups
	Groups  int64  // sealed
	Seal    string // the last one
	Sealed  int64  // bytes
	Torn    int64  // bytes behind them that are not sealed: being written, or left by a crash
}

// Verify checks every seal and every record of the journal at path, without
// locking or changing it. The error is a *CorruptError naming the first bad
// record; the report tells how far all was well. A chain proves nothing to
// whoever holds only the file: each of the seals in kept, noted down elsewhere
// before, must be one of the journal's, else the error is a *MissingSealError.
//
// A journal in which nothing is sealed is a *CorruptError too, unless a process
// has it open and may be about to write its beginning: no run leaves such a one,
// unless it was killed before it had begun.
func Verify(path string, kept ...string) (Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("verify journal: %w", err)
	}
	defer file.Close()
	attended, err := Attended(path) // asked first: a beginning that is sealed meanwhile is then read
	if err != nil {
		return Report{}, fmt.Errorf("verify journal: %w", err)
	}
	report, err := verify(path, file, kept)
	if err == nil && report.Groups == 0 && !attended {
		err = &CorruptError{Path: path, Group: 1, Reason: "nothing in it is sealed, so its beginning is missing"}
	}
	return report, err
}

func verify(path string, r io.Reader, kept []string) (Report, error) {
	s := newScanner(path, r)
	missing := slices.Clone(kept)
	var report Report
	for s.next() {
		for i := range s.group.records.ends {
			if _, err := s.event(i); err != nil {
				return report, err
			}
		}
		missing = slices.DeleteFunc(missing, func(seal string) bool { return seal == s.seal })
		report = Report{Records: s.records, Groups: s.groups, Seal: s.seal, Sealed: s.sealed}
	}
	report.Torn = s.torn
	if s.err == nil && len(missing) > 0 {
		return report, &MissingSealError{Path: path, Seal: missing[0]}
	}
	return report, s.err
}

// event decodes record i of the group that was just found sealed.
func (s *scanner) event(i int) (event.Event, error) {
	r := s.group.records
	e, err := decode(r.line(i))
	if err != nil {
		return e, &CorruptError{
			Path: s.path, Group: s.group.number, Record: s.group.first + int64(i),
			Offset: s.group.offset + int64(r.start(i)), Reason: "sealed, but " + err.Error(),
		}
	}
	return e, nil
}

func decode(line []byte) (event.Event, error) {
	var e event.Event
	if !bytes.HasPrefix(line, []byte(`{"format_version":`)) {
		return e, fmt.Errorf("not an event")
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return event.Event{}, fmt.Errorf("not an event: %w", err)
	}
	return e, nil
}
