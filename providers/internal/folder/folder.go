// Package folder reads and writes the files below one root. No path and no link
// leads out of it, and a file is written whole or not at all. What the files
// mean is left to the providers.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Folder is an open root. Safe for concurrent use, except that one path is
// written by one at a time. Errors are typed failures.
type Folder struct {
	Path string // as it was opened
	root *os.Root
}

// File is a regular file. Path is relative to the root, with slashes.
type File struct {
	Path    string
	Size    int64
	Mode    fs.FileMode
	ModTime time.Time
}

// Open opens a folder that exists.
func Open(name string) (*Folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, Failure("open", name, err)
	}
	return &Folder{Path: name, root: root}, nil
}

// Make opens a folder, and makes it where it is missing.
func Make(name string) (*Folder, error) {
	if err := os.MkdirAll(name, 0o755); err != nil {
		return nil, Failure("make", name, err)
	}
	return Open(name)
}

// Close lets go of the root.
func (f *Folder) Close() { _ = f.root.Close() }

// Root is the root itself, for what this package does not do.
func (f *Folder) Root() *os.Root { return f.root }

// Name is a file as messages name it.
func (f *Folder) Name(name string) string { return path.Join(f.Path, name) }

// Files are the regular files at or below a path, in order of their paths.
// Unfinished ones of Write are left out. A link, or what is neither file nor
// folder, is a failure: leaving it out would be a loss that nobody sees.
func (f *Folder) Files(ctx context.Context, below string) ([]File, error) {
	var files []File
	err := fs.WalkDir(f.root.FS(), path.Clean(below), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return Failure("read", f.Name(name), err)
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() || unfinished(name):
			return nil
		case !entry.Type().IsRegular():
			return strange(f.Name(name), entry.Type())
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone since the folder was read
		}
		if err != nil {
			return Failure("read", f.Name(name), err)
		}
		files = append(files, File{Path: name, Size: info.Size(), Mode: info.Mode().Perm(), ModTime: info.ModTime()})
		return nil
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, err
}

// Open opens a regular file to read.
func (f *Folder) Open(name string) (*os.File, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return nil, Failure("read", f.Name(name), err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		if err != nil {
			return nil, Failure("read", f.Name(name), err)
		}
		return nil, strange(f.Name(name), info.Mode().Type())
	}
	return file, nil
}

// Remove removes a file.
func (f *Folder) Remove(name string) error {
	if err := f.root.Remove(name); err != nil {
		return Failure("remove", f.Name(name), err)
	}
	return nil
}

// MakeDir makes a folder below the root and those above it, where they are
// missing.
func (f *Folder) MakeDir(name string, mode fs.FileMode) error {
	err := f.root.MkdirAll(name, mode)
	if err == nil {
		return nil
	}
	if _, why := f.root.Stat(name); why != nil && !errors.Is(why, fs.ErrNotExist) {
		err = why // such as a link that leads out
	}
	return Failure("make", f.Name(name), err)
}

// suffix marks the unfinished file of Write. Its name is made of that of the
// file, so that the next attempt takes the place of one that was cut short.
const suffix = ".runbook-unfinished"

func unfinished(name string) bool { return strings.HasSuffix(name, suffix) }

// Write makes a file, with its folders, of what content writes: the old one is
// there until the new one is whole and on disk. Without a mode it keeps that of
// the old file, or is 0644.
func (f *Folder) Write(name string, mode fs.FileMode, content func(io.Writer) error) (err error) {
	if err := f.MakeDir(path.Dir(name), 0o755); err != nil {
		return err
	}
	if mode == 0 {
		mode = 0o644
		if old, err := f.root.Stat(name); err == nil {
			mode = old.Mode().Perm()
		}
	}
	half := path.Join(path.Dir(name), "."+path.Base(name)+suffix)
	_ = f.root.Remove(half)
	file, err := f.root.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return Failure("write", f.Name(name), err)
	}
	defer func() {
		if err != nil {
			_ = f.root.Remove(half)
		}
	}()
	err = content(file)
	if err == nil {
		err = errors.Join(file.Chmod(mode), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return Failure("write", f.Name(name), err)
	}
	if err := f.root.Rename(half, name); err != nil {
		return Failure("write", f.Name(name), err)
	}
	return f.sync(path.Dir(name))
}

// sync puts the names in a folder on disk.
func (f *Folder) sync(dir string) error {
	file, err := f.root.Open(dir)
	if err == nil {
		err = errors.Join(file.Sync(), file.Close())
	}
	if err != nil {
		return Failure("write", f.Name(dir), err)
	}
	return nil
}

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
