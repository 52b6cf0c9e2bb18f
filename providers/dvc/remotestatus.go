package dvc

import (
	"context"
	"crypto/md5" //nolint:gosec // DVC's own name for content
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const remoteStatusDoc = `What a remote really holds of everything that the workspace, or a git revision, tracks: asked object by object, the files of a folder too, where DVC takes a folder for complete as soon as its list is there.
It is ok where the remote has all of it, whole. What is lost is neither in the cache nor in this remote. It looks without DVC and takes no lock.`

type remoteStatusArgs struct {
	Remote string `runbook:"remote,optional" doc:"Name of the remote; without one the repository's default."`
	Rev    string `runbook:"rev,optional" doc:"Commit, branch or tag whose dvc.lock and .dvc files count; without one those of the workspace."`
}

type remoteStatusResult struct {
	sdk.Result
	Remote      string   `runbook:"remote" doc:"Name of the remote."`
	URL         string   `runbook:"url" doc:"The remote's, without user name and password."`
	Commit      string   `runbook:"commit" doc:"Commit that rev stands for; empty for the workspace."`
	Outputs     int      `runbook:"outputs" doc:"Files and folders that are tracked and go to this remote."`
	Elsewhere   int      `runbook:"elsewhere" doc:"Tracked ones that go to another remote, or to none."`
	Unrecorded  []string `runbook:"unrecorded" doc:"Tracked ones whose content is not recorded: their stage has never run."`
	All         amount   `runbook:"all" doc:"Everything that is recorded."`
	Present     amount   `runbook:"present" doc:"In the cache and in the remote."`
	ToPush      amount   `runbook:"to_push" doc:"In the cache, and not in the remote."`
	ToFetch     amount   `runbook:"to_fetch" doc:"In the remote, and not in the cache."`
	Lost        amount   `runbook:"lost" doc:"In neither: only another remote, or a file in the workspace, can bring them back."`
	InWorkspace amount   `runbook:"in_workspace" doc:"Those of the lost ones that lie in the workspace unchanged: dvc commit saves them."`
	Damaged     amount   `runbook:"damaged" doc:"In the remote with another size than in the cache, or than recorded."`
}

func (p *provider) remoteStatus(ctx context.Context, args remoteStatusArgs, call *sdk.Call) (remoteStatusResult, error) {
	r, err := p.open(call)
	if err != nil {
		return remoteStatusResult{}, err
	}
	defer r.close()
	name, err := r.settings.remoteName(args.Remote)
	if err != nil {
		return remoteStatusResult{}, err
	}
	from, err := r.at(ctx, args.Rev)
	if err != nil {
		return remoteStatusResult{}, err
	}
	remote, err := r.store(name)
	if err != nil {
		return remoteStatusResult{}, err
	}
	c, err := from.compare(ctx, name, remote)
	if err != nil {
		return remoteStatusResult{}, err
	}
	parts := c.parts()
	found := remoteStatusResult{
		Remote: name, URL: shownURL(r.settings.remotes[name]), Commit: from.commit, Outputs: len(c.outputs), Elsewhere: c.elsewhere, Unrecorded: c.unrecorded,
		All: parts.all, Present: parts.present, ToPush: parts.toPush, ToFetch: parts.toFetch, Lost: parts.lost, Damaged: parts.damaged,
	}
	if found.InWorkspace, err = r.inWorkspace(ctx, parts.gone); err != nil {
		return remoteStatusResult{}, err
	}
	whole := parts.toPush.Objects+parts.lost.Objects+parts.damaged.Objects == 0
	switch {
	case len(c.outputs) == 0 && len(c.unrecorded) == 0:
		found.Result = sdk.NotOK("nothing is tracked that goes to %s", name)
	case whole && len(c.unrecorded) == 0:
		found.Result = sdk.OK("%s has all %s, %s", name, objects(parts.all.Objects), phrase.Size(parts.all.Bytes))
	default:
		found.Result = sdk.NotOK("%s", parts.summary(name, c.unrecorded))
	}
	if n := found.InWorkspace.Objects; n > 0 {
		found.Summary += fmt.Sprintf("; %d of the lost ones lie in the workspace", n)
	}
	return found, nil
}

func objects(n int64) string { return phrase.Count(n, "object", "objects") }

// summary names what is not as it should be.
func (p parts) summary(remote string, unrecorded []string) string {
	var remarks []string
	for _, one := range []struct {
		amount
		what string
	}{{p.lost, "lost"}, {p.damaged, "damaged"}, {p.toPush, "to push"}, {p.toFetch, "to fetch"}} {
		if one.Objects > 0 {
			remarks = append(remarks, fmt.Sprintf("%s %s (%s)", objects(one.Objects), one.what, phrase.Size(one.Bytes)))
		}
	}
	if len(unrecorded) > 0 {
		remarks = append(remarks, "not recorded yet: "+some(unrecorded))
	}
	return fmt.Sprintf("%s: %s, of %s", remote, strings.Join(remarks, ", "), objects(p.all.Objects))
}

// inWorkspace finds those of the items whose file lies there with just that
// content.
func (r *repository) inWorkspace(ctx context.Context, gone []item) (amount, error) {
	var found amount
	for _, it := range gone {
		file := filepath.Join(r.dir, it.path)
		if it.isDir() || it.legacy {
			continue
		}
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() || it.size >= 0 && it.size != info.Size() {
			continue
		}
		hash, err := md5Of(ctx, file)
		if err != nil {
			return found, err
		}
		if hash == it.hash {
			found.add(it, info.Size())
		}
	}
	return found, nil
}

// md5Of is the MD5 of a file's content; nothing where there is no such file.
func md5Of(ctx context.Context, file string) (string, error) {
	from, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", unreadable(err)
	}
	defer func() { _ = from.Close() }()
	sum := md5.New() //nolint:gosec // likewise
	if _, err := io.Copy(sum, contextReader{ctx, from}); err != nil {
		if ctx.Err() != nil {
			return "", cut(ctx, "reading "+file)
		}
		return "", unreadable(err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
