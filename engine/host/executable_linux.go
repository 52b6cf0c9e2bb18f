package host

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// copyFD is where a child finds the file that it is made of: the descriptor
// after the liveness pipe.
const copyFD = "/proc/self/fd/4"

// privateCopy is a sealed file in memory: nobody can write to it, and no file
// system that forbids execution stands in the way.
func privateCopy(from io.Reader) (*executable, error) {
	fd, err := unix.MemfdCreate("runbook-provider", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "runbook-provider")
	if _, err := io.Copy(f, from); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &executable{path: copyFD, file: f, free: f.Close}, nil
}

// thisProgram is path, unless that is the program running now: then its own
// bytes, which an upgrade on disk does not change.
func thisProgram(path string) string {
	const self = "/proc/self/exe"
	given, err := os.Stat(path)
	if err != nil {
		return path
	}
	running, err := os.Stat(self)
	if err != nil || !os.SameFile(given, running) {
		return path
	}
	return self
}
