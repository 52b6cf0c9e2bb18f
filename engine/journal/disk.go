//go:build unix

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// disk is the machine's own file system.
type disk struct{}

func (disk) Create(path string) (File, error) {
	return open(path, os.O_CREATE|os.O_EXCL)
}

func (disk) Open(path string) (File, error) {
	return open(path, 0)
}

func (disk) SyncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func open(path string, flags int) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return diskFile{f}, nil
}

// lock takes the file's lock. It asks again for a moment, since Attended holds
// it for as long as it takes to ask.
func lock(f *os.File, path string) error {
	const tries, pause = 20, 5 * time.Millisecond
	for try := 1; ; try++ {
		err := flock(f, unix.LOCK_EX)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock %s: %w", path, err)
		case try == tries:
			return &BusyError{Path: path}
		}
		time.Sleep(pause)
	}
}

// Attended tells whether a process has the journal at path open for appending.
func Attended(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("ask who has a journal open: %w", err)
	}
	defer f.Close()
	err = flock(f, unix.LOCK_SH)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", path, err)
	}
	return false, nil
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

type diskFile struct{ *os.File }

func (f diskFile) Sync() error {
	if err := datasync(f.File); err != nil {
		return &fs.PathError{Op: "sync", Path: f.Name(), Err: err}
	}
	return nil
}
