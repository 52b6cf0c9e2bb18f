package journal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/journal"
)

// Whatever the bytes, Open either takes the journal over, having cut at most
// its end, or leaves it as it is and names a place inside it.
func FuzzOpen(f *testing.F) {
	f.Fuzz(func(t *testing.T, content []byte) {
		opens(t, content)
	})
}

// The same behind seals that are right: the records need not be events.
func FuzzSealedRecords(f *testing.F) {
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var content []byte
		seal, number := "", int64(0)
		for _, lines := range [][]byte{first, second} {
			if bytes.Contains(lines, []byte("\n{\"seal\":")) || bytes.HasPrefix(lines, []byte(`{"seal":`)) {
				return
			}
			if !bytes.HasSuffix(lines, []byte("\n")) {
				lines = append(lines[:len(lines):len(lines)], '\n')
			}
			var group []byte
			number++
			group, seal = journal.Group(seal, number, lines)
			content = append(content, group...)
		}
		j := opens(t, content)
		if j == nil {
			t.Fatal("rightly sealed groups were refused")
		}
	})
}

func opens(t *testing.T, content []byte) *journal.Journal {
	m := holding(simulated, content)
	j, found, err := journal.Open(simulated, journal.On(m))
	if err != nil {
		var damaged *journal.CorruptError
		var format *journal.FormatError
		if !errors.As(err, &damaged) && !errors.As(err, &format) {
			t.Fatalf("an error without a place: %v", err)
		}
		if damaged != nil && (damaged.Offset < 0 || damaged.Offset >= int64(len(content))) {
			t.Fatalf("%v: there are %d bytes", damaged, len(content))
		}
		if !bytes.Equal(m.files[simulated].disk, content) || len(m.files) > 1 {
			t.Fatal("a damaged journal was written to")
		}
		return nil
	}
	if found.Cut > 0 && !bytes.Equal(append(bytes.Clone(m.files[simulated].disk), m.files[found.CutFile].disk...), content) {
		t.Fatal("bytes were lost")
	}
	check(t, j.Append(intent(1)))

	written := m.files[simulated].disk
	records := int64(0)
	var readErr error
	for e, err := range journal.ReadFrom(bytes.NewReader(written)) {
		if readErr = err; err == nil {
			records++
		}
		_ = e
	}
	report, err := journal.VerifyFrom(simulated, bytes.NewReader(written))
	if (err == nil) != (readErr == nil) {
		t.Fatalf("Verify says %v, Read says %v", err, readErr)
	}
	var damaged *journal.CorruptError
	switch {
	case err == nil && (records != found.Records+1 || report.Records != records || report.Seal != j.Seal()):
		t.Fatalf("Open found %+v, Read %d records, Verify %+v", found, records, report)
	case err != nil && (!errors.As(err, &damaged) || !strings.HasPrefix(damaged.Reason, "sealed, but ") || records != damaged.Record-1):
		t.Fatalf("after %d records: %v", records, err)
	}
	return j
}
