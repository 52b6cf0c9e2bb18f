package minio

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// directoryEnd is a folder on this machine.
type directoryEnd struct {
	path   string
	folder *folder.Folder // nil: it does not exist yet
}

func openDirectory(path string) (end, error) {
	d := &directoryEnd{path: path}
	opened, err := folder.Open(d.path)
	var failure *schema.Failure
	if errors.As(err, &failure) && failure.Code == "file_missing" {
		return d, nil
	}
	d.folder = opened
	return d, err
}

func (d *directoryEnd) close() {
	if d.folder != nil {
		d.folder.Close()
	}
}

func (d *directoryEnd) list(ctx context.Context) ([]thing, error) {
	if d.folder == nil {
		return nil, nil
	}
	files, err := d.folder.Files(ctx, ".")
	things := make([]thing, len(files))
	for i, file := range files {
		things[i] = thing{name: file.Path, size: file.Size, at: file.ModTime}
	}
	return things, err
}

func (d *directoryEnd) read(_ context.Context, t thing) (content, error) {
	file, err := d.folder.Open(t.name)
	if err != nil {
		return content{}, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return content{}, folder.Failure("read", d.folder.Name(t.name), err)
	}
	return content{ReadCloser: file, size: info.Size(), meta: meta{kind: mime.TypeByExtension(path.Ext(t.name))}}, nil
}

// fits is the failure of a name that no file can have.
func (d *directoryEnd) fits(name string) error {
	if path.Clean("/"+name) == "/"+name && !strings.ContainsRune(name, 0) && len(path.Base(name)) < 256 {
		return nil
	}
	f := sdk.Fail("unusable_name", "the object %q cannot be a file: its name is no path", name)
	f.Remedy = "rename it, or narrow the prefix"
	return f
}

// open makes the folder at the first write.
func (d *directoryEnd) open() error {
	if d.folder != nil {
		return nil
	}
	made, err := folder.Make(d.path, 0o755)
	d.folder = made
	return err
}

func (d *directoryEnd) write(ctx context.Context, name string, old *thing, c content) error {
	read := newSums()
	err := d.folder.Write(name, 0, func(w io.Writer) error {
		if _, err := io.Copy(io.MultiWriter(w, read), c); err != nil {
			return err
		}
		return d.still(name, old)
	})
	if err != nil {
		return err
	}
	written, err := sumsOf(ctx, d, thing{name: name})
	if err == nil {
		err = compared(d.folder.Name(name), read, written, c.size)
	}
	if err != nil {
		return batch.Changed(err)
	}
	return nil
}

// still refuses a name where something else is by now than what was listed; nil
// is nothing.
func (d *directoryEnd) still(name string, old *thing) error {
	info, err := d.folder.Root().Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && old == nil,
		err == nil && old != nil && info.Mode().IsRegular() && info.Size() == old.size && info.ModTime().Equal(old.at):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return folder.Failure("look at", d.folder.Name(name), err)
	}
	return &schema.Failure{
		Code: "changed_meanwhile", Retryable: true,
		Message: d.folder.Name(name) + " was changed by somebody else meanwhile; it was left as it is",
		Remedy:  "stop the writers first, then try again",
	}
}

// compared is the failure of a copy that is not like what was read.
func compared(name string, read, written *sums, size int64) error {
	if read.n == size && written.n == size && read.sum() == written.sum() {
		return nil
	}
	f := sdk.Fail("copy_differs", "%s is not what was read: %d bytes with the SHA-256 %s, not %d with %s", name, written.n, written.sum(), size, read.sum())
	f.Remedy = "see whether somebody else writes there, and try again"
	return f
}

func (d *directoryEnd) remove(_ context.Context, things []thing) error {
	for _, t := range things {
		err := d.still(t.name, &t)
		if err == nil {
			err = d.folder.Remove(t.name)
		}
		if err != nil {
			return batch.Changed(err)
		}
	}
	return nil
}
