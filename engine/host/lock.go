package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Lock pins the named third-party providers as they are installed now: version,
// SHA-256 on this platform, and schema. It starts each once to ask for its
// schema; that is the only time that something unpinned is run. Entries of
// other providers, and of other platforms at the same version, stay.
func (h *Host) Lock(ctx context.Context, names []string) error {
	path := h.opts.LockFile
	if path == "" {
		path = filepath.Join(h.opts.Dir, LockFileName)
	}
	locks, err := readLockFile(path)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := h.opts.Catalog.Schema(name); ok {
			return fmt.Errorf("provider %s is bundled: there is nothing to pin", name)
		}
		entry, err := h.inspect(ctx, name)
		if err != nil {
			return err
		}
		if old := locks[name]; old != nil && old.version == entry.version {
			for platform, sum := range old.sums {
				if entry.sums[platform] == "" {
					entry.sums[platform] = sum
				}
			}
		}
		locks[name] = entry
	}
	text, err := lockText(locks)
	if err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	if err := replaceFile(path, text); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opts.LockFile, h.locks = path, locks
	return nil
}

// inspect runs an installed provider just long enough to ask who it is.
func (h *Host) inspect(ctx context.Context, name string) (*locked, error) {
	path, err := h.find(name)
	if err != nil {
		return nil, err
	}
	exe, err := verified(path, "")
	if err != nil {
		return nil, err
	}
	r, err := h.exec(name, exe)
	if err != nil {
		return nil, errors.Join(err, exe.close())
	}
	ctx, cancel := context.WithTimeout(ctx, h.startIn)
	defer cancel()
	s, err := r.provider.Schema(ctx)
	if err != nil {
		err = h.lost(r, "Schema", err)
	} else if err = s.Check(); err != nil {
		err = fmt.Errorf("the schema of %s cannot be used: %w", path, err)
	}
	if err := errors.Join(err, r.close(), exe.close()); err != nil {
		return nil, err
	}
	if s.Name != name {
		return nil, fmt.Errorf("%s calls itself %q, not %q", path, s.Name, name)
	}
	return &locked{version: s.Version, sums: map[string]string{platform(): exe.sum}, schema: s}, nil
}

// replaceFile writes a file that is there wholly or not at all.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
