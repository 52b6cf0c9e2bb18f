// Package folder reads and writes the files below one root. No path and no link
// leads out of it, and a file is written whole or not at all. What the files
// mean is left to the providers.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
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

// Make opens a folder, and makes it, and those above it, where it is missing.
func Make(name string, mode fs.FileMode) (*Folder, error) {
	if err := os.MkdirAll(name, mode); err != nil {
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

// Sub opens a folder below the root, from which nothing leads out either.
func (f *Folder) Sub(name string) (*Folder, error) {
	root, err := f.root.OpenRoot(name)
	if err != nil {
		return nil, Failure("open", f.Name(name), err)
	}
	return &Folder{Path: f.Name(name), root: root}, nil
}

// Files are the regular files at or below a path, in order of their paths.
// Unfinished ones of Write are left out. A link, or what is neither file nor
// folder, is a failure: leaving it out would be a loss that nobody sees.
func (f *Folder) Files(ctx context.Context, below string) ([]File, error) {
	return f.walk(ctx, below, true, func(name string, kind fs.FileMode) error { return strange(f.Name(name), kind) })
}

// Regular is Files without what is no regular file, in folders below only where
// deep.
func (f *Folder) Regular(ctx context.Context, below string, deep bool) ([]File, error) {
	return f.walk(ctx, below, deep, func(string, fs.FileMode) error { return nil })
}

func (f *Folder) walk(ctx context.Context, below string, deep bool, other func(string, fs.FileMode) error) ([]File, error) {
	var files []File
	err := fs.WalkDir(f.root.FS(), path.Clean(below), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return Failure("read", f.Name(name), err)
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() && !deep && name != path.Clean(below):
			return fs.SkipDir
		case entry.IsDir() || unfinished(name):
			return nil
		case !entry.Type().IsRegular():
			return other(name, entry.Type())
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

// Sum is the SHA-256 of a regular file in hex, and its size.
func (f *Folder) Sum(ctx context.Context, name string) (string, int64, error) {
	file, err := f.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, &until{ctx, file})
	if err != nil {
		return "", 0, Failure("read", f.Name(name), err)
	}
	return hex.EncodeToString(sum.Sum(nil)), n, nil
}

// until is a reader that ends with a context.
type until struct {
	ctx context.Context
	io.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}

// Until is a reader that ends with ctx.
func Until(ctx context.Context, r io.Reader) io.Reader { return &until{ctx, r} }

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
