package dvc

import (
	"context"
	"crypto/md5" //nolint:gosec // DVC's own name for content
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const fileHashDoc = `The hashes of a file in the workspace, read now. It is ok where they are the expected ones, and, where DVC tracks the file, its MD5 is the recorded one. With nothing to compare with it is not ok.`

type fileHashArgs struct {
	Path   string `runbook:"path" doc:"The file, from the repository's folder."`
	SHA256 string `runbook:"sha256,optional" doc:"Expected SHA-256, in hexadecimal digits."`
	MD5    string `runbook:"md5,optional" doc:"Expected MD5, in hexadecimal digits."`
}

type fileHashResult struct {
	sdk.Result
	Exists   bool   `runbook:"exists" doc:"Whether there is such a file."`
	SHA256   string `runbook:"sha256" doc:"Its SHA-256; empty where there is no file."`
	MD5      string `runbook:"md5" doc:"Its MD5, likewise."`
	Size     int64  `runbook:"size" doc:"Its size in bytes."`
	Recorded string `runbook:"recorded" doc:"MD5 that DVC has on record for it; empty where it does not track it, or the folder's list is not in the cache."`
}

func (a fileHashArgs) check() *schema.Failure {
	if !filepath.IsLocal(a.Path) {
		return sdk.InvalidArgument("path", "%q is no file within the repository", a.Path)
	}
	for argument, given := range map[string]struct {
		text   string
		digits int
	}{"sha256": {a.SHA256, 64}, "md5": {a.MD5, 32}} {
		if _, err := hex.DecodeString(given.text); given.text != "" && (err != nil || len(given.text) != given.digits) {
			return sdk.InvalidArgument(argument, "%s has %d hexadecimal digits, and this is something else", argument, given.digits)
		}
	}
	return nil
}

func (p *provider) fileHash(ctx context.Context, args fileHashArgs, call *sdk.Call) (fileHashResult, error) {
	if f := args.check(); f != nil {
		return fileHashResult{}, f
	}
	r, err := p.open(call)
	if err != nil {
		return fileHashResult{}, err
	}
	var found fileHashResult
	name := path.Clean(filepath.ToSlash(args.Path))
	if found.Recorded, err = r.recorded(ctx, name); err != nil {
		return fileHashResult{}, err
	}
	from, err := os.Open(filepath.Join(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		found.Result = sdk.NotOK("there is no file %s", name)
		return found, nil
	} else if err != nil {
		return fileHashResult{}, unreadable(err)
	}
	defer func() { _ = from.Close() }()
	if info, err := from.Stat(); err != nil || !info.Mode().IsRegular() {
		f := sdk.InvalidArgument("path", "%s is no regular file", name)
		return fileHashResult{}, f
	}
	long, short := sha256.New(), md5.New() //nolint:gosec // likewise
	if found.Size, err = io.Copy(io.MultiWriter(long, short), contextReader{ctx, from}); err != nil {
		if ctx.Err() != nil {
			return fileHashResult{}, cut(ctx, "reading "+name)
		}
		return fileHashResult{}, unreadable(err)
	}
	found.Exists = true
	found.SHA256, found.MD5 = hex.EncodeToString(long.Sum(nil)), hex.EncodeToString(short.Sum(nil))
	var wrong []string
	compared := 0
	for _, one := range []struct{ what, want, got string }{
		{"the expected SHA-256", args.SHA256, found.SHA256}, {"the expected MD5", args.MD5, found.MD5}, {"what DVC has on record", found.Recorded, found.MD5},
	} {
		if one.want == "" {
			continue
		}
		if compared++; !strings.EqualFold(one.want, one.got) {
			wrong = append(wrong, one.what)
		}
	}
	size := phrase.Size(found.Size)
	switch {
	case compared == 0:
		found.Result = sdk.NotOK("%s (%s) is not tracked, and no hash is given to compare with", name, size)
	case len(wrong) > 0:
		found.Result = sdk.NotOK("%s (%s) is not %s", name, size, strings.Join(wrong, ", nor "))
	default:
		found.Result = sdk.OK("%s (%s) is as it should be", name, size)
	}
	return found, nil
}

// recorded is the MD5 that DVC has on record for a file; empty where there is
// none.
func (r *repository) recorded(ctx context.Context, name string) (string, error) {
	known, err := source{repository: r}.index(ctx)
	if err != nil {
		return "", err
	}
	for _, out := range known.outputs {
		switch below, inside := strings.CutPrefix(name, out.path+"/"); {
		case out.path == name && !out.object.legacy:
			return out.object.hash, nil
		case inside && out.object.isDir():
			c := comparison{outputs: []output{out}}
			if err := c.expand(ctx, r.cache(), nil); err != nil {
				return "", fmt.Errorf("look %s up: %w", name, err)
			}
			for _, file := range c.lists[0].files {
				if file.Path == below && !out.object.legacy {
					return file.MD5, nil
				}
			}
		}
	}
	return "", nil
}
