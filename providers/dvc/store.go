package dvc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// store keeps objects: a cache or a remote. It is safe for concurrent use.
type store interface {
	// sizes looks which of the objects there are, and how large each is.
	sizes(ctx context.Context, objects []object) (map[object]int64, error)
	// read is the content of a small object; fs.ErrNotExist where there is none.
	read(ctx context.Context, o object) ([]byte, error)
	// write puts a file there as an object, as a whole or not at all.
	write(ctx context.Context, o object, file string) error
}

// lister can tell everything that a store keeps.
type lister interface {
	list(ctx context.Context) (map[object]int64, error)
}

// remoteStore is a store and lister.
type remoteStore interface {
	store
	lister
}

// store opens a remote.
func (r *repository) store(name string) (remoteStore, error) {
	remote := r.settings.remotes[name]
	where := remote["url"]
	scheme, rest, _ := strings.Cut(where, "://")
	unsupported := sdk.Fail("unsupported_remote", "the remote %s (%s) is neither a folder nor S3", name, program.Clean(where))
	unsupported.Argument, unsupported.Remedy = "remote", "use another remote, or exec.run with dvc"
	if yes(remote["version_aware"]) || yes(remote["worktree"]) {
		unsupported.Message = fmt.Sprintf("the remote %s keeps files by their versions, which this provider does not know", name)
		return nil, unsupported
	}
	switch {
	case where == "":
		f := sdk.Fail("invalid_config", "the remote %s has no url", name)
		f.Remedy = "dvc remote modify gives it one"
		return nil, f
	case !strings.Contains(where, "://"):
		return folder{root: where, remote: name}, nil
	case scheme == "s3":
		return newBucket(r, name, rest)
	}
	return nil, unsupported
}

// cache opens the repository's cache.
func (r *repository) cache() folder { return folder{root: r.settings.cache} }

// folder keeps objects in files.
type folder struct {
	root   string
	remote string // its name; empty: the cache
}

// there refuses a remote whose folder is gone: nothing in it is not known to be
// lost.
func (f folder) there() error {
	if f.remote == "" {
		return nil
	}
	info, err := os.Stat(f.root)
	if err == nil && info.IsDir() {
		return nil
	}
	failure := sdk.Fail("remote_not_found", "the remote %s has no folder %s", f.remote, f.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		failure.Message = fmt.Sprintf("look at the remote %s: %v", f.remote, err)
	}
	failure.Remedy = "mount it, or correct its url; the first push to a new one needs the empty folder"
	return failure
}

func (f folder) file(o object) string { return filepath.Join(f.root, filepath.FromSlash(o.path())) }

func (f folder) sizes(ctx context.Context, objects []object) (map[object]int64, error) {
	if err := f.there(); err != nil {
		return nil, err
	}
	found := make(map[object]int64, len(objects))
	for i, o := range objects {
		if i%1000 == 0 && ctx.Err() != nil {
			return nil, cut(ctx, "looking at "+f.root)
		}
		info, err := os.Stat(f.file(o))
		switch {
		case err == nil && info.Mode().IsRegular():
			found[o] = info.Size()
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, unreadable(err)
		}
	}
	return found, nil
}

func unreadable(err error) error {
	f := sdk.Fail("unreadable", "look at an object: %v", err)
	f.Remedy = "let this user read the folder"
	return f
}

func (f folder) read(_ context.Context, o object) ([]byte, error) { return os.ReadFile(f.file(o)) }

// write copies beside the place first, so that half an object is never taken for
// one.
func (f folder) write(ctx context.Context, o object, file string) (err error) {
	from, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read what is to be pushed: %w", err)
	}
	defer func() { _ = from.Close() }()
	target := f.file(o)
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return fmt.Errorf("make a folder of the remote: %w", err)
	}
	to, err := os.CreateTemp(filepath.Dir(target), ".runbook-*")
	if err != nil {
		return fmt.Errorf("write an object: %w", err)
	}
	defer func() {
		_ = to.Close()
		if err != nil {
			_ = os.Remove(to.Name())
		}
	}()
	if _, err := io.Copy(to, contextReader{ctx, from}); err != nil {
		return fmt.Errorf("write an object: %w", err)
	}
	if err := errors.Join(to.Chmod(0o644), to.Sync(), to.Close()); err != nil {
		return fmt.Errorf("write an object: %w", err)
	}
	return os.Rename(to.Name(), target)
}

// contextReader ends with its context.
type contextReader struct {
	ctx  context.Context
	from io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.from.Read(p)
}

func (f folder) list(ctx context.Context) (map[object]int64, error) {
	if err := f.there(); err != nil {
		return nil, err
	}
	found := map[object]int64{}
	for _, legacy := range []bool{false, true} {
		root := f.root
		if !legacy {
			root = filepath.Join(f.root, "files", "md5")
		}
		shards, err := os.ReadDir(root)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, unreadable(err)
		}
		for _, shard := range shards {
			if len(shard.Name()) != 2 || !shard.IsDir() {
				continue
			}
			if ctx.Err() != nil {
				return nil, cut(ctx, "looking at "+f.root)
			}
			entries, err := os.ReadDir(filepath.Join(root, shard.Name()))
			if err != nil {
				return nil, unreadable(err)
			}
			for _, entry := range entries {
				o := object{shard.Name() + entry.Name(), legacy}
				if !objectHash.MatchString(o.hash) {
					continue
				}
				if info, err := entry.Info(); err == nil {
					found[o] = info.Size()
				}
			}
		}
	}
	return found, nil
}
