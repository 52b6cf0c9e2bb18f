package sdk

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/runbook-engine/runbook/providers/protocol/processes"
)

// groups knows the process groups of the calls in progress, to kill what is left
// of them when the engine is gone.
type groups struct {
	mu    sync.Mutex
	calls map[*Call][]int // the commands that were started
}

// enter makes a call known that is going to start commands.
func (g *groups) enter(c *Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls == nil {
		g.calls = map[*Call][]int{}
	}
	if _, known := g.calls[c]; !known {
		g.calls[c] = nil
	}
}

// started makes a command's group known, unless its call has ended.
func (g *groups) started(c *Call, group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.calls[c]; ok {
		g.calls[c] = append(known, group)
	}
}

func (g *groups) forget(c *Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.calls, c)
}

// locks are the attempt locks of the calls that have started commands.
func (g *groups) locks() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var paths []string
	for c := range g.calls {
		if c.lock == nil {
			continue
		}
		if path, err := filepath.EvalSymlinks(c.lock.Name()); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// kill ends every process group that was started and not forgotten.
func (g *groups) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	var started []int
	for _, groups := range g.calls {
		started = append(started, groups...)
	}
	if len(started) == 0 {
		return
	}
	for _, group := range ours(started) {
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
}

// ours are those of the groups that are still there. In a call of hours the
// number of one that has ended may have become somebody else's, who is in another
// session. Where processes cannot be listed all of them are taken for ours.
func ours(groups []int) []int {
	all := processes.All()
	self := slices.IndexFunc(all, func(p processes.Process) bool { return p.PID == os.Getpid() })
	if self < 0 {
		return groups
	}
	there := map[int]bool{}
	for _, p := range all {
		if p.Session == all[self].Session {
			there[p.Group] = true
		}
	}
	return slices.DeleteFunc(groups, func(group int) bool { return !there[group] })
}
