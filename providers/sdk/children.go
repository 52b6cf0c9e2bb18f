package sdk

import (
	"os"
	"syscall"

	"github.com/runbook-engine/runbook/providers/protocol/processes"
)

// killChildren kills the process groups of this process's children, for those
// that were being started at the very moment when the engine went. It does
// nothing where processes cannot be listed.
func killChildren() {
	for _, p := range processes.All() {
		switch {
		case p.Parent != os.Getpid():
		case p.Group == p.PID:
			_ = syscall.Kill(-p.PID, syscall.SIGKILL)
		default:
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

// unseen are the processes below this one that have none of the attempt locks
// open: one that has left its group and closed what it did not know would work
// on, and nobody would know.
func unseen(locks []string) []int {
	children := map[int][]processes.Process{}
	for _, p := range processes.All() {
		children[p.Parent] = append(children[p.Parent], p)
	}
	var found []int
	for below := children[os.Getpid()]; len(below) > 0; below = below[1:] {
		p := below[0]
		below = append(below, children[p.PID]...)
		if !p.Has(locks...) {
			found = append(found, p.PID)
		}
	}
	return found
}
