package journal

import (
	"errors"
	"fmt"
)

// ErrClosed is what Append fails with once the journal is closed.
var ErrClosed = errors.New("the journal is closed")

// WriteError says that a group could not be written or synced. What of it is on
// the disk is not known; the journal takes nothing more until it is opened anew.
type WriteError struct {
	Path string
	Op   string // write or sync
	Err  error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("journal %s: %s failed, nothing more is recorded: %v", e.Path, e.Op, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }

// CorruptError names the first place where a journal is not what was written.
type CorruptError struct {
	Path   string
	Group  int64  // the number it should have, from 1
	Record int64  // from 1 over the whole journal, seals not counted; 0: the seal line itself is wrong
	Offset int64  // in bytes, where that record or seal line begins
	Reason string // what does not check out
}

func (e *CorruptError) Error() string {
	what := fmt.Sprintf("record %d", e.Record)
	if e.Record == 0 {
		what = "the seal"
	}
	return fmt.Sprintf("journal %s is damaged at byte %d, %s in group %d: %s", e.Path, e.Offset, what, e.Group, e.Reason)
}

// FormatError says that another version of the journal format was found.
type FormatError struct {
	Path      string
	Found     int
	Supported int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("journal %s has format %d; this version of runbook reads format %d", e.Path, e.Found, e.Supported)
}

// BusyError says that another process has the journal open: it attends the run.
type BusyError struct {
	Path string
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("journal %s is in use by another process", e.Path)
}

// TooLargeError says that the events of one Append need more bytes than a group
// may have. Nothing was written.
type TooLargeError struct {
	Bytes, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("events of %d bytes, the limit is %d", e.Bytes, e.Limit)
}

// MissingSealError says that a seal kept elsewhere is not one of the journal's:
// groups were taken away from its end, or it is another journal.
type MissingSealError struct {
	Path string
	Seal string
}

func (e *MissingSealError) Error() string {
	return fmt.Sprintf("journal %s does not hold the seal %s", e.Path, e.Seal)
}
