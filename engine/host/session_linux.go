package host

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// sweeps is how often killWorkers looks again for what was forked meanwhile.
const sweeps = 10

// killWorkers kills the process groups of a session that hold an attempt's lock:
// what a provider that could not do it itself has started for the attempt. What
// earlier calls have left behind on purpose holds other locks, and a daemon has
// a session of its own; both stay.
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
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var groups []int
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state ppid pgrp session …; the name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 4 || string(fields[3]) != strconv.Itoa(session) {
			continue
		}
		group, err := strconv.Atoi(string(fields[2]))
		if err == nil && group > 1 && holds(entry.Name(), lock) {
			groups = append(groups, group)
		}
	}
	return groups
}

func holds(pid, lock string) bool {
	dir := "/proc/" + pid + "/fd"
	open, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range open {
		if target, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && target == lock {
			return true
		}
	}
	return false
}
