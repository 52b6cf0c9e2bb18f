package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"

	"github.com/runbook-engine/runbook/engine/event"
)

// largestInRecord is how many bytes of a result stand in the record itself: it
// is to be read with less and grep. Larger ones have a file of their own.
const largestInRecord = 1 << 20

// hexSum is a SHA-256 as it names a file.
var hexSum = regexp.MustCompile(`^[0-9a-f]{64}$`)

func resultPath(sum string) string { return "results/" + sum + ".json" }

// setAside puts large results into files that are named by their hash, and the
// names in their place. When it returns nil the files are on the disk. Events
// that it changes are copies.
func (r *Run) setAside(events []event.Event) ([]event.Event, error) {
	copied := false
	for i := range events {
		if len(resultOf(&events[i])) <= largestInRecord {
			continue
		}
		if !copied {
			events, copied = slices.Clone(events), true
		}
		result := resultOf(&events[i])
		sum := sha256.Sum256(result)
		file := &event.File{Path: resultPath(hex.EncodeToString(sum[:])), Bytes: int64(len(result)), SHA256: hex.EncodeToString(sum[:])}
		path := filepath.Join(r.dir, filepath.FromSlash(file.Path))
		err := makeFolder(filepath.Dir(path))
		if err == nil {
			err = WriteFile(path, result)
		}
		if err != nil {
			return nil, fmt.Errorf("keep the result of %s: %w", events[i].Step, err)
		}
		setResult(&events[i], nil, file)
	}
	return events, nil
}

// withResults puts large results back where the record names their files. The
// first one that is missing or altered ends the sequence.
func withResults(dir string, events iter.Seq2[event.Event, error]) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for e, err := range events {
			if file := resultFileOf(&e); err == nil && file != nil {
				var result json.RawMessage
				if result, err = readResult(dir, *file); err == nil {
					setResult(&e, result, nil)
				} else {
					err = fmt.Errorf("the result of %s in event %d: %w", e.Step, e.Seq, err)
				}
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// readResult reads a result's file, which must hold just what the record says.
func readResult(dir string, file event.File) (json.RawMessage, error) {
	if !hexSum.MatchString(file.SHA256) || file.Path != resultPath(file.SHA256) {
		return nil, fmt.Errorf("the record names %q, which is no file of a result", file.Path)
	}
	f, err := os.OpenFile(filepath.Join(dir, filepath.FromSlash(file.Path)), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing", file.Path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	result, err := io.ReadAll(io.LimitReader(f, file.Bytes+1))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(result); hex.EncodeToString(sum[:]) != file.SHA256 {
		return nil, fmt.Errorf("%s is not what was written: its SHA-256 is not its name", file.Path)
	}
	return result, nil
}

func resultOf(e *event.Event) json.RawMessage {
	switch {
	case e.Attempt != nil:
		return e.Attempt.Result
	case e.Observation != nil:
		return e.Observation.Result
	}
	return nil
}

func resultFileOf(e *event.Event) *event.File {
	switch {
	case e.Attempt != nil:
		return e.Attempt.ResultFile
	case e.Observation != nil:
		return e.Observation.ResultFile
	}
	return nil
}

// setResult leaves what e pointed to as it was.
func setResult(e *event.Event, result json.RawMessage, file *event.File) {
	if e.Attempt != nil {
		attempt := *e.Attempt
		attempt.Result, attempt.ResultFile = result, file
		e.Attempt = &attempt
		return
	}
	observation := *e.Observation
	observation.Result, observation.ResultFile = result, file
	e.Observation = &observation
}
