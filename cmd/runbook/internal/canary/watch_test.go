package canary

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// watch notes what other users of the machine could read of the processes below
// one: their command lines, and the environments of the program's own.
func watch(pid int, program string, stop <-chan struct{}) map[string][]byte {
	seen := map[string][]byte{}
	own, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	for {
		for _, p := range below(pid) {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p)) // it may be gone
			if bytes.Equal(line, own) {
				continue // not yet another program
			}
			seen["arguments of "+strconv.Itoa(p)] = line
			if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p)); err == nil && strings.HasPrefix(exe, program) {
				environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p))
				seen["environment of "+strconv.Itoa(p)] = environ
			}
		}
		select {
		case <-stop:
			return seen
		case <-time.After(time.Millisecond):
		}
	}
}

// below lists the processes that a process has started, and they in turn.
func below(pid int) []int {
	var all []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(append(all, child), below(child)...)
			}
		}
	}
	return all
}
