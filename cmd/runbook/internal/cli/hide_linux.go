package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// hideTyping keeps a terminal from showing what is typed on it, until show is
// called.
func hideTyping(in io.Reader) (show func()) {
	file, ok := in.(*os.File)
	if !ok {
		return func() {}
	}
	fd := int(file.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {} // no terminal
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) } // else the terminal is gone
}
