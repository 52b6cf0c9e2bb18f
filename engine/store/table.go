package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tableFormat is the version of the table that this package writes and reads.
const tableFormat = 1

// table is what all runs hold. It is replaced as a whole, by one process at a
// time.
type table struct {
	Format int     `json:"format"`
	Epoch  int64   `json:"epoch"` // the highest given out
	Claims []Claim `json:"claims"`
}

func (t *table) claim(run string) *Claim {
	for i := range t.Claims {
		if t.Claims[i].Run == run {
			return &t.Claims[i]
		}
	}
	return nil
}

func (t *table) drop(run string) {
	t.Claims = slices.DeleteFunc(t.Claims, func(c Claim) bool { return c.Run == run })
}

func (t *table) put(claim Claim) {
	t.drop(claim.Run)
	t.Claims = append(t.Claims, claim)
	slices.SortFunc(t.Claims, func(a, b Claim) int { return strings.Compare(a.Run, b.Run) })
}

func (s *Store) table() string { return s.path("locks", "table.json") }

// readTable reads what runs hold; an absent table holds nothing.
func (s *Store) readTable() (table, error) {
	f, err := os.Open(s.table())
	if errors.Is(err, fs.ErrNotExist) {
		return table{Format: tableFormat}, nil
	}
	if err != nil {
		return table{}, err
	}
	defer f.Close()
	return decodeTable(f)
}

// decodeTable is strict: what is not understood may be a lock.
func decodeTable(f *os.File) (table, error) {
	content, err := io.ReadAll(f)
	if err != nil {
		return table{}, err
	}
	var t table
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return table{}, fmt.Errorf("%s cannot be read: %w", f.Name(), err)
	}
	if t.Format != tableFormat {
		return table{}, fmt.Errorf("%s has format %d; this version of runbook reads format %d", f.Name(), t.Format, tableFormat)
	}
	return t, nil
}

// change lets f change the table while no other process can. Nothing is changed
// where f fails. The change is on the disk when change returns.
func (s *Store) change(ctx context.Context, f func(*table) error) (err error) {
	if err := s.prepare("locks"); err != nil {
		return err
	}
	guard, err := s.guard(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, guard.Close()) }()
	t, err := s.readTable()
	if err != nil {
		return err
	}
	before := t.encode()
	if err := f(&t); err != nil {
		return err
	}
	after := t.encode()
	if bytes.Equal(before, after) {
		return nil
	}
	// The guard makes the name this process's own, so that a kill leaves one
	// file at most.
	temp, err := os.OpenFile(s.table()+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return replace(s.table(), temp, after)
}

func (t *table) encode() []byte {
	content, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		panic(err) // a table is plain data
	}
	return append(content, '\n')
}

// guard keeps other processes from changing the table until it is closed. It
// gives up when ctx ends, or after a time in which any process that is not
// stopped must have finished its change.
func (s *Store) guard(ctx context.Context) (*os.File, error) {
	const patience, longest = 20 * time.Second, 20 * time.Millisecond
	f, err := os.OpenFile(s.path("locks", "guard"), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		err := tryLock(f)
		if err == nil {
			return f, nil
		}
		switch {
		case !errors.Is(err, unix.EWOULDBLOCK):
			err = fmt.Errorf("lock %s: %w", f.Name(), err)
		case time.Since(began) > patience:
			err = fmt.Errorf("%s has been locked by another process for %s, which may be suspended: `fuser -v %[1]s` names it", f.Name(), patience)
		default:
			err = sleep(ctx, pause)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
}
