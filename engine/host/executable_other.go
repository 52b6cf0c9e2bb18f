//go:build !linux

package host

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// privateCopy is a file in a folder that only this user can enter.
func privateCopy(from io.Reader) (*executable, error) {
	dir, err := os.MkdirTemp("", "runbook-provider")
	if err != nil {
		return nil, err
	}
	free := func() error { return os.RemoveAll(dir) }
	f, err := os.OpenFile(filepath.Join(dir, "provider"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o500)
	if err != nil {
		return nil, errors.Join(err, free())
	}
	if _, err := io.Copy(f, from); err != nil {
		return nil, errors.Join(err, f.Close(), free())
	}
	if err := f.Close(); err != nil {
		return nil, errors.Join(err, free())
	}
	return &executable{path: f.Name(), free: free}, nil
}

func thisProgram(path string) string { return path }
