// Package file looks at files, folders and disks of this machine, and copies,
// writes, archives and deletes files. A file is written whole or not at all, and
// no link below the folder that is named, or below the configured root, leads
// out of it. Remote machines are left to exec.
package file

import (
	"context"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config confines the provider.
type Config struct {
	Root string `runbook:"root,optional" doc:"Folder that no path and no link leads out of, and from which relative paths start. Without one they start from the runbook's folder, and only links below a folder that is named are kept from leading out of it."`
}

type provider struct {
	root string // absolute; empty: none
	base string // where relative paths start
}

// Provider serves files.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "file", Version: "0.1.0",
		Doc:       "Looks at files, folders and disks of this machine, and copies, writes, archives and deletes files: atomically, verified, and with counted, bounded impact.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("file", fileDoc, p.file),
			sdk.NewProbe("directory", directoryDoc, p.directory),
			sdk.NewProbe("disk", diskDoc, p.disk),
		},
		Actions: []sdk.Action{
			sdk.NewAction("copy", copyDoc, p.copy,
				sdk.Describe(p.describeCopy), sdk.Preview(p.previewCopy),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(writeUnits()...), sdk.Enforces(writeUnits()...)),
			sdk.NewAction("write", writeDoc, p.write,
				sdk.Describe(p.describeWrite), sdk.Preview(p.previewWrite),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(writeUnits()...), sdk.Enforces(writeUnits()...)),
			sdk.NewAction("archive", archiveDoc, p.archive,
				sdk.Describe(p.describeArchive), sdk.Preview(p.previewArchive),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts(writeUnits()...), sdk.Enforces(writeUnits()...)),
			sdk.NewAction("delete_older_than", deleteDoc, p.delete,
				sdk.Describe(p.describeDelete), sdk.Preview(p.previewDelete),
				sdk.Idempotent, sdk.MayDestroy, sdk.Counts("files", "bytes"), sdk.Enforces("files", "bytes")),
			sdk.NewAction("mkdir", mkdirDoc, p.mkdir,
				sdk.Describe(p.describeMkdir), sdk.Preview(p.previewMkdir),
				sdk.Idempotent, sdk.Counts("directories")),
		},
	}
}

// writeUnits are what is counted where files are written: all of them, their
// bytes, and how many take the place of another content.
func writeUnits() []string { return []string{"files", "bytes", "overwritten"} }

func (p *provider) configure(ctx context.Context, c Config) error {
	p.base = sdk.Path(ctx, ".")
	if c.Root != "" {
		p.root = sdk.Path(ctx, c.Root)
		p.base = p.root
	}
	return nil
}

// absolute is a path from an argument.
func (p *provider) absolute(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(p.base, name)
}

// check says what is wrong with a path.
func (p *provider) check(argument, name string) *schema.Failure {
	switch {
	case name == "":
		return sdk.InvalidArgument(argument, "%s is empty", argument)
	case strings.ContainsRune(name, 0):
		return sdk.InvalidArgument(argument, "%s holds a zero byte", argument)
	case !p.holds(p.absolute(name)):
		f := sdk.InvalidArgument(argument, "%s is not in the root %s", p.absolute(name), p.root)
		f.Remedy = "correct the path, or root in the provider block"
		return f
	}
	return nil
}

// holds tells whether an absolute path lies within the root.
func (p *provider) holds(path string) bool {
	if p.root == "" {
		return true
	}
	within, err := filepath.Rel(p.root, path)
	return err == nil && filepath.IsLocal(within)
}

// open opens a folder by its absolute path, within the root.
func (p *provider) open(path string) (*folder.Folder, error) {
	if p.root == "" {
		return folder.Open(path)
	}
	return p.within(path, func(*folder.Folder, string) error { return nil })
}

// make is open where the folder may have to be made.
func (p *provider) make(path string, mode fs.FileMode) (*folder.Folder, error) {
	if p.root == "" {
		return folder.Make(path, mode)
	}
	return p.within(path, func(root *folder.Folder, name string) error { return root.MakeDir(name, mode) })
}

// openRoot tells a root that is missing from anything in it that is.
func (p *provider) openRoot() (*folder.Folder, error) {
	root, err := folder.Open(p.root)
	if missing(err) {
		f := sdk.Fail("root_missing", "the root %s does not exist", p.root)
		f.Remedy = "make it, or correct root in the provider block"
		return nil, f
	}
	return root, err
}

func (p *provider) within(path string, prepare func(root *folder.Folder, name string) error) (*folder.Folder, error) {
	root, err := p.openRoot()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name, err := filepath.Rel(p.root, path)
	if err != nil {
		return nil, err
	}
	if err := prepare(root, filepath.ToSlash(name)); err != nil {
		return nil, err
	}
	return root.Sub(filepath.ToSlash(name))
}

// resource is a path as effects name it; without one, all that the provider may
// touch.
func (p *provider) resource(name string) string {
	path := p.root
	if name != "" {
		path = p.absolute(name)
	}
	if path == "" {
		path = "/"
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// permissions reads a mode such as 0644.
func permissions(text string) (fs.FileMode, *schema.Failure) {
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, sdk.InvalidArgument("mode", "mode must be octal permissions such as 0644, got %q", text)
	}
	return fs.FileMode(mode), nil
}
