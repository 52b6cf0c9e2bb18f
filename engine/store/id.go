package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NewID returns an ID for a run that begins now, such as 20260117-031502-7f3a91c4:
// date, time in UTC, 65536ths of the second, and four digits of chance. IDs sort by
// time. Many machines may begin runs in the same second: whether an action was done
// is told by its run, so no two may have one ID.
func NewID() string { return idAt(time.Now(), rand.N[uint16](math.MaxUint16)) }

func idAt(t time.Time, chance uint16) string {
	t = t.UTC()
	return fmt.Sprintf("%s-%04x%04x", t.Format(idTime), int64(t.Nanosecond())<<16/int64(time.Second), chance)
}

const idTime = "20060102-150405"

// NextID is NewID for a run that will be the newest of the store: it sorts behind
// all that are there, also where the clock was set back meanwhile. Else "last"
// would name another run than the one that was begun last.
func (s *Store) NextID() string {
	id := NewID()
	ids, err := s.ids()
	if err != nil {
		return id // whoever makes the run meets it too
	}
	for _, newest := range ids {
		if at, ok := timeOf(newest); ok {
			if newest >= id {
				id = idAt(at.Add(2*time.Second>>16), rand.N[uint16](math.MaxUint16))
			}
			break
		}
	}
	return id
}

// timeOf is when a run began that has an ID of NewID.
func timeOf(id string) (time.Time, bool) {
	if len(id) != len(idTime)+len("-7f3a91c4") {
		return time.Time{}, false
	}
	at, err := time.Parse(idTime, id[:len(idTime)])
	part, partErr := strconv.ParseUint(id[len(idTime)+1:][:4], 16, 16)
	return at.Add(time.Duration(part) * time.Second >> 16), err == nil && partErr == nil
}

// Last is what Resolve takes for the newest run.
const Last = "last"

// validID keeps IDs safe as file names, and apart from Last and from options.
func validID(id string) bool {
	return id != Last && idForm.MatchString(id)
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// NotFoundError says that no run has the ID, or begins with the prefix, Ref.
type NotFoundError struct {
	Ref string
}

func (e *NotFoundError) Error() string {
	if e.Ref == Last {
		return "there is no run yet"
	}
	return fmt.Sprintf("there is no run %q; `runbook runs list` shows them all", e.Ref)
}

// AmbiguousError says that several runs begin with Ref.
type AmbiguousError struct {
	Ref        string
	Candidates []string // newest first
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q stands for %d runs: %s", e.Ref, len(e.Candidates), strings.Join(e.Candidates, ", "))
}

// Resolve turns what a person writes for a run (its ID, a unique prefix of it,
// or "last") into the ID. The error is a *NotFoundError or an *AmbiguousError
// where that fails.
func (s *Store) Resolve(ref string) (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	if ref == Last && len(ids) > 0 {
		return ids[0], nil
	}
	var found []string
	for _, id := range ids {
		if id == ref {
			return id, nil
		}
		if ref != "" && strings.HasPrefix(id, ref) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", &NotFoundError{Ref: ref}
	case 1:
		return found[0], nil
	}
	return "", &AmbiguousError{Ref: ref, Candidates: found}
}

// ids lists the runs that have a journal, newest first.
func (s *Store) ids() ([]string, error) {
	entries, err := os.ReadDir(s.path("runs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		if _, err := os.Lstat(s.journal(entry.Name())); err == nil && validID(entry.Name()) {
			ids = append(ids, entry.Name())
		}
	}
	slices.Reverse(ids) // ReadDir sorts
	return ids, nil
}

func (s *Store) journal(id string) string { return s.path("runs", id, "journal.jsonl") }
