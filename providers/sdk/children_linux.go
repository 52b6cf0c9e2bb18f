package sdk

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// relative is a process as /proc tells of it.
type relative struct{ pid, parent, group int }

func relatives() []relative {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []relative
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state ppid pgrp …; the name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 3 {
			continue
		}
		parent, _ := strconv.Atoi(string(fields[1])) // the kernel writes numbers
		group, _ := strconv.Atoi(string(fields[2]))
		all = append(all, relative{pid, parent, group})
	}
	return all
}

// killChildren kills the process groups of this process's children, for those
// that were being started at the very moment when the engine went.
func killChildren() {
	for _, p := range relatives() {
		switch {
		case p.parent != os.Getpid():
		case p.group == p.pid:
			_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		default:
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
}

// unseen are the processes below this one that have none of the attempt locks
// open: one that has left its group and closed what it did not know would work
// on, and nobody would know.
func unseen(locks []string) []int {
	children := map[int][]int{}
	for _, p := range relatives() {
		children[p.parent] = append(children[p.parent], p.pid)
	}
	var found []int
	for below := children[os.Getpid()]; len(below) > 0; below = below[1:] {
		pid := below[0]
		below = append(below, children[pid]...)
		if !opened(pid, locks) {
			found = append(found, pid)
		}
	}
	return found
}

func opened(pid int, files []string) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	descriptors, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(descriptors, func(d os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(dir, d.Name()))
		return err == nil && slices.Contains(files, target)
	})
}
