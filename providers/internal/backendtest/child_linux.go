package backendtest

import "syscall"

// childAttributes runs a child as the given user, in a process group of its
// own, and has the kernel send it the signal when this process ends.
func childAttributes(as *syscall.Credential, dying syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true, Pdeathsig: dying}
}
