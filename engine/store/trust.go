//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// UntrustedError says why a folder is not used: somebody else could have put
// into it what is read there.
type UntrustedError struct {
	Path   string
	Reason string
}

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("%s is not safe to use: %s", e.Path, e.Reason)
}

// trust refuses what is not a folder of this user that only this user may write
// to.
func trust(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.Type() == fs.ModeSymlink:
		return &UntrustedError{Path: path, Reason: "it is a link"}
	case !mode.IsDir():
		return &UntrustedError{Path: path, Reason: "it is not a folder"}
	case mode.Perm()&0o022 != 0:
		return &UntrustedError{Path: path, Reason: fmt.Sprintf("others may write to it (mode %04o); run chmod go-w on it once you know that nobody did", mode.Perm())}
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
		return &UntrustedError{Path: path, Reason: fmt.Sprintf("it belongs to user %d, and you are user %d", owner, os.Geteuid())}
	}
	return nil
}

// private is the mode of every folder of a store.
const private fs.FileMode = 0o700

// makeFolder makes sure of a folder that can be trusted and that nobody else may
// look into. Where it had to be made its entry is durable.
func makeFolder(path string) error {
	err := os.Mkdir(path, private)
	if errors.Is(err, fs.ErrExist) {
		return tighten(path)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// tighten makes a folder private that was there before, such as one that was
// made by hand.
func tighten(path string) error {
	if err := trust(path); err != nil {
		return err
	}
	folder, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	info, err := folder.Stat()
	if err == nil && info.Mode().Perm() != private {
		err = folder.Chmod(private)
	}
	return errors.Join(err, folder.Close())
}
