package dvc

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// workspace is what differs in the workspace from what is recorded, of some
// outputs.
type workspace struct {
	missing []string // recorded files that are not there
	changes []string // files with another content than recorded, or that are not recorded
}

func (w workspace) files() int { return len(w.missing) + len(w.changes) }

// workspace asks DVC, which remembers the hashes of files that have not changed.
func (r *repository) workspace(ctx context.Context, outputs []output) (workspace, error) {
	out, err := r.run(ctx, false, "data", "status", "--granular", "--json")
	if err != nil {
		return workspace{}, err
	}
	var said struct {
		Uncommitted map[string][]any `json:"uncommitted"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return workspace{}, sdk.Fail("dvc_error", "dvc data status printed something that this provider does not know: %v", err)
	}
	var found workspace
	for kind, entries := range said.Uncommitted {
		for _, entry := range entries {
			name, ok := entry.(string)
			if moved, is := entry.(map[string]any); is {
				name, ok = moved["new"].(string)
			}
			if !ok || strings.HasSuffix(name, "/") || !under(outputs, name) {
				continue
			}
			if kind == "deleted" {
				found.missing = append(found.missing, name)
			} else {
				found.changes = append(found.changes, name)
			}
		}
	}
	return found, nil
}

// under tells whether a file is one of the outputs, or in one.
func under(outputs []output, name string) bool {
	for _, out := range outputs {
		if name == out.path || strings.HasPrefix(name, out.path+"/") {
			return true
		}
	}
	return false
}

// unlisted adds the files of folders whose list is in the remote alone: DVC does
// not know them yet.
func (t *transfer) unlisted(ctx context.Context, w workspace) (workspace, error) {
	for _, l := range t.found.lists {
		if _, here := t.found.here[l.output.object]; here || !l.known {
			continue
		}
		outside := func(name string) bool { return !under([]output{l.output}, name) }
		w.missing, w.changes = filter(w.missing, outside), filter(w.changes, outside)
		recorded := map[string]bool{}
		for _, file := range l.files {
			name := path.Join(l.output.path, file.Path)
			recorded[name] = true
			hash, err := md5Of(ctx, filepath.Join(t.dir, name))
			switch {
			case err != nil:
				return workspace{}, err
			case hash == "":
				w.missing = append(w.missing, name)
			case hash != file.MD5 && !l.output.object.legacy:
				w.changes = append(w.changes, name)
			}
		}
		err := filepath.WalkDir(filepath.Join(t.dir, l.output.path), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return ignoreMissing(err)
			}
			if name, err := filepath.Rel(t.dir, file); err != nil {
				return err
			} else if name = filepath.ToSlash(name); !recorded[name] {
				w.changes = append(w.changes, name)
			}
			return nil
		})
		if err != nil {
			return workspace{}, unreadable(err)
		}
	}
	slices.Sort(w.missing)
	slices.Sort(w.changes)
	return w, nil
}

func filter(names []string, keep func(string) bool) []string {
	var kept []string
	for _, name := range names {
		if keep(name) {
			kept = append(kept, name)
		}
	}
	return kept
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
