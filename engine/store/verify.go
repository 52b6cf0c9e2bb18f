package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/runbook-engine/runbook/engine/event"
	"github.com/runbook-engine/runbook/engine/journal"
)

// Verify checks the record of a run; see journal.Verify.
func (s *Store) Verify(id string, kept ...string) (journal.Report, error) {
	if _, err := s.find(id); err != nil {
		return journal.Report{}, err
	}
	return journal.Verify(s.journal(id), kept...)
}

// VerifyFiles compares the files that the record of a run names with what it says
// of them, and returns how many it compared. The error names the first that is
// missing or altered.
func (s *Store) VerifyFiles(id string) (logs, results int, err error) {
	dir, err := s.find(id)
	if err != nil {
		return 0, 0, err
	}
	pinned := map[string]event.File{} // the last of each step's log
	var order []string
	for e, err := range journal.Read(s.journal(id)) {
		if err != nil {
			return logs, results, err
		}
		if file := resultFileOf(&e); file != nil {
			if _, err := readResult(dir, *file); err != nil {
				return logs, results, fmt.Errorf("the result of %s in event %d: %w", e.Step, e.Seq, err)
			}
			results++
		}
		if e.Type == event.ActionFinished && e.Attempt != nil && e.Attempt.Log != nil {
			if _, known := pinned[e.Step]; !known {
				order = append(order, e.Step)
			}
			pinned[e.Step] = *e.Attempt.Log
		}
	}
	for _, step := range order {
		if err := verifyLog(s.LogPath(id, step), pinned[step]); err != nil {
			return logs, results, fmt.Errorf("the log of %s: %w", step, err)
		}
		logs++
	}
	return logs, results, nil
}

func verifyLog(path string, pin event.File) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if n, err := io.Copy(sum, io.LimitReader(file, pin.Bytes)); err != nil {
		return err
	} else if n < pin.Bytes {
		return fmt.Errorf("it has %d bytes, the record says %d", n, pin.Bytes)
	}
	if hex.EncodeToString(sum.Sum(nil)) != pin.SHA256 {
		return fmt.Errorf("its first %d bytes are not what the record says", pin.Bytes)
	}
	return nil
}
