//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// UntrustedError says why a folder is not used: somebody else could have put
// into it what is read there.
type UntrustedError struct {
	Path   string
	Reason string
	Mend   string // what to do about it
}

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("%s is not safe to use: %s; %s", e.Path, e.Reason, e.Mend)
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
		return &UntrustedError{Path: path, Reason: "it is a link", Mend: "put a folder there, or name the store that is meant by RUNBOOK_STORE"}
	case !mode.IsDir():
		return &UntrustedError{Path: path, Reason: "it is not a folder", Mend: "move it away, or name another store by RUNBOOK_STORE"}
	case mode.Perm()&0o022 != 0:
		return &UntrustedError{Path: path, Reason: fmt.Sprintf("others may write to it (mode %04o)", mode.Perm()), Mend: "run chmod go-w on it once you know that nobody did"}
	}
	if owner, me := int(info.Sys().(*syscall.Stat_t).Uid), os.Geteuid(); owner != me {
		return &UntrustedError{
			Path: path, Reason: fmt.Sprintf("it belongs to %s, and you are %s", userName(owner), userName(me)),
			Mend: "work as the one that it belongs to, or name a store of your own by RUNBOOK_STORE",
		}
	}
	return nil
}

// userName says who a user is as far as the system knows.
func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user %d", id)
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
