package host

import (
	"path/filepath"
	"syscall"

	"github.com/runbook-engine/runbook/providers/protocol/processes"
)

// sweeps is how often killWorkers looks again for what was forked meanwhile.
const sweeps = 10

// killWorkers kills the process groups of a session that hold an attempt's lock:
// what a provider that could not do it itself has started for the attempt. What
// earlier calls have left behind on purpose holds other locks, and a daemon has
// a session of its own; both stay. It does nothing where processes cannot be
// listed.
func killWorkers(session int, lock string) {
	lock, err := filepath.EvalSymlinks(lock)
	if err != nil {
		return // never taken
	}
	for range sweeps {
		groups := workers(session, lock)
		if len(groups) == 0 {
			return
		}
		for _, group := range groups {
			_ = syscall.Kill(-group, syscall.SIGKILL)
		}
	}
}

// workers are the process groups of a session in which a process has the lock
// open.
func workers(session int, lock string) []int {
	var groups []int
	for _, p := range processes.All() {
		if p.Session == session && p.Group > 1 && p.Has(lock) {
			groups = append(groups, p.Group)
		}
	}
	return groups
}
