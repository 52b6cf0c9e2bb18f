//go:build unix && !linux

package backendtest

import "syscall"

// childAttributes runs a child as the given user in a process group of its own.
func childAttributes(as *syscall.Credential, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}
