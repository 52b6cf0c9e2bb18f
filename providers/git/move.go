package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// move is the work tree's way from one commit to another. Changes that nobody
// has committed are never lost on it.
type move struct {
	before, after string
	files         []change
	adopt         []string // in the way, and already as after has them: a move that was cut left them
}

// plan finds out what a move to a commit would change, and refuses one that
// changes of somebody stand in the way of.
func (r *repository) plan(ctx context.Context, before, after string) (move, error) {
	m := move{before: before, after: after}
	s, err := r.look(ctx, false)
	if err != nil {
		return m, err
	}
	if f := s.steady(r.dir); f != nil {
		return m, f
	}
	if before == "" {
		f := sdk.Fail("no_commit", "%s has no commit yet", r.at(s.branch))
		f.Remedy = "make the first commit, or clone"
		return m, f
	}
	if before == after {
		return m, nil
	}
	if m.files, err = r.changes(ctx, []string{before, after}); err != nil {
		return m, err
	}
	blocked, err := r.inTheWay(ctx, m, s)
	if err != nil {
		return m, err
	}
	var others []string
	if m.adopt, others, err = r.sameAs(ctx, after, blocked); err != nil {
		return m, err
	}
	if len(others) > 0 {
		f := sdk.Fail("local_changes", "%s would be overwritten: %s", phrase.Count(int64(len(others)), "file that is not committed", "files that are not committed"), some(others))
		f.Remedy = "commit or stash them, or put them back with git.checkout_paths, which keeps them in a backup"
		return m, f
	}
	return m, nil
}

// at names a branch, or the work tree.
func (r *repository) at(branch string) string {
	if branch == "" {
		return r.dir
	}
	return "the branch " + branch
}

// inTheWay are the files that the move changes and that are not as before has
// them: changed, staged, or there without being tracked, ignored or not.
func (r *repository) inTheWay(ctx context.Context, m move, s state) ([]string, error) {
	dirty := map[string]bool{}
	for _, e := range s.entries {
		// A file that is only gone holds nothing that could be lost.
		dirty[e.path] = e.staged != 0 || e.changed != 'D'
	}
	added, err := r.fields(ctx, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--diff-filter=A", m.before, m.after, "--")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, c := range m.files {
		if dirty[c.Path] {
			found = append(found, c.Path)
			continue
		}
		if !slices.Contains(added, c.Path) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(r.dir, c.Path)); err == nil || errors.Is(err, syscall.ENOTDIR) {
			found = append(found, c.Path)
		}
	}
	return found, nil
}

// mostAdopted bounds how many files in the way are compared.
const mostAdopted = 1000

// sameAs parts paths into those that are in the work tree just as a commit has
// them, and others.
func (r *repository) sameAs(ctx context.Context, commit string, paths []string) (same, others []string, err error) {
	if len(paths) == 0 || len(paths) > mostAdopted {
		return nil, paths, nil
	}
	listed, err := r.fields(ctx, slices.Concat([]string{"ls-tree", "-r", "-z", "--full-tree", commit, "--"}, paths)...)
	if err != nil {
		return nil, nil, err
	}
	there := map[string]string{}
	for _, line := range listed {
		what, path, _ := strings.Cut(line, "\t")
		if words := strings.Fields(what); len(words) == 3 {
			there[path] = words[2]
		}
	}
	for _, path := range paths {
		info, failed := os.Lstat(filepath.Join(r.dir, path))
		equal := false
		switch {
		case failed != nil:
			equal = errors.Is(failed, os.ErrNotExist) && there[path] == ""
		case info.Mode().IsRegular() && there[path] != "":
			hash, err := r.line(ctx, "hash-object", "--", path)
			if err != nil {
				return nil, nil, err
			}
			equal = hash == there[path]
		}
		if equal {
			same = append(same, path)
		} else {
			others = append(others, path)
		}
	}
	return same, others, nil
}

// ready stages the files of the move that are already as they will be: git takes
// the move for done there.
func (r *repository) ready(ctx context.Context, m move) error {
	if len(m.adopt) == 0 {
		return nil
	}
	_, err := r.feed(ctx, strings.Join(m.adopt, "\x00")+"\x00", nil, "update-index", "--add", "--remove", "-z", "--stdin")
	return err
}

// moving types the error of the command that carries a move out: git looks
// before it changes anything, and says so by these failures.
func moving(err error) error {
	if isCode(err, "local_changes", "lock_held", "conflict") {
		return sdk.Clean(err)
	}
	return err
}

func (m move) impact() schema.Impact { return schema.Impact{"files": int64(len(m.files))} }

// sample is what a preview shows of changes.
func sample(changes []change) []string { return texts(changes[:min(len(changes), sampled)]) }

// files are the names of changes, as results list them.
func files(changes []change) []string {
	var names []string
	for _, c := range changes[:min(len(changes), mostPaths)] {
		names = append(names, c.Path)
	}
	return names
}

func countFiles(n int) string { return phrase.Count(int64(n), "file", "files") }
