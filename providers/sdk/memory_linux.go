package sdk

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// PrivateMemory keeps what this process holds in memory to itself: no core dump
// of it is written, nor handed to a program that the system collects them with,
// and no other process of its user can trace it or read its environment. What it
// starts is not bound by that: of the limit on core dumps only the soft half is
// lowered, which a child that wants one may raise. Serve calls it.
func PrivateMemory() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) // lowering is always allowed
	}
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
