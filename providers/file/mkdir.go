package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const mkdirDoc = `Makes a folder, and those above it, where it is missing. One that exists is left as it is. Doing it again is harmless.`

type mkdirArgs struct {
	Path string `runbook:"path" doc:"The folder."`
	Mode string `runbook:"mode" default:"0755" doc:"Permissions of folders that are made, in octal."`
}

type mkdirResult struct {
	sdk.Result
	Created     bool  `runbook:"created" doc:"Whether it was made now; false: it existed."`
	Directories int64 `runbook:"directories" doc:"How many folders were made, those above it included."`
}

func (p *provider) checkMkdir(args mkdirArgs) (fs.FileMode, *schema.Failure) {
	if f := p.check("path", args.Path); f != nil {
		return 0, f
	}
	return permissions(args.Mode)
}

// absent is how many folders of a path do not exist.
func (p *provider) absent(path string) (int64, error) {
	var n int64
	for ; ; path = filepath.Dir(path) {
		info, err := p.stat(path)
		switch {
		case err == nil && info.IsDir():
			return n, nil
		case err == nil:
			f := sdk.Fail("not_a_folder", "%s is there, and is no folder", path)
			f.Remedy = "choose another path, or take away what is there"
			return n, f
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			n++
		default: // a typed one stays as it is
			return n, folder.Failure("look at", path, err)
		}
	}
}

// stat looks at a path within the root.
func (p *provider) stat(path string) (fs.FileInfo, error) {
	if p.root == "" {
		return os.Stat(path)
	}
	root, err := p.openRoot()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name, err := filepath.Rel(p.root, path)
	if err != nil {
		return nil, err
	}
	return root.Root().Stat(name)
}

func (p *provider) mkdir(_ context.Context, args mkdirArgs, _ *sdk.Call) (mkdirResult, error) {
	mode, f := p.checkMkdir(args)
	if f != nil {
		return mkdirResult{}, sdk.Clean(f)
	}
	path := p.absolute(args.Path)
	n, err := p.absent(path)
	if err != nil {
		return mkdirResult{}, sdk.Clean(err)
	}
	made, err := p.make(path, mode)
	if err != nil {
		left, failed := p.absent(path)
		if failed != nil || left == n {
			return mkdirResult{}, sdk.Clean(err)
		}
		return mkdirResult{}, err
	}
	defer made.Close()
	if n > 0 { // whatever the process masks
		if err := made.Root().Chmod(".", mode); err != nil {
			return mkdirResult{}, folder.Failure("set the permissions of", path, err)
		}
	}
	result := mkdirResult{Created: n > 0, Directories: n, Result: sdk.OK("%s existed", path)}
	if result.Created {
		result.Result = sdk.OK("made %s", path)
	}
	return result, nil
}

func (p *provider) describeMkdir(args mkdirArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Effects: []schema.Effect{{Resource: p.resource(args.Path), Mode: schema.Write}}, Summary: "makes a folder"}
	if call.Unknown("path") || call.Unknown("mode") {
		return d
	}
	if _, d.Failure = p.checkMkdir(args); d.Failure != nil {
		return d
	}
	d.Summary = "makes the folder " + p.absolute(args.Path)
	d.Command = []string{"mkdir", "-p", "-m", args.Mode, p.absolute(args.Path)}
	return d
}

func (p *provider) previewMkdir(_ context.Context, args mkdirArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	path := p.absolute(args.Path)
	n, err := p.absent(path)
	preview := sdk.PreviewResult{Impact: schema.Impact{"directories": n}, Summary: fmt.Sprintf("makes the folder %s", path)}
	if n == 0 {
		preview.Summary = path + " exists"
	}
	return preview, err
}
