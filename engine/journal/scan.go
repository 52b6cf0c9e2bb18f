package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// span is a range of bytes in the file.
type span struct {
	offset, size int64
}

// group is what the scanner last found sealed.
type group struct {
	span    // with the seal line
	number  int64
	records records
	first   int64 // number of its first record
}

// scanner reads a journal group by group and believes only what a seal covers.
type scanner struct {
	path string
	in   *bufio.Reader

	group   group  // of the last next that was true; its bytes are used again
	sealed  int64  // bytes up to the end of the last sealed group
	groups  int64  // sealed
	records int64  // in sealed groups
	seal    string // the last one

	torn int64 // bytes at the end that are one unsealed group
	err  error // *CorruptError, *FormatError, or the reader's
}

func newScanner(path string, r io.Reader) *scanner {
	return &scanner{path: path, in: bufio.NewReaderSize(r, 128<<10)}
}

// next goes on to the next sealed group. It is false at the end and at the
// first thing that is wrong; torn and err tell which.
func (s *scanner) next() bool {
	if s.err != nil || s.torn > 0 {
		return false
	}
	s.group.number, s.group.first, s.group.offset = s.groups+1, s.records+1, s.sealed
	r := &s.group.records
	r.bytes, r.ends = r.bytes[:0], r.ends[:0]
	for {
		start := len(r.bytes)
		err := s.readLine(r)
		line := r.bytes[start:]
		if err == io.EOF {
			s.torn = int64(len(r.bytes))
			return false
		}
		if err != nil {
			s.err = err
			return false
		}
		if !isSeal(line) {
			r.ends = append(r.ends, len(r.bytes))
			continue
		}
		line = bytes.Clone(line)
		r.bytes = r.bytes[:start]
		return s.close(line)
	}
}

// readLine appends the next line to r, or fails with io.EOF having appended
// what there is of it.
func (s *scanner) readLine(r *records) error {
	start := len(r.bytes)
	for {
		part, err := s.in.ReadSlice('\n')
		r.bytes = append(r.bytes, part...)
		if len(r.bytes) > maxGroup {
			at := int64(start)
			return s.corrupt(int64(len(r.ends)), at, "the group is larger than a group can be")
		}
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return err
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("read journal: %w", err)
		}
	}
}

// close holds the seal line that was read against the one that should be there.
func (s *scanner) close(line []byte) bool {
	g := &s.group
	want := sealOf(s.seal, g.number, g.records)
	if bytes.Equal(line, want.line()) && len(g.records.ends) > 0 {
		g.size = int64(len(g.records.bytes) + len(line))
		s.sealed += g.size
		s.groups++
		s.records += int64(len(g.records.ends))
		s.seal = want.SHA256
		return true
	}
	got, readable := parseSeal(line)
	if readable && g.number == 1 && got.Group == 1 && got.Format != Format {
		s.err = &FormatError{Path: s.path, Found: got.Format, Supported: Format}
		return false
	}
	// A group is written in one go behind the last sealed one. Whatever became
	// of it, its seal is the last thing in the file and has its number.
	if _, err := s.in.Peek(1); err == io.EOF && (!readable || got.Group == g.number) {
		s.torn = int64(len(g.records.bytes) + len(line))
		return false
	}
	s.err = s.blame(want, got, readable)
	return false
}

// blame names the first bad record of the group at hand, or its seal.
func (s *scanner) blame(want, got seal, readable bool) error {
	r := s.group.records
	if readable && got.Group == want.Group {
		for i := range r.ends {
			if i >= len(got.CRC32C) {
				return s.corrupt(int64(i), int64(r.start(i)), "the group's seal does not cover it")
			}
			if got.CRC32C[i] != want.CRC32C[i] {
				return s.corrupt(int64(i), int64(r.start(i)), fmt.Sprintf("its checksum is %s, the seal says %s", want.CRC32C[i], got.CRC32C[i]))
			}
		}
		return s.corruptSeal("it does not follow from the records and the seal before")
	}
	for i := range r.ends {
		if _, err := decode(r.line(i)); err != nil {
			return s.corrupt(int64(i), int64(r.start(i)), err.Error())
		}
	}
	if !readable {
		return s.corruptSeal("it cannot be read")
	}
	return s.corruptSeal(fmt.Sprintf("group %d ends here, group %d is missing or out of place", got.Group, want.Group))
}

func (s *scanner) corrupt(record, at int64, reason string) error {
	return &CorruptError{
		Path: s.path, Group: s.group.number,
		Record: s.group.first + record, Offset: s.sealed + at, Reason: reason,
	}
}

func (s *scanner) corruptSeal(reason string) error {
	return &CorruptError{
		Path: s.path, Group: s.group.number,
		Offset: s.sealed + int64(len(s.group.records.bytes)), Reason: reason,
	}
}
