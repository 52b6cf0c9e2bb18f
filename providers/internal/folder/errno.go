package folder

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// full tells whether there is no room left.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// escapes tells whether a path or link led out of a root. The standard library
// does not name this error: it is the one that no system call gave.
func escapes(err error) bool {
	var at *fs.PathError
	var number syscall.Errno
	return errors.As(err, &at) && !errors.As(at.Err, &number) && at.Err.Error() == outside()
}

// outside is what a root says of a path that leads out of it.
func outside() string {
	root, err := os.OpenRoot(os.TempDir())
	if err != nil {
		return ""
	}
	defer func() { _ = root.Close() }()
	_, err = root.Lstat("..")
	var at *fs.PathError
	if !errors.As(err, &at) {
		return ""
	}
	return at.Err.Error()
}
