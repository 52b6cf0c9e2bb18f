package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// target is a file that may be written.
type target struct {
	path    string // absolute
	size    int64  // of the new content
	sum     string // SHA-256 of the new content in hex
	exists  bool
	oldSum  string // of the old content; empty where none is
	oldMode fs.FileMode
}

func (t target) same() bool { return t.exists && t.sum == t.oldSum }

// look finds what is at the target's path now.
func (p *provider) look(ctx context.Context, t *target) error {
	dir, err := p.open(filepath.Dir(t.path))
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	base := filepath.Base(t.path)
	info, err := dir.Root().Stat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return folder.Failure("look at", t.path, err)
	case info.IsDir():
		f := sdk.Fail("not_a_file", "%s is a folder; no file can take its place", t.path)
		f.Remedy = "name a file in it"
		return f
	}
	t.exists, t.oldMode = true, info.Mode().Perm()
	t.oldSum, _, err = dir.Sum(ctx, base)
	return err
}

// plan is what is to be written, thought through before anything is.
type plan []target

func (w plan) impact() schema.Impact {
	impact := schema.Impact{"files": 0, "bytes": 0, "overwritten": 0}
	for _, t := range w {
		if t.same() {
			continue
		}
		impact["files"]++
		impact["bytes"] += t.size
		if t.exists {
			impact["overwritten"]++
		}
	}
	return impact
}

// check refuses what is not allowed, and what is over a limit.
func (w plan) check(overwrite bool, call *sdk.Call) error {
	for _, t := range w {
		if t.exists && !t.same() && !overwrite {
			f := sdk.Fail("would_overwrite", "%s is there with another content; nothing was written", t.path)
			f.Remedy = "overwrite = true writes over it"
			return f
		}
	}
	if call == nil {
		return nil
	}
	return within(w.impact(), call)
}

// put writes a target and looks at what is there then.
func (p *provider) put(ctx context.Context, t target, mode fs.FileMode, content func(io.Writer) error) error {
	parent, base := filepath.Dir(t.path), filepath.Base(t.path)
	missing, err := p.absent(parent)
	if err != nil {
		return sdk.Clean(err)
	}
	dir, err := p.make(parent, 0o755)
	if err == nil {
		defer dir.Close()
		err = dir.Write(base, mode, content)
	}
	if err != nil {
		err = ended(ctx, err)
		if left, failed := p.absent(parent); failed != nil || left != missing {
			return partly(err, "after making folders")
		}
		return sdk.Clean(err)
	}
	sum, size, err := dir.Sum(ctx, base)
	if err != nil {
		return ended(ctx, err)
	}
	if sum != t.sum || size != t.size {
		f := sdk.Fail("copy_differs", "%s is not what was written: %d bytes with the SHA-256 %s, not %d with %s", t.path, size, sum, t.size, t.sum)
		f.Remedy = "see whether somebody else writes there, and try again"
		return f
	}
	return nil
}

// aside is where the old content of a target is to be kept, if it has to be and
// is not yet. What is there else is never written over: it may be the only copy.
func (p *provider) aside(ctx context.Context, t target, name string) (*target, error) {
	if name == "" || !t.exists || t.same() {
		return nil, nil
	}
	old := &target{path: p.absolute(name), sum: t.oldSum}
	err := p.look(ctx, old)
	switch {
	case err != nil:
		return nil, ended(ctx, err)
	case old.same():
		return nil, nil
	case old.exists:
		f := sdk.Fail("backup_exists", "%s is there already, and holds something else; nothing was written", old.path)
		f.Argument, f.Remedy = "backup_to", "name another file, such as one with the run's ID, or move this one away"
		return nil, f
	}
	return old, nil
}

// replace writes a target; its old content is put aside first.
func (p *provider) replace(ctx context.Context, t target, name string, mode fs.FileMode, content func(io.Writer) error) error {
	old, err := p.aside(ctx, t, name)
	if err != nil {
		return sdk.Clean(err)
	}
	if old == nil {
		return p.put(ctx, t, mode, content)
	}
	if err := p.keep(ctx, t, *old); err != nil {
		return err
	}
	if err := p.put(ctx, t, mode, content); err != nil {
		return partly(err, "after keeping the old content in %s", old.path)
	}
	return nil
}

// keep copies the old content of a target.
func (p *provider) keep(ctx context.Context, t, old target) error {
	dir, err := p.open(filepath.Dir(t.path))
	if err != nil {
		return sdk.Clean(err)
	}
	defer dir.Close()
	file, err := dir.Open(filepath.Base(t.path))
	if err != nil {
		return sdk.Clean(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return sdk.Clean(folder.Failure("read", t.path, err))
	}
	old.size = info.Size()
	return p.put(ctx, old, t.oldMode, func(w io.Writer) error {
		_, err := io.Copy(w, folder.Until(ctx, file))
		return err
	})
}

// partly is the error of something that went wrong after something was done,
// whatever its cause says of itself.
func partly(err error, format string, args ...any) error {
	var typed *schema.Failure
	if !errors.As(err, &typed) {
		return err
	}
	f := *typed
	f.Message = fmt.Sprintf(format, args...) + ": " + f.Message
	return &f
}

// foretold is the preview of a plan.
func (w plan) foretold(what string, kept bool) sdk.PreviewResult {
	impact := w.impact()
	destroys := impact["overwritten"] > 0 && !kept
	preview := sdk.PreviewResult{Impact: impact, Destructive: &destroys}
	preview.Summary = fmt.Sprintf("%s: %s, %s", what, phrase.Count(impact["files"], "file", "files"), phrase.Size(impact["bytes"]))
	if n := int64(len(w)) - impact["files"]; n > 0 {
		preview.Summary += fmt.Sprintf("; %d are there already", n)
	}
	if impact["overwritten"] > 0 {
		preview.Summary += fmt.Sprintf("; writes over %d", impact["overwritten"])
	}
	for _, sign := range []string{"~", "+"} {
		for _, t := range w {
			if !t.same() && t.exists == (sign == "~") && len(preview.Sample) < sampled {
				preview.Sample = append(preview.Sample, sign+" "+t.path)
			}
		}
	}
	return preview
}

// below is a path in a folder.
func below(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(path.Clean(name))) }
