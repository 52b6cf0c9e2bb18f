package processes

import (
	"bytes"
	"os"
	"slices"
	"strconv"
)

// All is the table. Processes that begin or end meanwhile may be missing.
func All() []Process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if p, ok := parse(pid, stat); ok {
			all = append(all, p)
		}
	}
	return all
}

// parse reads what /proc/PID/stat says: pid (name) state ppid pgrp session …
// The name may hold anything.
func parse(pid int, stat []byte) (p Process, ok bool) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return p, false
	}
	p.PID = pid
	for i, to := range []*int{&p.Parent, &p.Group, &p.Session} {
		n, err := strconv.Atoi(string(fields[1+i]))
		if err != nil {
			return p, false
		}
		*to = n
	}
	return p, true
}

// Has tells whether the process has one of the files open, which are absolute
// paths without symbolic links. Of another user's process it cannot be told:
// false.
func (p Process) Has(files ...string) bool {
	dir := "/proc/" + strconv.Itoa(p.PID) + "/fd/"
	open, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(open, func(fd os.DirEntry) bool {
		target, err := os.Readlink(dir + fd.Name())
		return err == nil && slices.Contains(files, target)
	})
}
