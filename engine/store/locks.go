package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/runbook-engine/runbook/engine/journal"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Holder is the run that holds locks, and who began it where.
type Holder struct {
	Run      string    `json:"run"`
	Runbook  string    `json:"runbook"`
	Operator string    `json:"operator"`
	Host     string    `json:"host"`
	PID      int       `json:"pid"`
	Since    time.Time `json:"since"` // zero in Acquire: now
}

// Claim is what a run holds.
type Claim struct {
	Holder
	Epoch   int64           `json:"epoch"` // grows whenever a process takes a run's locks
	Effects []schema.Effect `json:"effects"`
}

// Conflict is one effect that cannot be had, and who is in the way.
type Conflict struct {
	Wanted schema.Effect
	Held   schema.Effect
	By     Holder
}

// LockedError says that other runs hold what was asked for.
type LockedError struct {
	Conflicts []Conflict // at least one, in the order of the resources wanted
}

func (e *LockedError) Error() string {
	c := e.Conflicts[0]
	what := c.Held.Resource
	if name, ok := strings.CutPrefix(what, runbookScheme); ok {
		what = fmt.Sprintf("the runbook %q", name)
	} else {
		what = fmt.Sprintf("%s (%s)", what, c.Held.Mode)
	}
	are := " is"
	if n := len(e.Conflicts) - 1; n > 0 {
		are = fmt.Sprintf(" and %d more are", n)
	}
	return fmt.Sprintf("%s%s locked since %s by run %s of runbook %q, begun by %s on %s (process %d): "+
		"`runbook runs show %[4]s` shows it, `runbook resume %[4]s` goes on with it if it was left half-way, and `runbook cancel %[4]s` gives it up",
		what, are, c.By.Since.UTC().Format(time.RFC3339), c.By.Run, c.By.Runbook, c.By.Operator, c.By.Host, c.By.PID)
}

// LostError says that a run's locks are no longer held by this process.
type LostError struct {
	Run string
	To  *Claim // the process that took the run over; nil: the locks were released
}

func (e *LostError) Error() string {
	if e.To == nil {
		return fmt.Sprintf("the locks of run %s were released; nothing new may start", e.Run)
	}
	return fmt.Sprintf("run %s was taken over by %s on %s (process %d); nothing new may start here", e.Run, e.To.Operator, e.To.Host, e.To.PID)
}

// runbookScheme marks the lock on a runbook's name among the resources.
const runbookScheme = "runbook:"

// RunbookName is what every run of a runbook holds: its name.
func RunbookName(name string) schema.Effect {
	return schema.Effect{Resource: runbookScheme + name, Mode: schema.Write}
}

// Acquire takes the holder's runbook name and the resources of effects for the
// run, all or none. Where another run is in the way it asks again until wait has
// passed, then fails with a *LockedError. Locks are the run's and outlive the
// process: they end with Release. A run that holds locks already, as when it is
// resumed, keeps them, adds these, and has a higher epoch. What a run holds that
// is over is free, or that ended before it had a record.
func (s *Store) Acquire(ctx context.Context, holder Holder, effects []schema.Effect, wait time.Duration) (*Lease, error) {
	return s.acquire(ctx, holder, effects, wait, false)
}

// Begin is Acquire for a run that is about to be made. The error is fs.ErrExist
// where another process has begun one of the same ID.
func (s *Store) Begin(ctx context.Context, holder Holder, effects []schema.Effect, wait time.Duration) (*Lease, error) {
	return s.acquire(ctx, holder, effects, wait, true)
}

func (s *Store) acquire(ctx context.Context, holder Holder, effects []schema.Effect, wait time.Duration, begins bool) (*Lease, error) {
	if holder.Runbook != "" {
		effects = append(slices.Clone(effects), RunbookName(holder.Runbook))
	}
	if holder.Since.IsZero() {
		holder.Since = time.Now().UTC()
	}
	lease := &Lease{store: s, run: holder.Run}
	err := s.insist(ctx, wait, func(t *table) error {
		if err := s.clear(t, holder.Run, effects); err != nil {
			return err
		}
		t.Epoch++
		claim := Claim{Holder: holder, Epoch: t.Epoch}
		if before := t.claim(holder.Run); before != nil {
			if begins {
				return fmt.Errorf("run %s: %w", holder.Run, fs.ErrExist)
			}
			claim.Since, claim.Effects = before.Since, before.Effects
		}
		claim.Effects = union(claim.Effects, effects)
		t.put(claim)
		lease.epoch = t.Epoch
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return lease, nil
}

// Release frees all that a run holds, if anything.
func (s *Store) Release(ctx context.Context, run string) error {
	err := s.change(ctx, func(t *table) error {
		t.drop(run)
		return nil
	})
	if err != nil {
		return fmt.Errorf("release the locks of run %s: %w", run, err)
	}
	return nil
}

// ReleaseUnattended is Release of a run that no process attends, whatever its
// record is like; else it fails with an *AttendedError.
func (s *Store) ReleaseUnattended(ctx context.Context, run string) error {
	attended, err := journal.Attended(s.journal(run))
	if err != nil {
		return fmt.Errorf("release the locks of run %s: %w", run, err)
	}
	if attended {
		return s.attended(run, &journal.BusyError{Path: s.journal(run)})
	}
	return s.Release(ctx, run)
}

// List returns what runs hold, in the order in which they took it last. What is
// left of a run that is over is in nobody's way and is not listed.
func (s *Store) List() ([]Claim, error) {
	t, err := s.readTable()
	if err != nil {
		return nil, fmt.Errorf("list locks: %w", err)
	}
	t.Claims = slices.DeleteFunc(t.Claims, func(c Claim) bool { return s.over(c.Holder) })
	slices.SortFunc(t.Claims, func(a, b Claim) int { return int(a.Epoch - b.Epoch) })
	return t.Claims, nil
}

// Held fails with a *LockedError where a run other than the named one holds
// something that conflicts with effects. It takes nothing.
func (s *Store) Held(run string, effects []schema.Effect) error {
	t, err := s.readTable()
	if err != nil {
		return fmt.Errorf("look at the locks: %w", err)
	}
	return s.clear(&t, run, effects)
}

// insist changes the table as soon as no other run is in the way of it.
func (s *Store) insist(ctx context.Context, wait time.Duration, change func(*table) error) error {
	const longest = 200 * time.Millisecond
	deadline := time.Now().Add(wait)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, longest) {
		err := s.change(ctx, change)
		var locked *LockedError
		left := time.Until(deadline)
		if !errors.As(err, &locked) || left <= 0 {
			return err
		}
		if failed := sleep(ctx, min(pause, left)); failed != nil {
			return errors.Join(failed, locked)
		}
	}
}

// clear fails with a *LockedError where other runs are in the way of effects.
// Claims of runs that are over are dropped from t.
func (s *Store) clear(t *table, run string, effects []schema.Effect) error {
	var conflicts []Conflict
	over := map[string]bool{}
	for _, want := range union(nil, effects) {
		for _, claim := range t.Claims {
			i := slices.IndexFunc(claim.Effects, want.Conflicts)
			if claim.Run == run || i < 0 {
				continue
			}
			if _, asked := over[claim.Run]; !asked {
				over[claim.Run] = s.over(claim.Holder)
			}
			if !over[claim.Run] {
				conflicts = append(conflicts, Conflict{Wanted: want, Held: claim.Effects[i], By: claim.Holder})
			}
		}
	}
	if len(conflicts) > 0 {
		return &LockedError{Conflicts: conflicts}
	}
	for run, yes := range over {
		if yes {
			t.drop(run)
		}
	}
	return nil
}

// over tells whether a run ended without its locks being freed, because its
// process was killed in between, or before it began.
func (s *Store) over(holder Holder) bool {
	summary, err := s.Summary(holder.Run)
	if err == nil {
		return summary.Over()
	}
	var none *NotFoundError
	if !errors.As(err, &none) {
		return false
	}
	host, err := os.Hostname()
	return err == nil && host == holder.Host && holder.PID > 0 && errors.Is(syscall.Kill(holder.PID, 0), syscall.ESRCH)
}

// union merges effects by resource, the stronger mode winning, sorted.
func union(a, b []schema.Effect) []schema.Effect {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y schema.Effect) int { return strings.Compare(x.Resource, y.Resource) })
	var out []schema.Effect
	for _, e := range all {
		last := len(out) - 1
		switch {
		case last < 0 || out[last].Resource != e.Resource:
			out = append(out, e)
		case e.Mode.Stronger(out[last].Mode):
			out[last] = e
		}
	}
	return out
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
