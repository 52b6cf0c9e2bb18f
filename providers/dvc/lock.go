package dvc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const lockHeldDoc = `Whether a DVC command is at work in the repository: DVC lets one at a time. It is ok where none is. While a stage runs DVC lets the lock go, and its process is found by what it has reserved.`

type lockHeldResult struct {
	sdk.Result
	Held    bool     `runbook:"held" doc:"Whether the repository's lock is held."`
	PID     int      `runbook:"pid" doc:"Process that holds it; 0 where that is not known, or none does."`
	Since   float64  `runbook:"age_seconds" doc:"How long that process has had it; 0 where that is not known."`
	Stages  []string `runbook:"reserved" doc:"Files that running stages have reserved."`
	Command string   `runbook:"command" doc:"Name of the program that holds the lock; empty where that is not known."`
}

func (p *provider) lockHeld(_ context.Context, _ noArgs, call *sdk.Call) (lockHeldResult, error) {
	r, err := p.open(call)
	if err != nil {
		return lockHeldResult{}, err
	}
	found, err := r.lock()
	if err != nil {
		return lockHeldResult{}, err
	}
	switch {
	case found.Held:
		found.Result = sdk.NotOK("%s", found.holder())
	case len(found.Stages) > 0:
		found.Result = sdk.NotOK("a stage runs that has reserved %s", some(found.Stages))
	default:
		found.Result = sdk.OK("no DVC command is at work")
	}
	return found, nil
}

func (l lockHeldResult) holder() string {
	text := "a DVC command is at work"
	if l.PID != 0 {
		text = fmt.Sprintf("process %d is at work", l.PID)
		if l.Command != "" {
			text = fmt.Sprintf("%s (process %d) is at work", l.Command, l.PID)
		}
	}
	if l.Since > 0 {
		text += ", for " + phrase.Span(l.Since)
	}
	return text
}

// lock looks who holds the repository's lock.
func (r *repository) lock() (lockHeldResult, error) {
	var found lockHeldResult
	file := filepath.Join(r.dir, ".dvc", "tmp", "lock")
	held, err := r.isLocked(file)
	if err != nil {
		return found, err
	}
	if found.Stages, err = reserved(filepath.Join(r.dir, ".dvc", "tmp", "rwlock")); err != nil {
		return found, err
	}
	if !held {
		return found, nil
	}
	found.Held = true
	// DVC writes its process number into the file, as does every holder before.
	text, err := os.ReadFile(file)
	if err != nil {
		return found, nil
	}
	words := strings.Fields(string(text))
	if len(words) == 0 {
		return found, nil
	}
	if pid, err := strconv.Atoi(words[0]); err == nil && alive(pid) {
		found.PID = pid
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil {
			found.Command = strings.TrimSpace(string(name))
		}
		if info, err := os.Stat(file); err == nil {
			found.Since = time.Since(info.ModTime()).Seconds()
		}
	}
	return found, nil
}

// isLocked looks whether anybody has the lock: of a file by asking for a share of
// it and letting go at once, which DVC, that tries for seconds, does not notice.
func (r *repository) isLocked(file string) (bool, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, unreadable(err)
	}
	defer func() { _ = f.Close() }()
	if r.settings.hardlink {
		info, err := f.Stat() // its time is when the lock expires
		return err == nil && info.ModTime().After(time.Now()), err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// reserved are the files that processes which are still there have reserved for
// their stages.
func reserved(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(strings.TrimSpace(string(text))) == 0 {
		return nil, nil
	} else if err != nil {
		return nil, unreadable(err)
	}
	var entries struct {
		Write map[string]struct {
			PID int `json:"pid"`
		} `json:"write"`
	}
	if json.Unmarshal(text, &entries) != nil {
		return nil, nil // it is being written
	}
	var found []string
	for name, holder := range entries.Write {
		if alive(holder.PID) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

func alive(pid int) bool { return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// free refuses where a DVC command is at work already.
func (r *repository) free() error {
	found, err := r.lock()
	if err != nil {
		return err
	}
	if found.Held {
		return lockHeld(found.holder())
	}
	return nil
}

func lockHeld(who string) *schema.Failure {
	f := sdk.Fail("lock_held", "%s in the repository, and DVC lets one command at a time", who)
	f.Retryable, f.Remedy = true, "wait until it has ended: dvc.lock_held tells"
	return f
}
