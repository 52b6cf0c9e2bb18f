//go:build unix && !linux

package sdk

import "syscall"

// PrivateMemory keeps what this process holds in memory from being written to a
// core dump. Of the limit only the soft half is lowered, which a child that wants
// a dump may raise. Serve calls it.
func PrivateMemory() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // lowering is always allowed
	}
}
