package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func strange(name string, kind fs.FileMode) *schema.Failure {
	what := "neither a file nor a folder"
	switch {
	case kind&fs.ModeSymlink != 0:
		what = "a link"
	case kind.IsDir():
		what = "a folder, not a file"
	}
	f := sdk.Fail("not_a_file", "%s is %s", name, what)
	if kind&fs.ModeSymlink != 0 {
		f.Remedy = "put the file itself there, or leave the link out"
	}
	return f
}

// Failure types an error of a file system; what is typed already, and the end of
// a context, stay as they are.
func Failure(doing, name string, err error) error {
	var typed *schema.Failure
	if errors.As(err, &typed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	f := sdk.Fail("file_error", "%s %s: %s", doing, name, cause(err))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Code, f.Message = "file_missing", fmt.Sprintf("%s does not exist", name)
		f.Remedy = "correct the path"
	case errors.Is(err, fs.ErrPermission):
		f.Code, f.Remedy = "permission_denied", "let the user that runs runbook do this"
	case full(err):
		f.Code, f.Remedy = "out_of_space", "free some space; see file.disk"
	case escapes(err):
		f.Code, f.Message = "leaves_root", fmt.Sprintf("%s: a link leads out of the folder", name)
		f.Remedy = "name the place that the link leads to"
	}
	return f
}

// cause is an error without the path, which a message names already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

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
