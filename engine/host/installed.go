package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Trust is whether a third party's provider may be run.
type Trust string

// The states of trust. Only what is Pinned is run.
const (
	Pinned    Trust = "pinned"
	NotPinned Trust = "not pinned" // nobody has said that it may be run
	Changed   Trust = "changed"    // the file is not the one that was pinned
	Missing   Trust = "missing"    // pinned, and not installed
	Hidden    Trust = "hidden"     // a bundled provider has its name
)

// ThirdParty is a provider of another party that is installed, pinned or both.
type ThirdParty struct {
	Name   string
	Trust  Trust
	Path   string           // empty: not installed
	SHA256 string           // of the file, in hex; empty: it cannot be read
	Schema *schema.Provider // as pinned; nil: not pinned
}

// ThirdParties are the providers of other parties that are installed or pinned,
// by name. It reads their files and starts none of them.
func (h *Host) ThirdParties() ([]ThirdParty, error) {
	locks, err := h.lockFile()
	if err != nil {
		return nil, err
	}
	found := map[string]ThirdParty{}
	for name, entry := range locks {
		found[name] = ThirdParty{Name: name, Trust: Missing, Schema: entry.schema}
	}
	for _, folder := range h.opts.SearchPath {
		if folder == "" {
			continue
		}
		matches, _ := filepath.Glob(filepath.Join(folder, prefix+"*")) // only a malformed pattern errs
		for _, match := range matches {
			name := strings.TrimPrefix(filepath.Base(match), prefix)
			if path, err := h.find(name); err == nil && found[name].Path == "" {
				found[name] = h.installed(name, path, locks[name])
			}
		}
	}
	var all []ThirdParty
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[name])
	}
	return all, nil
}

func (h *Host) installed(name, path string, entry *locked) ThirdParty {
	p := ThirdParty{Name: name, Path: path, Trust: NotPinned}
	p.SHA256, _ = sumOf(path) // what cannot be read cannot be run either
	if entry != nil {
		p.Schema, p.Trust = entry.schema, Changed
		if p.SHA256 == entry.sum() {
			p.Trust = Pinned
		}
	}
	if _, bundled := h.opts.Catalog.Schema(name); bundled {
		p.Trust = Hidden
	}
	return p
}

// sumOf is the SHA-256 of a file that may be a provider's.
func sumOf(path string) (sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	switch n, err := io.Copy(hash, io.LimitReader(f, maxExecutable+1)); {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", path, err)
	case n > maxExecutable:
		return "", &LargeError{Path: path}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
